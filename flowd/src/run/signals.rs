//! What the daemon waits for while its parts work: signals, and parts that end without one.

use anyhow::{Context, Result, anyhow};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
};

use super::{crash::Crashes, reload::Reload, vigil::Vigil};
use crate::telemetry::Part;

/// Why the daemon comes to its end.
pub(super) enum End {
    /// It was asked to, by this signal.
    Signal(&'static str),
    /// The pump came to its end by itself, so.
    Pump(Result<()>),
    /// The web server did.
    Server,
    /// A thread was struck by a panic: this part's.
    Crash(String),
}

pub(super) struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

/// Parts that may end by themselves.
pub(super) struct Parts {
    pub(super) pump: oneshot::Receiver<Result<()>>,
    pub(super) server: JoinHandle<()>,
    pub(super) crashes: Crashes,
}

impl Signals {
    pub(super) fn new() -> Result<Self> {
        let open = |kind| signal(kind).context("cannot handle signals");
        Ok(Self {
            term: open(SignalKind::terminate())?,
            int: open(SignalKind::interrupt())?,
            hup: open(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal to end, or for a part of the daemon that ends without one.
    pub(super) async fn wait(&mut self, parts: &mut Parts, reload: &mut Reload, vigil: &mut Vigil) -> End {
        vigil.ready();
        loop {
            tokio::select! {
                _ = self.term.recv() => return End::Signal("SIGTERM"),
                _ = self.int.recv() => return End::Signal("SIGINT"),
                part = parts.crashes.next() => return End::Crash(part),
                result = &mut parts.pump => return End::Pump(pump_ended(result)),
                _ = &mut parts.server => return End::Server,
                _ = self.hup.recv() => {
                    vigil.reloading();
                    reload.begin();
                    if !reload.is_pending() {
                        vigil.ready();
                    }
                }
                () = reload.done() => {
                    tracing::info!("configuration read again");
                    vigil.ready();
                }
                () = vigil.due() => vigil.look(),
            }
        }
    }
}

/// Without a result it has panicked.
pub(super) fn pump_ended(result: Result<Result<()>, oneshot::error::RecvError>) -> Result<()> {
    result.unwrap_or_else(|_| Err(died(Part::Pump.name())))
}

/// What is said of a part that ended although nobody asked it to.
pub(super) fn died(part: &str) -> anyhow::Error {
    anyhow!("{part} died; see the lines above")
}
