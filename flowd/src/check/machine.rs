//! The kernel and what this process may use of it.

use std::fs;

use super::requirement::Check;
use crate::{
    config::Config,
    kernel,
    memory::{self, Memory, Shortage},
    privileges,
};

pub(super) fn kernel() -> Vec<Check> {
    let release = match fs::read_to_string("/proc/sys/kernel/osrelease") {
        Ok(release) => format!("Linux {}", release.trim()),
        Err(error) => format!("/proc/sys/kernel/osrelease: {error}"),
    };
    let bpf = if kernel::has_bpf() {
        Check::ok("bpf", release)
    } else {
        Check::missing("bpf", release, "use Linux 5.10 or later with CONFIG_BPF_SYSCALL=y")
    };
    let types = "/sys/kernel/btf/vmlinux";
    let btf = if kernel::has_btf() {
        Check::ok("btf", types)
    } else {
        Check::missing("btf", format!("no {types}"), "use a kernel built with CONFIG_DEBUG_INFO_BTF=y")
    };
    let mut checks = vec![bpf, btf];
    // Absent where the kernel has no lockdown, or securityfs is not mounted.
    if let Ok(mode) = fs::read_to_string("/sys/kernel/security/lockdown") {
        checks.push(if mode.contains("[confidentiality]") {
            let remedy = "boot with lockdown=integrity: in this mode no BPF program may read kernel memory";
            Check::missing("lockdown", mode.trim(), remedy)
        } else {
            Check::ok("lockdown", mode.trim())
        });
    }
    checks
}

/// What flowd may take, against the limits of this process and its cgroups.
pub(super) fn memory(config: &Config) -> Vec<Check> {
    let Memory { tables: needed, .. } = Memory::most(config);
    let tables = format!("the tables take {} MiB", needed >> 20);
    let cgroup = match memory::shortage(config) {
        Ok(detail) => Check::ok("cgroup memory", detail),
        Err(Shortage { detail, remedy }) => Check::missing("cgroup memory", detail, remedy),
    };
    let locked = match locked_limit() {
        None => Check::ok("locked memory", "no limit"),
        // Since 5.11 maps count for the cgroup instead, and cgroup v2 shows that here.
        Some(limit) if limit < needed && !kernel::maps_are_charged_to_cgroups() => {
            let remedy = "set LimitMEMLOCK=infinity in the unit, or `ulimit -l unlimited`: before Linux 5.11 maps count";
            Check::missing("locked memory", format!("{tables}, {} KiB are allowed", limit >> 10), remedy)
        }
        Some(limit) => Check::ok("locked memory", format!("{} KiB; maps do not count", limit >> 10)),
    };
    vec![cgroup, locked]
}

/// RLIMIT_MEMLOCK in bytes, where there is one.
fn locked_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"))?;
    line.split_whitespace().next()?.parse().ok()
}

pub(super) fn sandbox(config: &Config) -> Check {
    if !config.security.sandbox {
        let remedy = "set security.sandbox = true, unless it is in the way";
        return Check::warning("sandbox", "switched off", remedy);
    }
    let lacking = privileges::lacking();
    if lacking.is_empty() {
        return Check::ok("sandbox", "this kernel enforces files (Landlock) and system calls (seccomp)");
    }
    let remedy = "use a kernel with CONFIG_SECCOMP_FILTER=y and CONFIG_SECURITY_LANDLOCK=y, with landlock in its lsm= list";
    Check::warning("sandbox", format!("this kernel has no {}", lacking.join(" and no ")), remedy)
}
