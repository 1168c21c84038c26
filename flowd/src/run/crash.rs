//! A panic in any thread ends the daemon: a part that is missing would go unnoticed.
//!
//! The released binary aborts on a panic, without unwinding: no queue would be written, and filters of clsact would
//! stay. So what is to be done is done in the panic hook, the same in every profile: the thread that is struck
//! tells and then stands still, and the others end in order.

use std::{
    process,
    sync::{Mutex, Once, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::error;

use crate::{interfaces, kernel, telemetry::Part};

/// Threads of these names are the daemon's, beside those of logs.
pub(super) const PUMP: &str = "pump";
pub(super) const WEB: &str = "web";
const MAIN: &str = "main";
const LOGS: &str = "_log";

/// How often a thread that stands still looks whether the daemon has ended.
const LOOK: Duration = Duration::from_millis(50);

static LISTENER: Mutex<Option<UnboundedSender<String>>> = Mutex::new(None);

/// Hears of threads that are struck, while it lives.
pub(super) struct Crashes(UnboundedReceiver<String>);

impl Crashes {
    /// From now on.
    pub(super) fn listen() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                before(panic);
                struck();
            }));
        });
        let (sender, receiver) = unbounded_channel();
        *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        Self(receiver)
    }

    /// The next part that is struck, as in messages; never, where none is.
    pub(super) async fn next(&mut self) -> String {
        match self.0.recv().await {
            Some(part) => part,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Crashes {
    fn drop(&mut self) {
        *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// In the thread that panicked. Returns, so that the panic takes its course, where nobody listens.
fn struck() {
    let thread = thread::current();
    let Some(name) = thread.name() else { return };
    let Some(listener) = LISTENER.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
    if name == MAIN {
        // Nobody else could end the process.
        abandon();
        process::exit(1);
    }
    if let Some(part) = part(name)
        && listener.send(part).is_ok()
    {
        // Where panics abort, for good: to return would be SIGABRT. Where they unwind, as in tests, this holds a lock
        // without which no hook can be changed, so until the daemon has ended.
        while cfg!(panic = "abort") || is_heard() {
            thread::park_timeout(LOOK);
        }
    }
}

fn is_heard() -> bool {
    LISTENER.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

fn part(thread: &str) -> Option<String> {
    match thread {
        PUMP => Some(Part::Pump.name().to_owned()),
        WEB => Some(Part::Web.name().to_owned()),
        log if log.ends_with(LOGS) => Some(format!("the writer of {log}")),
        _ => None,
    }
}

/// Takes filters of this process off every interface, without the thread that attached them.
pub(super) fn abandon() {
    let interfaces = interfaces::list().unwrap_or_default();
    for interface in interfaces {
        if let Err(problem) = kernel::abandon(&interface.name, interface.ifindex) {
            error!("{problem}");
        }
    }
}
