//! What the daemon gives up, so that a fault in it costs little: capabilities, files, system calls. Each is
//! tried and not guessed from the kernel's version, and what is in force is said in the log.
//!
//! Linux keeps all of this per thread, and threads inherit it. So [`confine`] comes before the first thread;
//! later each kind of thread gives up what is left over for others ([`give_up`]).

mod calls;
mod capabilities;
mod files;
mod needs;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

pub use capabilities::missing;
pub use files::{Reach, may_read, may_write};
pub use needs::Needs;
use tracing::{info, warn};

use crate::role::Role;

/// [`confine`] was asked to.
static CONFINED: AtomicBool = AtomicBool::new(false);

/// What [`confine`] could do; to be told once the daemon runs, so that a failed start says only why.
#[must_use]
#[derive(Debug)]
pub struct Sandbox {
    in_force: Vec<String>,
    /// What could not be done, and why.
    lacking: Vec<String>,
}

/// Gives up for good all but `needs`; nothing without them. Call it before any thread is started, and before the
/// programs are loaded.
pub fn confine(needs: Option<&Needs>) -> Sandbox {
    let mut sandbox = Sandbox { in_force: Vec::new(), lacking: Vec::new() };
    let Some(needs) = needs else { return sandbox };
    CONFINED.store(true, Ordering::Release);
    let reach = &needs.reach;
    let capabilities = capabilities::keep(needs).map_err(|error| error.to_string());
    for (name, done) in [
        ("capabilities", capabilities),
        ("no new privileges", calls::no_new_privileges().map(str::to_owned)),
        ("files and TCP", reach.restrict().map(str::to_owned)),
        ("system calls", calls::deny().map(str::to_owned)),
    ] {
        match done {
            Ok(how) => sandbox.in_force.push(format!("{name} ({how})")),
            Err(reason) => sandbox.lacking.push(format!("{name} ({reason})")),
        }
    }
    sandbox
}

impl Sandbox {
    /// Called by the thread that loaded the programs, once they are: gives up what only that took, and says
    /// what is in force.
    pub fn settle(&self) {
        give_up(Role::Main);
        if self.in_force.is_empty() && self.lacking.is_empty() {
            warn!("sandbox: off (security.sandbox = false)");
            return;
        }
        info!("sandbox: {}", self.in_force.join(", "));
        if !self.lacking.is_empty() {
            warn!("sandbox: not in force: {}", self.lacking.join(", "));
        }
    }
}

/// Gives up what a thread with this role does not need; nothing where [`confine`] has not.
pub fn give_up(role: Role) {
    if is_confined()
        && let Err(error) = capabilities::only(capabilities::needs(role))
    {
        warn!("sandbox: capabilities of a thread not dropped: {error}");
    }
}

/// Whether [`confine`] was asked to.
#[must_use]
pub fn is_confined() -> bool {
    CONFINED.load(Ordering::Acquire)
}

/// What this kernel cannot enforce of [`confine`].
#[must_use]
pub fn lacking() -> Vec<&'static str> {
    let has = [
        (files::has_landlock(), "Landlock"),
        (Path::new("/proc/sys/kernel/seccomp/actions_avail").exists(), "seccomp filters"),
    ];
    has.iter().filter(|(has, _)| !has).map(|(_, name)| *name).collect()
}
