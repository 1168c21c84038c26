//! A panic in any thread ends the daemon: a part that is missing would go unnoticed.
//!
//! The released binary aborts on a panic, without unwinding: no queue would be written, and filters of clsact would
//! stay. So what is to be done is done in the panic hook, the same in every profile: the thread that panicked says so and
//! then sleeps for good, and the others end in order. Which part of the daemon it was follows from the role that the thread
//! registered at its start ([`threads`]); one without a role is told by its name.

use std::{
    process,
    sync::{Mutex, Once, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::error;

use crate::{
    interfaces, kernel,
    telemetry::Part,
    threads::{self, Role},
};

/// How often a thread that waits looks whether the daemon has ended.
const LOOK: Duration = Duration::from_millis(50);
/// After this time the thread that panicked ends the process itself: the main thread may be waiting for it.
const LIMIT: Duration = Duration::from_millis(1_900);

static LISTENER: Mutex<Option<UnboundedSender<String>>> = Mutex::new(None);

/// Hears of threads that panic, while it lives.
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

    /// The next part that panics, as in messages; never, where none does.
    pub(super) async fn next(&mut self) -> String {
        match self.0.recv().await {
            Some(part) => part,
            None => std::future::pending().await,
        }
    }

    /// A part that has panicked and that [`Crashes::next`] has not told of.
    pub(super) fn heard(&mut self) -> Option<String> {
        self.0.try_recv().ok()
    }
}

impl Drop for Crashes {
    fn drop(&mut self) {
        *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// In the thread that panicked. Where panics unwind and nobody listens it returns, so that the panic takes its course.
fn struck() {
    let thread = thread::current();
    let role = threads::current();
    if role == Some(Role::Main) {
        // Nobody else could end the process.
        end();
    }
    if cfg!(test) && role.is_none() && thread.name().is_some_and(|name| name.contains("::")) {
        // The harness names its threads by the path of their test.
        return;
    }
    if let Some(listener) = &*LISTENER.lock().unwrap_or_else(PoisonError::into_inner) {
        // It lives as long as this.
        let _ = listener.send(part(role, thread.name()));
    }
    // Where panics abort, to return would be SIGABRT. Where they unwind, as in tests, this holds a lock without which no
    // hook can be changed, so until the daemon has ended.
    let since = Instant::now();
    while cfg!(panic = "abort") || is_heard() {
        thread::park_timeout(LOOK);
        if cfg!(panic = "abort") && since.elapsed() > LIMIT {
            end();
        }
    }
}

fn is_heard() -> bool {
    LISTENER.lock().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// What messages call the part of the daemon that a thread belongs to.
fn part(role: Option<Role>, name: Option<&str>) -> String {
    match (role, name) {
        (Some(Role::Pump), _) => Part::Pump.name().to_owned(),
        (Some(Role::Web), _) => Part::Web.name().to_owned(),
        (Some(Role::Log(log)), _) => format!("the writer of {log}"),
        (Some(Role::Load), _) => "a thread that loads the BPF programs".to_owned(),
        (Some(Role::Main) | None, Some(name)) => format!("the thread {name}"),
        (Some(Role::Main) | None, None) => "a thread without a name".to_owned(),
    }
}

/// Ends the process as far in order as one thread can do it alone.
fn end() -> ! {
    abandon();
    process::exit(1)
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
