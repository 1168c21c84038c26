//! One test at a time of those that measure times, or that leave the others no processor.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Until it is dropped, no other test of this process has the machine.
pub fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}
