//! What can go wrong between the daemon and the kernel, in one line each, with the remedy.

use std::io;

use aya::{EbpfError, maps::MapError, programs::ProgramError, sys::SyscallError};

/// Why the kernel side does not work.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    #[error(
        "not allowed to load BPF programs: run as root, or give flowd CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON ({detail})"
    )]
    Privilege { detail: String },
    #[error(
        "this kernel cannot run flowd's BPF programs: it needs Linux 5.10 or later with CONFIG_BPF_SYSCALL ({detail})"
    )]
    NoBpf { detail: String },
    #[error(
        "this kernel has no BTF at /sys/kernel/btf/vmlinux: use a kernel built with CONFIG_DEBUG_INFO_BTF=y ({detail})"
    )]
    NoBtf { detail: String },
    #[error(
        "the kernel's verifier refused program {program}: please report this with the kernel's version; {detail}"
    )]
    Verifier { program: String, detail: String },
    #[error(
        "no memory for {flows} flows ({detail}): lower `flows` in the configuration, or raise the memory limit"
    )]
    Memory { flows: u32, detail: String },
    #[error("too many files are open ({detail}): {MORE_FILES}")]
    Files { detail: String },
    #[error("the BPF object inside this binary is damaged: rebuild flowd ({detail})")]
    Object { detail: String },
    #[error("cannot attach to interface {interface}: {detail}")]
    Attach { interface: String, detail: String },
    #[error(
        "interface {interface} is watched by another flowd ({holder}): stop that one, or choose other interfaces with -i"
    )]
    InUse { interface: String, holder: String },
    #[error(
        "cannot claim interface {interface}: other users hold all names that say who watches it ({users}); end their processes (`ss -xlp` lists them under @flowd/interface/)"
    )]
    Claimed { interface: String, users: String },
    #[error(
        "interface {interface} has an XDP program already ({program}), and takes one only: detach that one with the tool that manages it (`ip link set dev {interface} xdp off` removes what no link holds), or set hook = \"auto\", which works beside it"
    )]
    XdpTaken { interface: String, program: String },
    #[error(
        "{detail}: its driver has no native XDP for flowd; set xdp_mode = \"auto\" or \"generic\", or hook = \"auto\""
    )]
    NoNativeXdp { detail: String },
    #[error("map {map}: {detail}")]
    Map { map: &'static str, detail: String },
    #[error("waiting for running BPF programs: {0}")]
    Grace(io::Error),
    #[error("replaying a packet through the kernel: {detail}")]
    Replay { detail: String },
}

/// What to do where no more files may be open.
const MORE_FILES: &str = "raise the limit (`ulimit -n`, LimitNOFILE= of the unit)";

impl KernelError {
    pub(crate) fn map(map: &'static str, error: &MapError) -> Self {
        Self::Map { map, detail: chain(error) }
    }

    pub(crate) fn load(error: &EbpfError, flows: u32) -> Self {
        let detail = chain(error);
        match errno(error) {
            Some(libc::EPERM | libc::EACCES) => Self::Privilege { detail },
            Some(libc::ENOSYS | libc::EINVAL) if !has_bpf() => Self::NoBpf { detail },
            Some(libc::ENOMEM | libc::E2BIG) => Self::Memory { flows, detail },
            Some(libc::EMFILE | libc::ENFILE) => Self::Files { detail },
            _ if !has_btf() => Self::NoBtf { detail },
            _ => Self::Object { detail },
        }
    }

    pub(crate) fn program(program: &str, error: &ProgramError) -> Self {
        let detail = chain(error);
        match errno(error) {
            Some(libc::EPERM) => {
                // The verifier was not asked, so that what aya adds of it is empty.
                let detail = detail.split(". Verifier output").next().unwrap_or_default().to_owned();
                Self::Privilege { detail }
            }
            // The verifier was asked, and its log says nothing of this.
            Some(error @ (libc::EMFILE | libc::ENFILE)) => {
                Self::Files { detail: format!("loading {program}: {}", io::Error::from_raw_os_error(error)) }
            }
            // Without CAP_PERFMON the verifier applies the stricter rules of unprivileged programs, and gives
            // whichever of them it meets first.
            _ if matches!(error, ProgramError::LoadError { .. }) && lacks_perfmon() => {
                Self::Privilege { detail: "the verifier asks for CAP_PERFMON".to_owned() }
            }
            _ if matches!(error, ProgramError::LoadError { .. }) => {
                Self::Verifier { program: program.to_owned(), detail: tail(&detail) }
            }
            _ => Self::Object { detail },
        }
    }

    pub(crate) fn attach(interface: &str, error: &ProgramError) -> Self {
        let detail = match errno(error) {
            Some(libc::EPERM) => "flowd needs CAP_NET_ADMIN".to_owned(),
            Some(libc::ENODEV) => "it has gone".to_owned(),
            Some(libc::EMFILE | libc::ENFILE) => format!("too many files are open: {MORE_FILES}"),
            _ => chain(error),
        };
        Self::Attach { interface: interface.to_owned(), detail }
    }

    pub(crate) fn leftovers(interface: &str, error: &io::Error) -> Self {
        let detail = match error.raw_os_error() {
            Some(libc::EPERM) => "flowd needs CAP_NET_ADMIN".to_owned(),
            Some(libc::ENODEV) => "it has gone".to_owned(),
            Some(libc::EMFILE | libc::ENFILE) => format!("too many files are open: {MORE_FILES}"),
            _ => format!("what an earlier flowd left there cannot be looked at or removed: {error}"),
        };
        Self::Attach { interface: interface.to_owned(), detail }
    }
}

/// Whether the kernel shows its types.
#[must_use]
pub fn has_btf() -> bool {
    std::path::Path::new("/sys/kernel/btf/vmlinux").exists()
}

/// Whether the kernel has bpf(2) at all.
#[must_use]
pub fn has_bpf() -> bool {
    std::path::Path::new("/proc/sys/kernel/unprivileged_bpf_disabled").exists()
}

/// Whether this process has neither CAP_PERFMON nor CAP_SYS_ADMIN, which stands for it (capabilities(7)).
fn lacks_perfmon() -> bool {
    const EITHER: u64 = 1 << 38 | 1 << 21;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & EITHER == 0)
}

/// The system's error number behind an error of aya's.
pub(crate) fn errno(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.raw_os_error();
        }
        if let Some(SyscallError { io_error, .. }) = error.downcast_ref::<SyscallError>() {
            return io_error.raw_os_error();
        }
        if let Some(ProgramError::LoadError { io_error, .. }) = error.downcast_ref::<ProgramError>() {
            return io_error.raw_os_error();
        }
        next = error.source();
    }
    None
}

/// An error with its causes, on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    // aya announces a log also where the verifier wrote none.
    lines.strip_suffix(". Verifier output:").unwrap_or(&lines).to_owned()
}

/// The end of the verifier's log, where its reason stands.
fn tail(text: &str) -> String {
    const KEEP: usize = 600;
    let from = text.len().saturating_sub(KEEP);
    let from = (from..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.get(from..).unwrap_or(text).to_owned()
}
