//! The programs of XDP in the object.

use aya::{
    Ebpf,
    programs::{Program, Xdp},
};
use flow_common::{names, settings::Settings};

use crate::{KernelError, hook::xdp::Frames};

/// Programs for these settings: first the best.
pub(crate) const fn candidates(settings: &Settings, frags: bool) -> &'static [&'static str] {
    match (settings.decapsulate == 0, frags) {
        (true, true) => &[names::PROGRAM_XDP_FRAGS, names::PROGRAM_XDP],
        (true, false) => &[names::PROGRAM_XDP],
        (false, true) => &[names::PROGRAM_XDP_FRAGS_TUNNELS, names::PROGRAM_XDP_TUNNELS],
        (false, false) => &[names::PROGRAM_XDP_TUNNELS],
    }
}

/// Loads the best program that this kernel takes. One that cannot have frames of several buffers refuses the flag at
/// once, before its verifier looks at anything.
pub(crate) fn load(bpf: &mut Ebpf, settings: &Settings, frames: Frames) -> Result<&'static str, KernelError> {
    let mut result = Err(KernelError::Object { detail: "it has no XDP program".to_owned() });
    for name in candidates(settings, frames.frags) {
        match program(bpf, name)?.load() {
            Ok(()) => return Ok(name),
            Err(error) => result = Err(KernelError::program(name, &error)),
        }
    }
    result
}

/// The program of that name, which the object always has.
pub(crate) fn program<'a>(bpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Xdp, KernelError> {
    match bpf.program_mut(name) {
        Some(Program::Xdp(program)) => Ok(program),
        _ => Err(KernelError::Object { detail: format!("it has no XDP program {name}") }),
    }
}
