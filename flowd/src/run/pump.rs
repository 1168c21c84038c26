//! The one thread that reads from the kernel: events every moment, the flow table every interval.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tracing::{debug, warn};

use super::{
    follow::{self, Follow, Missing, Parts},
    govern::Governed,
    logs::Logs,
    lookups::{Lookups, Surroundings},
    reload::Change,
    source::Source,
};
use crate::{
    aggregate::{Capacity, CapacityOptions, HttpNumbers, HttpSeen, KernelReading, Ledger},
    clock::{self, WallClock},
    config::{Budget, Config},
    export::{enrich::enrich, feed::Feed, log::LogSink, path::Paths, prometheus::Board},
    flow::Snapshot,
    kernel::DrainReport,
    protocol::http::{HttpExchange, HttpTracker, Privacy, Progress},
    telemetry::{Part, Telemetry},
};

/// Time between two looks while lines of the flow log wait for places in its queue. Events are read as well
/// at each of them.
const SETTLE: Duration = Duration::from_millis(5);

/// Longest time that one line of the flow log covers, ns; `None` where there is no flow log.
pub(super) fn active_timeout(config: &Config) -> Option<u64> {
    (!config.flow_log.paths().is_empty()).then(|| config.timeouts.active.nanos())
}

pub(super) fn capacity_options(config: &Config) -> CapacityOptions {
    let Config { capacity, interval, .. } = config;
    let (hold, burst_share) = (capacity.hold(*interval), capacity.burst_share.0);
    CapacityOptions { hold, burst_share, replay: false }
}

pub(super) struct Pump {
    source: Box<dyn Source>,
    ledger: Ledger,
    http: HttpNumbers,
    tracker: HttpTracker,
    lookups: Lookups,
    board: Arc<Board>,
    telemetry: Arc<Telemetry>,
    feed: Arc<Feed<HttpExchange>>,
    logs: Logs,
    clock: WallClock,
    paths: Paths,
    /// Peaks, where they are asked for.
    capacity: Option<Capacity>,
    /// What HTTP lines show.
    privacy: Privacy,
    interval: Duration,
    event_interval: Duration,
    /// Exchanges of one look at the event buffer, so bounded by its size; kept for its allocation.
    exchanges: Vec<HttpExchange>,
    follow: Follow,
    governed: Governed,
}

impl Pump {
    #[allow(clippy::too_many_arguments, reason = "called once, with all that a daemon is made of")]
    pub(super) fn new(
        source: Box<dyn Source>,
        ledger: Ledger,
        http: HttpNumbers,
        tracker: HttpTracker,
        lookups: Lookups,
        board: Arc<Board>,
        telemetry: Arc<Telemetry>,
        feed: Arc<Feed<HttpExchange>>,
        logs: Logs,
        clock: WallClock,
        capacity: Option<Capacity>,
        follow: Follow,
        config: &Config,
    ) -> Self {
        let (paths, exchanges) = (Paths::default(), Vec::new());
        Self {
            source,
            ledger,
            http,
            tracker,
            lookups,
            board,
            telemetry,
            feed,
            logs,
            clock,
            paths,
            capacity,
            privacy: config.http_options().privacy,
            interval: config.interval.0,
            event_interval: config.event_interval.0,
            exchanges,
            follow,
            governed: Governed::new(Budget::OFF),
        }
    }

    /// Keeps within a budget; without it there is none.
    pub(super) fn governed(self, governed: Governed) -> Self {
        Self { governed, ..self }
    }

    /// Works until `changes`, from where changed configurations come, is closed; then reads all that is left
    /// and closes the logs.
    pub(super) fn run(mut self, changes: &Receiver<Change>) -> Result<()> {
        let mut next = Instant::now() + self.interval;
        let mut took = Duration::ZERO;
        let result = loop {
            let waits = self.logs.flow.as_mut().is_some_and(LogSink::settle);
            let look = if waits { SETTLE.min(self.pace()) } else { self.pace() };
            // Looks begin on a beat: one that took long is followed by the next at once.
            let wait = next.saturating_duration_since(Instant::now()).min(look.saturating_sub(took));
            match changes.recv_timeout(wait) {
                Ok(change) => {
                    self.reconfigure(change);
                    next = next.min(Instant::now() + self.governed.interval(self.interval));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Ok(()),
            }
            let begun = Instant::now();
            if let Err(error) = self.turn(&mut next) {
                break Err(error);
            }
            took = begun.elapsed();
        };
        // Whatever went wrong, what was counted is written.
        let finished = self.finish();
        result.and(finished)
    }

    /// Longest time between two looks at the events.
    fn pace(&self) -> Duration {
        let mut look = self.event_interval.min(Part::BEAT);
        if self.capacity.is_some() {
            look = look.min(Duration::from_millis(Capacity::LONGEST_LOOK));
        }
        look
    }

    fn turn(&mut self, next: &mut Instant) -> Result<()> {
        self.events()?;
        let now = Instant::now();
        let is_due = now >= *next;
        // At each reading as well, whatever the news.
        if self.follow.has_news() || is_due {
            self.look(is_due)?;
        }
        if !is_due {
            return Ok(());
        }
        self.drain()?;
        let interval = self.governed.interval(self.interval);
        if let Some(capacity) = &mut self.capacity {
            // Every peak is in two intervals at least.
            let more = interval.saturating_sub(self.interval).as_millis() * 2;
            capacity.hold_longer(u64::try_from(more).unwrap_or(u64::MAX));
        }
        // On the beat, but a beat that was slept through is not made up for.
        *next += interval;
        if *next < now {
            *next = now + interval;
        }
        Ok(())
    }

    /// Takes over what can change while the daemon runs.
    fn reconfigure(&mut self, change: Change) {
        let Change { config, logs, regroup, .. } = change;
        self.logs.take_over(logs);
        self.ledger.set_active_timeout(active_timeout(&config));
        if regroup {
            self.ledger.reconfigure(&config);
            self.http.reconfigure(Arc::clone(self.ledger.policy()));
        }
        let privacy = config.http_options().privacy;
        if privacy != self.privacy {
            self.tracker.set_privacy(privacy.clone());
            // What is kept for the API may show what is no longer to be shown.
            self.feed.forget();
            self.privacy = privacy;
        }
        // Speeds come with the next look at the interfaces.
        self.follow.reconfigure(&config);
        if let Some(capacity) = &mut self.capacity {
            let interfaces = &self.ledger.numbers().interfaces;
            let speed = |slot| {
                let found = interfaces.iter().find(|interface| interface.watched.slot == slot);
                found.and_then(|interface| interface.watched.speed)
            };
            capacity.reconfigure(capacity_options(&config), speed);
        }
        (self.interval, self.event_interval) = (config.interval.0, config.event_interval.0);
    }

    fn events(&mut self) -> Result<()> {
        self.telemetry.beat(Part::Pump);
        let Self { source, tracker, lookups, exchanges, .. } = self;
        source.events(&mut |event, payload| {
            tracker.event(event, payload, &mut |exchange| exchanges.push(exchange));
            lookups.event(event, payload);
        });
        let now = clock::monotonic().context("cannot read the clock")?;
        // Each time, as someone may set the clock, and lines are to bear the time of that day at once.
        self.clock = source.clock().context("cannot read the clocks")?;
        let mut look = |slot| {
            let mut progress = None;
            source.record(slot, &mut |record| progress = Some(Progress::of(record)));
            progress
        };
        tracker.expire(now, &mut look, &mut |exchange| exchanges.push(exchange));
        lookups.expire(Some(now));
        if let Some(capacity) = &mut self.capacity {
            let passed =
                &mut |slot, direction, from, sums: &mut [u64]| source.passed(slot, direction, from, sums);
            capacity.look(now, &self.clock, passed);
        }
        self.report();
        Ok(())
    }

    /// Logs and counts the exchanges that have come up.
    fn report(&mut self) {
        let Self { source, ledger, board, clock, lookups, logs, .. } = self;
        lookups.report(&mut Surroundings { source: source.as_mut(), ledger, board, logs, clock: *clock });
        for mut exchange in self.exchanges.drain(..) {
            if !self.ledger.speaks(&exchange.key, exchange.slot) {
                continue;
            }
            let mut flow = None;
            self.source.record(exchange.slot, &mut |record| flow = Some(Snapshot::of(record)));
            let flow = flow.or_else(|| self.ledger.live().snapshot(exchange.slot));
            let iface = self.ledger.live().name(exchange.key.interface());
            let zones = &self.ledger.policy().zones;
            enrich(&mut exchange, flow.as_ref(), iface, zones, &mut self.paths, &self.clock);
            self.http.record(&HttpSeen {
                method: exchange.method.as_deref(),
                status: exchange.status,
                server: exchange.server().address,
                host: exchange.host.as_deref(),
                duration: exchange.duration(),
            });
            let exchange = Arc::new(exchange);
            self.feed.push(&exchange);
            if let Some(log) = &self.logs.http {
                log.write(exchange);
            }
        }
    }

    /// Reads the flow table. In between it looks for events when they are due: a large table takes longer than their
    /// buffer may last.
    fn drain(&mut self) -> Result<()> {
        let now = clock::monotonic().context("cannot read the clock")?;
        let started = Instant::now();
        let (pace, mut looked) = (self.pace(), started);
        self.ledger.set_clock(self.clock);
        let report = loop {
            let Self { source, ledger, logs: Logs { flow: flow_log, .. }, .. } = self;
            let report = source.drain_part(now, &mut |slot, record, end| {
                ledger.absorb(slot, record, end, now, &mut |line| {
                    if let Some(log) = flow_log {
                        log.write_burst(line);
                    }
                });
            })?;
            if let Some(report) = report {
                break report;
            }
            if looked.elapsed() >= pace {
                self.events()?;
                looked = Instant::now();
            }
        };
        self.publish(now, started, &report)?;
        self.governed.look(self.source.as_mut(), &report, &self.telemetry)
    }

    fn publish(&mut self, now: u64, started: Instant, report: &DrainReport) -> Result<()> {
        let slots = self.follow.slots();
        let numbers: Vec<u16> = slots.iter().map(|(slot, _)| *slot).collect();
        let all = self.source.totals(&numbers)?;
        for ((slot, device), totals) in slots.into_iter().zip(&all) {
            let statistics = device.and_then(|(name, ifindex)| follow::statistics(&name, ifindex));
            let kernel = match statistics {
                Some(statistics) => Some(KernelReading { statistics, after: self.source.seen(slot)? }),
                None => None,
            };
            self.ledger.interface(slot, totals, kernel);
            let capacity = self.capacity.as_ref().and_then(|capacity| capacity.numbers(slot));
            self.ledger.capacity(slot, capacity);
        }
        self.clock = self.source.clock().context("cannot read the clocks")?;
        self.ledger.drained(now, self.clock);
        self.http.settle(now, self.clock.wall(now) / 1_000_000_000);
        self.http.losses = self.tracker.losses();
        self.board.publish(self.ledger.numbers().published(), self.http.published());
        self.telemetry.ran(self.source.run_times());
        let duration = started.elapsed();
        let (live, capacity) = (u64::from(report.live), u64::from(report.capacity));
        self.telemetry.drained(duration, live, capacity);
        debug!(?duration, ?report, "drained");
        Ok(())
    }

    /// Looks for interfaces that have come or gone.
    fn look(&mut self, thorough: bool) -> Result<()> {
        let now = clock::monotonic().context("cannot read the clock")?;
        let Self { source, ledger, capacity, follow, .. } = self;
        let mut parts = Parts { source: source.as_mut(), ledger, capacity: capacity.as_mut() };
        follow.look(now, thorough, &mut parts)?;
        let Missing { names, all } = follow.missing();
        self.telemetry.set_lost(names, all);
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        let events = self.events();
        let now = clock::monotonic().context("cannot read the clock")?;
        let started = Instant::now();
        self.ledger.set_clock(self.clock);
        let Self { source, ledger, logs: Logs { flow: flow_log, .. }, .. } = &mut self;
        let drained = source.finish(&mut |slot, record, end| {
            ledger.absorb(slot, record, end, now, &mut |line| {
                if let Some(log) = flow_log {
                    log.write_last(line);
                }
            });
        });
        // Copies made between the look above and the detaching.
        let last_events = self.events();
        let Self { tracker, exchanges, .. } = &mut self;
        tracker.finish(&mut |exchange| exchanges.push(exchange));
        self.lookups.expire(None);
        self.report();
        let published = drained.and_then(|report| self.publish(now, started, &report));
        std::mem::take(&mut self.logs).close();
        if !self.ledger.live().is_empty() {
            warn!("{} flows did not end with the last drain", self.ledger.live().len());
        }
        events.and(last_events).and(published)
    }
}
