//! What the kernel side needs of this machine, checked one by one, each with its remedy.

use super::{
    error::{has_bpf, has_btf},
    load::LoadOptions,
};
use crate::kernel::Kernel;

/// One requirement and whether it holds.
#[derive(Clone, Debug)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do where it does not hold.
    pub remedy: &'static str,
}

/// Checks the kernel, its features and this process's privileges; loads the programs for a moment, and
/// attaches nothing.
#[must_use]
pub fn check() -> Vec<Check> {
    let mut checks = vec![
        Check {
            name: "bpf",
            ok: has_bpf(),
            detail: kernel_release(),
            remedy: "use Linux 5.10 or later with CONFIG_BPF_SYSCALL=y",
        },
        Check {
            name: "btf",
            ok: has_btf(),
            detail: "/sys/kernel/btf/vmlinux".to_owned(),
            remedy: "use a kernel built with CONFIG_DEBUG_INFO_BTF=y",
        },
    ];
    let options = LoadOptions { flows: 1024, event_bytes: 4096, interfaces: 1, ..LoadOptions::default() };
    let (ok, detail) = match Kernel::load(&options) {
        Ok(_) => (true, "the programs load".to_owned()),
        Err(error) => (false, error.to_string()),
    };
    checks.push(Check {
        name: "load",
        ok,
        detail,
        remedy: "run as root, or give flowd CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON",
    });
    checks
}

fn kernel_release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(
        |error| format!("/proc/sys/kernel/osrelease: {error}"),
        |release| format!("Linux {}", release.trim()),
    )
}
