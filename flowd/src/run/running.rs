//! The parts that work once all is open and attached, and their ordered end.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::sync::oneshot;
use tracing::{info, warn};

use super::{
    crash::{self, Crashes},
    follow,
    govern::Governed,
    prepare::Prepared,
    pump::{self, Outputs, Pump},
    reload::{Again, Reload},
    signals::{End, Parts, Signals, died, pump_ended},
    vigil::Vigil,
    watch::Watching,
};
use crate::{
    aggregate::{Ledger, LedgerOptions, Policy, Watched},
    check,
    clock::WallClock,
    config::Config,
    enrich::enrichers,
    export::feed::Feed,
    numbers::Board,
    pipeline::Record,
    service::Service,
    telemetry::{Part, Telemetry},
    threads::{self, Role},
    web::{self, Limits, State},
};

/// How long clients have to take their answers at the end. Together with the time after which a log is given up
/// it makes the two seconds within which the daemon ends, whatever others do.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the pump has for the same once another thread was struck, which may have held what it waits for.
const LAST: Duration = Duration::from_millis(1_200);

/// The daemon at work: the pump's thread, the web server, and who looks after both.
pub(super) struct Running {
    parts: Parts,
    signals: Signals,
    reload: Reload,
    vigil: Vigil,
    telemetry: Arc<Telemetry>,
    feed: Arc<Feed<Record>>,
    close: oneshot::Sender<()>,
}

impl Running {
    /// Starts the threads. `files` may be open in this process.
    ///
    /// # Errors
    /// A thread cannot be started, or there are too few files for clients.
    pub(super) fn start(
        config: &Config,
        (prepared, watching): (Prepared, Watching),
        again: Again,
        service: Service,
        files: usize,
    ) -> Result<Self> {
        let Prepared { signals, crashes, counters, opener, sinks, feed, guard, listener, .. } = prepared;
        let telemetry = Arc::new(Telemetry::new(counters));
        config.zones.notes().iter().for_each(|note| info!("{note}"));
        let Watching { source, watched, follow, capacity, clock } = watching;
        let ledger = ledger(config, watched, clock);
        let live = Arc::clone(ledger.live());
        let board = Arc::new(Board::new(ledger.numbers().published(), Vec::new(), Arc::clone(&telemetry)));
        let state = State {
            board: Arc::clone(&board),
            live: Arc::clone(&live),
            telemetry: Arc::clone(&telemetry),
            lines: Arc::clone(&feed),
        };
        let outputs = Outputs {
            board: Arc::clone(&board),
            telemetry: Arc::clone(&telemetry),
            feed: Arc::clone(&feed),
            sinks,
        };
        let pump = Pump::new(source, ledger, outputs, clock, follow, config)
            .with_capacity(capacity)
            .governed(Governed::new(config.governor.cpu));
        pump.announce();

        // With all maps and links open.
        let limits = Limits::of_process(files)?;
        let (changes, new_changes) = mpsc::channel();
        let (done, pump_done) = oneshot::channel();
        threads::start(Role::Pump, move || done.send(pump.run(&new_changes)))
            .context("cannot start the thread that reads the flow table")?;
        telemetry.set_ready(true);
        let scheme = if config.web.tls() { "https" } else { "http" };
        guard.warn(config.listen);
        check::remarks(config).for_each(|remark| warn!("{remark}"));
        info!("metrics at {scheme}://{}/metrics", config.listen);

        let (close, closed) = oneshot::channel::<()>();
        let server = tokio::spawn(web::serve(listener, state, guard.clone(), limits, async {
            // Closed from either end, it is time.
            let _ = closed.await;
        }));
        let parts = Parts { pump: pump_done, server, crashes };
        let reload = Reload::new(config, again, opener, guard, Arc::clone(&feed), changes);
        let vigil = Vigil::new(service, Arc::clone(&telemetry), board, live);
        Ok(Self { parts, signals, reload, vigil, telemetry, feed, close })
    }

    /// Waits for a signal to end, or for a part that ends without one.
    pub(super) async fn wait(&mut self) -> End {
        self.signals.wait(&mut self.parts, &mut self.reload, &mut self.vigil).await
    }

    /// Reads for the last time, writes what is queued, and answers what is under way.
    ///
    /// # Errors
    /// What ended the daemon, unless it was a signal.
    pub(super) async fn stop(self, end: End) -> Result<()> {
        let Self { parts, reload, vigil, telemetry, feed, close, .. } = self;
        telemetry.set_ready(false);
        // Without a sender of changes the pump comes to its end.
        drop(reload);
        let Parts { pump, server, mut crashes } = parts;
        let served = !matches!(end, End::Server);
        let result = match end {
            End::Pump(result) => {
                vigil.stopping("the flow table cannot be read");
                result
            }
            End::Signal(name) => {
                vigil.stopping(name);
                pump_or_crash(pump, &mut crashes).await
            }
            End::Server => {
                vigil.stopping("the web server ended");
                pump_or_crash(pump, &mut crashes).await.and(Err(died(Part::Web.name())))
            }
            End::Crash(part) => {
                vigil.stopping(&format!("{part} died"));
                struck(&part, pump).await
            }
        };
        // All lines are out: streams end, so that they do not hold up the end.
        feed.close();
        drop(close);
        // Scrapes under way get their answer; connections kept open do not hold up the end.
        if served && tokio::time::timeout(PATIENCE, server).await.is_err() {
            warn!("a client keeps its connection open; ending without it");
        }
        // One that was struck while nobody waited.
        result.and(crashes.heard().map_or(Ok(()), |part| Err(died(&part))))
    }
}

/// The ledger of the interfaces that are watched, from the kernel's counters as they are now.
fn ledger(config: &Config, watched: Vec<Watched>, clock: WallClock) -> Ledger {
    let policy = Arc::new(Policy::new(config));
    let options =
        LedgerOptions { conversations: config.flows as usize, active_timeout: pump::active_timeout(config) };
    let baseline = |watched: Watched| {
        let before = follow::statistics(&watched.name, watched.ifindex);
        (watched, before)
    };
    let watched = watched.into_iter().map(baseline).collect();
    let named = enrichers(&policy);
    Ledger::new(options, policy, watched, clock).enriched(named)
}

/// The end of the pump, unless a thread is struck meanwhile.
async fn pump_or_crash(mut pump: oneshot::Receiver<Result<()>>, crashes: &mut Crashes) -> Result<()> {
    tokio::select! {
        result = &mut pump => pump_ended(result),
        part = crashes.next() => struck(&part, pump).await,
    }
}

/// Ends in order as far as that is possible without `part`.
async fn struck(part: &str, pump: oneshot::Receiver<Result<()>>) -> Result<()> {
    if part == Part::Pump.name() {
        // What is queued finds its way without it.
        tokio::time::sleep(PATIENCE).await;
    } else if let Ok(ended) = tokio::time::timeout(LAST, pump).await
        && let Err(error) = pump_ended(ended)
    {
        warn!("{error:#}");
    }
    crash::abandon();
    Err(died(part))
}
