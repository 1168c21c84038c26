//! What the daemon gives up, so that a fault in it costs little: capabilities, files, system calls. Each is
//! tried and not guessed from the kernel's version, and what is in force is said in the log.
//!
//! Linux keeps all of this per thread, and threads inherit it. So [`confine`] comes before the first thread;
//! later each kind of thread gives up what is left over for others ([`give_up`]).

mod calls;
mod capabilities;
mod files;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

pub use capabilities::{Role, missing};
use files::Reach;
pub use files::{may_read, may_write};
use tracing::{info, warn};

use crate::config::Config;

/// [`confine`] was asked to.
static CONFINED: AtomicBool = AtomicBool::new(false);

/// Gives up for good what a daemon of this configuration, read from `file`, never needs. To be called before
/// any thread is started, and before the programs are loaded.
pub fn confine(config: &Config, file: Option<&Path>) {
    if !config.security.sandbox {
        warn!("sandbox: off (security.sandbox = false)");
        return;
    }
    CONFINED.store(true, Ordering::Release);
    let reach = Reach::of(config, file);
    let held = capabilities::keep(config.listen.port(), &reach);
    let parts = [
        ("no new privileges", calls::no_new_privileges()),
        ("files", reach.restrict()),
        ("system calls", calls::deny()),
    ];
    let in_force: Vec<String> =
        parts.iter().filter_map(|(name, done)| Some(format!("{name} ({})", done.as_ref().ok()?))).collect();
    for (name, done) in &parts {
        if let Err(reason) = done {
            warn!("sandbox: {name} not restricted: {reason}");
        }
    }
    match held {
        Ok(held) => info!("sandbox: {}; capabilities {held}", in_force.join(", ")),
        Err(error) => warn!("sandbox: {}; capabilities not dropped: {error}", in_force.join(", ")),
    }
}

/// Gives up what a thread with this role does not need; nothing where [`confine`] has not.
pub fn give_up(role: Role) {
    if CONFINED.load(Ordering::Acquire)
        && let Err(error) = capabilities::only(role.needs())
    {
        warn!("sandbox: capabilities of a thread not dropped: {error}");
    }
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
