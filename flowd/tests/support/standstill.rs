//! Threads of a program that stand still, as if they hung: stopped by ptrace(2), each for itself.

use std::{fs, io, ptr};

/// Until this is dropped, by the thread that made it.
pub struct Standstill(Vec<libc::pid_t>);

impl Standstill {
    /// Stops every thread of this name.
    pub fn of(process: u32, name: &str) -> Self {
        let mut stopped = Self(Vec::new());
        for task in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
            let task = task.unwrap().path();
            if fs::read_to_string(task.join("comm")).unwrap().trim() == name {
                let thread = task.file_name().unwrap().to_str().unwrap().parse().unwrap();
                trace(libc::PTRACE_SEIZE, thread);
                stopped.0.push(thread);
                trace(libc::PTRACE_INTERRUPT, thread);
                // SAFETY: a null pointer asks for no status.
                let seen = unsafe { libc::waitpid(thread, ptr::null_mut(), libc::__WALL) };
                assert_eq!(seen, thread, "{}", io::Error::last_os_error());
            }
        }
        assert!(!stopped.0.is_empty(), "no thread is named {name}");
        stopped
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        for thread in &self.0 {
            trace(libc::PTRACE_DETACH, *thread);
        }
    }
}

fn trace(request: libc::c_uint, thread: libc::pid_t) {
    // SAFETY: these requests take no address and no data.
    let done = unsafe { libc::ptrace(request, thread, 0, 0) };
    assert_eq!(done, 0, "ptrace: {}", io::Error::last_os_error());
}
