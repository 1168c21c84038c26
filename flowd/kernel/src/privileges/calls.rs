//! System calls: no new privileges, and a filter that refuses what the daemon has no use for. It names what
//! is refused and not what is allowed, as the C library and new kernels bring calls of their own.

use std::{collections::BTreeMap, io};

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

/// Other programs, other processes' memory, mounts, modules, the clock, and large parts of the kernel that the
/// daemon does not use.
const REFUSED: [libc::c_long; 38] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_mount_setattr,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_io_uring_setup,
    libc::SYS_userfaultfd,
    libc::SYS_memfd_create,
    libc::SYS_personality,
    libc::SYS_mknodat,
];

/// Neither a program with the set-user-id bit nor one with file capabilities gives this process more.
pub(super) fn no_new_privileges() -> Result<&'static str, String> {
    // SAFETY: no pointers; it changes this thread alone.
    let done = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if done == 0 { Ok("set") } else { Err(io::Error::last_os_error().to_string()) }
}

/// Refuses the calls with EPERM, for this thread and those that it will start.
pub(super) fn deny() -> Result<&'static str, String> {
    let program = program().map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())?;
    Ok("seccomp")
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let rules: BTreeMap<i64, _> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, TargetArch::try_from(std::env::consts::ARCH)?)?
        .try_into()
}

#[cfg(test)]
mod tests {
    use std::{process::Command, thread};

    use super::*;

    #[test]
    fn a_confined_thread_starts_no_program() {
        thread::spawn(|| {
            no_new_privileges().unwrap();
            deny().unwrap();
            let error = Command::new("true").status().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            std::fs::read("/proc/self/status").unwrap();
            thread::spawn(|| assert!(Command::new("true").status().is_err())).join().unwrap();
        })
        .join()
        .unwrap();
        assert!(Command::new("true").status().unwrap().success());
    }
}
