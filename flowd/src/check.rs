//! `flowd check`: what a daemon of this configuration needs of this machine, one by one, each with its remedy.

mod files;
mod listener;
mod machine;
mod print;
mod requirement;

pub use print::{json, text};
pub use requirement::{Check, Status};

use crate::{
    config::{Config, Hook},
    interfaces::{self, Interface},
    kernel::{self, Frames},
    privileges,
};

/// Checks everything; loads the programs for a moment and attaches nothing, takes the address for a moment
/// and answers nobody, and leaves no file behind.
#[must_use]
pub fn all(config: &Config) -> Vec<Check> {
    let mut checks = machine::kernel();
    checks.push(capabilities());
    checks.extend(machine::memory(config));
    checks.push(load(config));
    checks.push(machine::sandbox(config));
    checks.extend(watched(config));
    checks.extend(files::logs(config));
    checks.extend(files::usable_secrets(config));
    checks.extend(listener::check(config));
    checks
}

/// What is to be said of the files of `[web]` while flowd runs with them: who else may read them, and how long
/// certificates hold.
pub fn remarks(config: &Config) -> impl Iterator<Item = String> {
    let checks = files::secrets(config).into_iter().filter(|check| check.status == Status::Warning);
    checks.map(|check| format!("{}: {}; {}", check.name, check.detail, check.remedy.unwrap_or_default()))
}

fn capabilities() -> Check {
    let missing = privileges::missing();
    if missing.is_empty() {
        return Check::ok("capabilities", "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are there");
    }
    let remedy =
        "run as root, or give flowd CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, as config/flowd.service does";
    Check::missing("capabilities", format!("{} not there", missing.join(", ")), remedy)
}

fn load(config: &Config) -> Check {
    let frames = (config.hook == Hook::Xdp).then(Frames::default);
    match kernel::try_load(config.settings(), frames) {
        Ok(()) => Check::ok("load", "the programs load"),
        // The error states its remedy.
        Err(error) => Check::missing("load", "the programs do not load", error.to_string()),
    }
}

/// Each interface to watch, with the programs that are there already.
fn watched(config: &Config) -> Vec<Check> {
    let all = match interfaces::list() {
        Ok(all) => all,
        Err(error) => return vec![Check::missing("interfaces", "none", error.to_string())],
    };
    let chosen = match interfaces::choose(&all, &config.interfaces) {
        Ok(chosen) => chosen,
        Err(error) if config.interfaces.is_empty() => {
            return vec![Check::warning("interfaces", "none to watch", error.to_string())];
        }
        Err(error) => return vec![Check::missing("interfaces", "none to watch", error.to_string())],
    };
    let by_xdp = chosen.iter().filter(|_| config.hook == Hook::Xdp);
    let others = interfaces::remarks(&all)
        .map(|remark| Check::warning("interfaces", remark, "ip link set dev NAME name OTHER"));
    others.chain(by_xdp.map(xdp)).chain(chosen.iter().map(|interface| programs(&interface.name))).collect()
}

/// Whether the one place for XDP is free. What its driver can do shows only when a program is attached.
fn xdp(interface: &Interface) -> Check {
    let name = format!("xdp {}", interface.name);
    match kernel::attached_frames(interface.ifindex) {
        None => Check::ok(name, "no XDP program there"),
        Some(program) if kernel::is_own(&program) => {
            let remedy = "each interface takes one flowd: stop the other, or watch other interfaces with -i";
            Check::warning(name, format!("a flowd is there already: {program}"), remedy)
        }
        Some(program) => {
            let remedy = "an interface takes one XDP program: detach that one, or set hook = \"auto\"";
            Check::missing(name, format!("XDP program there: {program}"), remedy)
        }
    }
}

fn programs(interface: &str) -> Check {
    let name = format!("interface {interface}");
    let found = match kernel::attached(interface) {
        None => return Check::ok(name, "attaching by clsact: this kernel or user has no TCX to ask"),
        Some(found) if found.is_empty() => return Check::ok(name, "no other program of TCX there"),
        Some(found) => found,
    };
    let list = found.join(", ");
    if found.iter().any(|program| kernel::is_own(program)) {
        let remedy = "each interface takes one flowd: stop the other, or watch other interfaces with -i";
        return Check::warning(name, format!("a flowd is there already: {list}"), remedy);
    }
    let detail = format!("programs of TCX there: {list}; flowd comes first and lets them decide");
    Check::ok(name, detail)
}
