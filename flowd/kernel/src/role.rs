//! What each thread of the daemon is for. A thread registers its role itself when it starts; which privileges it keeps and
//! what the daemon says of it should it panic follow from that.

use std::cell::Cell;

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Starts the others, waits for signals, and ends the process.
    Main,
    /// Loads a program; the main thread waits for it.
    Load,
    /// Reads from the kernel.
    Pump,
    /// Answers requests, or does work that one of them waits for.
    Web,
    /// Writes or closes the log of this name.
    Log(&'static str),
}

impl Role {
    /// The thread's name, of which Linux keeps 15 bytes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Load => "load",
            Self::Pump => "pump",
            Self::Web => "web",
            Self::Log(name) => name,
        }
    }
}

thread_local! {
    static ROLE: Cell<Option<Role>> = const { Cell::new(None) };
}

/// Says what this thread is for.
pub fn register(role: Role) {
    ROLE.set(Some(role));
}

/// What this thread is for; `None` where it has not said so.
#[must_use]
pub fn current() -> Option<Role> {
    // Thread-local data may be gone already where a panic comes from its destructors.
    ROLE.try_with(Cell::get).ok().flatten()
}
