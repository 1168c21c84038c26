//! Capabilities: which the process keeps, and which of them a thread keeps.

use caps::{CapSet, Capability, CapsHashSet, errors::CapsError};

use super::{files::Reach, needs::Needs};
use crate::role::Role;

/// What loading and attaching takes.
const NEEDED: [Capability; 3] = [Capability::CAP_BPF, Capability::CAP_NET_ADMIN, Capability::CAP_PERFMON];

/// What reading maps, attaching and detaching takes. NET_ADMIN stays, as interfaces may come and go, and filters of
/// clsact are removed by netlink; BPF stays, as kernels before 5.19 ask for it in every bpf(2) where unprivileged BPF is
/// off. PERFMON goes: only the verifier asks for it. SYS_ADMIN is there only where names of others' programs are looked
/// up, for which the kernel asks for it.
const KERNEL: [Capability; 5] = [
    Capability::CAP_BPF,
    Capability::CAP_NET_ADMIN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_SYS_ADMIN,
];

/// What a thread with this role may keep once the programs are loaded.
pub(super) const fn needs(role: Role) -> &'static [Capability] {
    match role {
        Role::Main | Role::Pump => &KERNEL,
        Role::Load => &NEEDED,
        Role::Log(_) => &[Capability::CAP_DAC_OVERRIDE],
        Role::Web => &[],
    }
}

/// Capabilities that loading and attaching takes and this thread has not.
#[must_use]
pub fn missing() -> Vec<String> {
    let held = caps::read(None, CapSet::Effective).unwrap_or_default();
    let missing = NEEDED.iter().filter(|capability| !held.contains(capability));
    missing.map(ToString::to_string).collect()
}

/// Keeps what the daemon needs, for this thread and those that it will start. Gives back the names of what is
/// left once the programs are loaded.
pub(super) fn keep(needs: &Needs) -> Result<String, CapsError> {
    let mut kept = NEEDED.to_vec();
    // Before Linux 5.11 maps count as locked memory, whose limit the loader raises; given up once all is loaded.
    kept.push(Capability::CAP_SYS_RESOURCE);
    if needs.program_names {
        kept.push(Capability::CAP_SYS_ADMIN);
    }
    if needs.low_port {
        kept.push(Capability::CAP_NET_BIND_SERVICE);
    }
    only(&kept_with_files(&kept, &needs.reach)?)?;
    let held = caps::read(None, CapSet::Permitted)?;
    let left = held.iter().filter(|capability| KERNEL.contains(capability));
    let mut names: Vec<String> = left.map(|capability| short(*capability)).collect();
    names.sort();
    Ok(if names.is_empty() { "none".to_owned() } else { names.join(" ") })
}

/// `kept`, with the right to pass over file permissions where a log's or the configuration's folder cannot be
/// used without: root without it is held to them as anyone.
fn kept_with_files(kept: &[Capability], reach: &Reach) -> Result<Vec<Capability>, CapsError> {
    let before = caps::read(None, CapSet::Effective)?;
    let without = before.iter().copied().filter(|capability| {
        !matches!(capability, Capability::CAP_DAC_OVERRIDE | Capability::CAP_DAC_READ_SEARCH)
    });
    caps::set(None, CapSet::Effective, &without.collect())?;
    let enough = reach.is_permitted();
    caps::set(None, CapSet::Effective, &before)?;
    let mut kept = kept.to_vec();
    if !enough {
        kept.push(Capability::CAP_DAC_OVERRIDE);
    }
    Ok(kept)
}

/// Drops every capability of this thread but those.
pub(super) fn only(kept: &[Capability]) -> Result<(), CapsError> {
    let held = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = kept.iter().copied().filter(|capability| held.contains(capability)).collect();
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for capability in caps::runtime::thread_all_supported() {
            if !kept.contains(&capability) {
                caps::drop(None, CapSet::Bounding, capability)?;
            }
        }
    }
    // Ambient ones go with the inheritable.
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)
}

fn short(capability: Capability) -> String {
    capability.to_string().trim_start_matches("CAP_").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_no_more_than_its_role() {
        for role in [Role::Main, Role::Pump, Role::Load, Role::Log("http_log"), Role::Web] {
            let held = std::thread::spawn(move || {
                only(needs(role)).unwrap();
                [CapSet::Permitted, CapSet::Effective, CapSet::Inheritable]
                    .map(|set| caps::read(None, set).unwrap())
            });
            let [permitted, effective, inheritable] = held.join().unwrap();
            assert!(permitted.iter().all(|capability| needs(role).contains(capability)), "{permitted:?}");
            assert_eq!(permitted, effective);
            assert!(inheritable.is_empty());
            // This thread has what it had: the drop is one thread's.
            let here = caps::read(None, CapSet::Permitted).unwrap();
            assert!(permitted.iter().all(|capability| here.contains(capability)));
        }
    }
}
