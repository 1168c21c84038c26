//! The programs of TC in the object.

use std::thread;

use aya::{
    Ebpf,
    programs::{Program, SchedClassifier},
};
use flow_common::{names, settings::Settings};

use crate::{
    KernelError,
    role::{self, Role},
};

/// Names of the ingress and the egress program for these settings.
pub(crate) const fn programs(settings: &Settings) -> [&'static str; 2] {
    if settings.decapsulate == 0 {
        [names::PROGRAM_INGRESS, names::PROGRAM_EGRESS]
    } else {
        [names::PROGRAM_INGRESS_TUNNELS, names::PROGRAM_EGRESS_TUNNELS]
    }
}

/// The program of that name, which the object always has.
pub(crate) fn program<'a>(bpf: &'a mut Ebpf, name: &str) -> Result<&'a mut SchedClassifier, KernelError> {
    classifier(name, bpf.program_mut(name))
}

fn classifier<'a>(
    name: &str,
    found: Option<&'a mut Program>,
) -> Result<&'a mut SchedClassifier, KernelError> {
    let missing = || KernelError::Object { detail: format!("it has no program {name}") };
    found.ok_or_else(missing)?.try_into().map_err(|_| missing())
}

/// Loads the named programs, each on a thread of its own, and does `meanwhile` beside them: the verifier
/// takes longer than all the rest of the start, and works on several programs at once.
pub(crate) fn load(
    bpf: &mut Ebpf,
    names: &[&str],
    meanwhile: impl FnOnce() -> Result<(), KernelError>,
) -> Result<(), KernelError> {
    thread::scope(|scope| {
        let mut loads = Vec::new();
        for (name, program) in bpf.programs_mut().filter(|(name, _)| names.contains(name)) {
            loads.push(scope.spawn(move || {
                role::register(Role::Load);
                let program = classifier(name, Some(program))?;
                program.load().map_err(|error| KernelError::program(name, &error))
            }));
        }
        meanwhile()?;
        let died = || KernelError::Object { detail: "the thread that loads a program died".to_owned() };
        loads.into_iter().try_for_each(|load| load.join().unwrap_or_else(|_| Err(died())))
    })
}
