//! Waits for programs that are running.

use std::io;

use crate::KernelError;

/// Returns once every BPF program that was running has finished: they run inside an RCU read-side section,
/// and this membarrier is a `synchronize_rcu` (membarrier(2)).
pub(crate) fn grace() -> Result<(), KernelError> {
    const GLOBAL: libc::c_int = 1;
    // SAFETY: no pointers.
    let status = unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) };
    if status == 0 { Ok(()) } else { Err(KernelError::Grace(io::Error::last_os_error())) }
}
