//! Starts the daemon's threads, so that each registers its role and keeps only the privileges which that takes.

use std::{
    io,
    thread::{Builder, JoinHandle},
};

use crate::privileges;
pub use crate::role::{Role, current, register};

/// Registers the role of this thread, and gives up the privileges that it does not take.
pub fn begin(role: Role) {
    register(role);
    privileges::give_up(role);
}

/// Starts a thread that [begins](begin) with `role` and then does `work`.
///
/// # Errors
/// The system refuses one more thread.
pub fn start<T: Send + 'static>(
    role: Role,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(role.name().to_owned()).spawn(move || {
        begin(role);
        work()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_registers_its_role() {
        assert_eq!(current(), None);
        for role in [Role::Pump, Role::Log("http_log")] {
            let told = start(role, || (current(), std::thread::current().name().map(str::to_owned)));
            assert_eq!(told.unwrap().join().unwrap(), (Some(role), Some(role.name().to_owned())));
        }
        assert_eq!(current(), None, "each for itself");
    }
}
