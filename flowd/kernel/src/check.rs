//! What `flowd check` asks the kernel side, without attaching anything.

use aya::{
    programs::{SchedClassifier, TcAttachType},
    util::KernelVersion,
};
use flow_common::{names, settings::Settings};

use crate::{Kernel, KernelError, hook::xdp::Frames, object::options::LoadOptions};

/// Loads the programs into small tables for a moment.
///
/// # Errors
/// What is missing, with its remedy.
pub fn try_load(settings: Settings, frames: Option<Frames>) -> Result<(), KernelError> {
    let options = LoadOptions {
        settings,
        flows: 1024,
        event_bytes: 4096,
        interfaces: 1,
        frames,
        ..LoadOptions::default()
    };
    Kernel::load(&options).map(drop)
}

/// Names of the TCX programs on an interface, both directions; `None` where they cannot be asked for: the
/// kernel has no TCX, or this user may not (names take CAP_SYS_ADMIN).
#[must_use]
pub fn attached(interface: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for at in [TcAttachType::Ingress, TcAttachType::Egress] {
        let (_, programs) = SchedClassifier::query_tcx(interface, at).ok()?;
        names.extend(programs.iter().map(|program| match program.name_as_str() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => format!("program {}", program.id()),
        }));
    }
    Some(names)
}

/// Whether a program of this name, which the kernel cuts to 15 characters, is flowd's.
#[must_use]
pub fn is_own(program: &str) -> bool {
    [names::PROGRAM_INGRESS, names::PROGRAM_EGRESS, names::PROGRAM_XDP]
        .iter()
        .any(|own| program.starts_with(own))
}

/// Bytes that the maps take with so many flows, such a buffer for events, and as many interfaces as fit by
/// default.
#[must_use]
pub fn map_bytes(flows: u32, event_bytes: u64, cpus: usize) -> u64 {
    let event_bytes = u32::try_from(event_bytes).unwrap_or(u32::MAX);
    let options = LoadOptions { flows, event_bytes, ..LoadOptions::default() };
    options.memory(cpus).iter().map(|(_, bytes)| *bytes as u64).sum()
}

/// Since Linux 5.11 maps count as memory of a cgroup, before as locked memory of a user.
#[must_use]
pub fn maps_are_charged_to_cgroups() -> bool {
    KernelVersion::current().is_ok_and(|version| version >= KernelVersion::new(5, 11, 0))
}
