//! System calls: no new privileges, and a filter that refuses what the daemon has no use for. It names what
//! is refused and not what is allowed, as the C library and new kernels bring calls of their own.

use std::{collections::BTreeMap, io};

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Other programs, other processes and their memory, namespaces, mounts, modules, the clock, and large parts of the
/// kernel that the daemon does not use.
#[rustfmt::skip]
const REFUSED: [libc::c_long; 77] = [
    // Programs and processes.
    libc::SYS_execve, libc::SYS_execveat, libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev,
    libc::SYS_process_madvise, libc::SYS_kcmp, libc::SYS_pidfd_open, libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal, libc::SYS_personality,
    // Namespaces.
    libc::SYS_unshare, libc::SYS_setns,
    // Mounts and files by other ways than their names.
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot, libc::SYS_move_mount,
    libc::SYS_open_tree, libc::SYS_fsopen, libc::SYS_fsconfig, libc::SYS_fspick, libc::SYS_fsmount,
    libc::SYS_mount_setattr, libc::SYS_name_to_handle_at, libc::SYS_open_by_handle_at, libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark, libc::SYS_mknodat, libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_quotactl,
    libc::SYS_quotactl_fd, libc::SYS_acct,
    // The kernel itself, what it logs and measures.
    libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_kexec_load, libc::SYS_reboot,
    libc::SYS_perf_event_open, libc::SYS_lookup_dcookie, libc::SYS_syslog, libc::SYS_vhangup,
    // The clock and the host's names.
    libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_clock_adjtime, libc::SYS_adjtimex,
    libc::SYS_sethostname, libc::SYS_setdomainname,
    // Keys.
    libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl,
    // Where faults of the kernel are found most.
    libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_userfaultfd,
    libc::SYS_memfd_create, libc::SYS_memfd_secret, libc::SYS_remap_file_pages, libc::SYS_move_pages,
    libc::SYS_migrate_pages, libc::SYS_vmsplice, libc::SYS_io_setup, libc::SYS_io_submit,
    // Shared memory, semaphores and messages of System V and POSIX.
    libc::SYS_shmget, libc::SYS_shmat, libc::SYS_shmctl, libc::SYS_semget, libc::SYS_semop, libc::SYS_semctl,
    libc::SYS_msgget, libc::SYS_msgsnd, libc::SYS_msgrcv, libc::SYS_mq_open, libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive, libc::SYS_mq_notify,
];

/// The same, of x86-64 alone.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[libc::c_long] = &[
    libc::SYS_kexec_file_load,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_mknod,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[libc::c_long] = &[];

/// Flags of clone(2) that make namespaces, CLONE_NEWTIME aside, whose bit stands for a signal there.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Neither a program with the set-user-id bit nor one with file capabilities gives this process more.
pub(super) fn no_new_privileges() -> Result<&'static str, String> {
    // SAFETY: no pointers; it changes this thread alone.
    let done = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if done == 0 { Ok("set") } else { Err(io::Error::last_os_error().to_string()) }
}

/// Refuses the calls with EPERM, for this thread and those that it will start.
pub(super) fn deny() -> Result<&'static str, String> {
    for program in [refused(), unseen()] {
        let program = program.map_err(|error| error.to_string())?;
        seccompiler::apply_filter(&program).map_err(|error| error.to_string())?;
    }
    Ok("seccomp")
}

fn refused() -> Result<BpfProgram, BackendError> {
    let calls = REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, Vec::new()));
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = calls.collect();
    let namespaces = NAMESPACES.iter().map(|flag| {
        let flag = u64::from(flag.unsigned_abs());
        let is_set = SeccompCmpOp::MaskedEq(flag);
        SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Qword, is_set, flag)?])
    });
    rules.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    filter(rules, libc::EPERM)
}

/// The flags of clone3(2) lie in memory, where a filter cannot look. To the C library the kernel has no such call, so
/// that it starts threads by clone(2).
fn unseen() -> Result<BpfProgram, BackendError> {
    filter(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

fn filter(rules: BTreeMap<i64, Vec<SeccompRule>>, error: libc::c_int) -> Result<BpfProgram, BackendError> {
    let refuse = SeccompAction::Errno(error.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, TargetArch::try_from(std::env::consts::ARCH)?)?
        .try_into()
}

#[cfg(test)]
mod tests {
    use std::{process::Command, thread};

    use super::*;

    /// The error number of a call without arguments but the first.
    fn call(number: libc::c_long, first: libc::c_long) -> Option<i32> {
        // SAFETY: with no argument beside the first, none of these calls reads or writes memory of ours; what it would
        // change is this thread's own, and it is refused.
        let done = unsafe { libc::syscall(number, first, 0, 0, 0, 0) };
        (done < 0).then(|| io::Error::last_os_error().raw_os_error()).flatten()
    }

    #[test]
    fn a_confined_thread_leaves_no_namespace_and_measures_nothing() {
        thread::spawn(|| {
            no_new_privileges().unwrap();
            deny().unwrap();
            for (number, first) in [
                (libc::SYS_unshare, libc::CLONE_NEWUTS),
                (libc::SYS_setns, -1),
                (libc::SYS_perf_event_open, 0),
                (libc::SYS_io_uring_setup, 1),
                (libc::SYS_open_by_handle_at, -1),
                (libc::SYS_clone, libc::CLONE_NEWUTS | libc::CLONE_THREAD),
            ] {
                assert_eq!(call(number, first.into()), Some(libc::EPERM), "{number}");
            }
            assert_eq!(call(libc::SYS_clone3, 0), Some(libc::ENOSYS));
            // Threads are started all the same.
            thread::spawn(|| ()).join().unwrap();
        })
        .join()
        .unwrap();
        assert_eq!(call(libc::SYS_unshare, 0), None, "another thread is not confined");
    }

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
