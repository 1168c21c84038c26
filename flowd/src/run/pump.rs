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
    lookups::{Lookups, Surroundings},
    source::Source,
};
use crate::{
    aggregate::{Capacity, HttpNumbers, HttpSeen, Ledger},
    clock::{self, WallClock},
    config::{Budget, Config},
    export::{enrich::enrich, feed::Feed, log::LogSink, path::Paths, prometheus::Board},
    flow::{Flow, Snapshot},
    kernel::DrainReport,
    protocol::http::{HttpExchange, HttpTracker, Progress},
    telemetry::Telemetry,
};

/// Time between two looks while lines of the flow log wait for places in its queue. Events are read as well
/// at each of them.
const SETTLE: Duration = Duration::from_millis(5);

pub(super) struct Pump {
    source: Box<dyn Source>,
    ledger: Ledger,
    http: HttpNumbers,
    tracker: HttpTracker,
    lookups: Lookups,
    board: Arc<Board>,
    telemetry: Arc<Telemetry>,
    feed: Arc<Feed<HttpExchange>>,
    http_log: Option<LogSink<HttpExchange>>,
    flow_log: Option<LogSink<Flow>>,
    clock: WallClock,
    paths: Paths,
    /// Peaks, where they are asked for.
    capacity: Option<Capacity>,
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
        http_log: Option<LogSink<HttpExchange>>,
        flow_log: Option<LogSink<Flow>>,
        clock: WallClock,
        capacity: Option<Capacity>,
        follow: Follow,
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
            http_log,
            flow_log,
            clock,
            paths,
            capacity,
            exchanges,
            follow,
            governed: Governed::new(Budget::OFF),
        }
    }

    /// Keeps within a budget; without it there is none.
    pub(super) fn governed(self, governed: Governed) -> Self {
        Self { governed, ..self }
    }

    /// Works until `settings`, from where changed configurations come, is closed; then reads all that is left
    /// and closes the logs.
    pub(super) fn run(
        mut self,
        interval: Duration,
        event_interval: Duration,
        settings: &Receiver<Box<Config>>,
    ) -> Result<()> {
        let longest = Duration::from_millis(Capacity::LONGEST_LOOK);
        let event_interval =
            if self.capacity.is_some() { event_interval.min(longest) } else { event_interval };
        let mut next = Instant::now() + interval;
        let mut took = Duration::ZERO;
        let result = loop {
            let look = if self.settle() { SETTLE.min(event_interval) } else { event_interval };
            // Looks begin on a beat: one that took long is followed by the next at once.
            let wait = next.saturating_duration_since(Instant::now()).min(look.saturating_sub(took));
            match settings.recv_timeout(wait) {
                Ok(config) => self.reconfigure(&config),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Ok(()),
            }
            let begun = Instant::now();
            if let Err(error) = self.turn(&mut next, interval, event_interval) {
                break Err(error);
            }
            took = begun.elapsed();
        };
        // Whatever went wrong, what was counted is written.
        let finished = self.finish();
        result.and(finished)
    }

    /// True while lines of the flow log wait.
    fn settle(&mut self) -> bool {
        self.flow_log.as_mut().is_some_and(LogSink::settle)
    }

    fn turn(&mut self, next: &mut Instant, interval: Duration, event_interval: Duration) -> Result<()> {
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
        self.drain(event_interval)?;
        let configured = interval;
        let interval = self.governed.interval(configured);
        if let Some(capacity) = &mut self.capacity {
            // Every peak is in two intervals at least.
            let more = interval.saturating_sub(configured).as_millis() * 2;
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
    fn reconfigure(&mut self, config: &Config) {
        self.follow.reconfigure(config);
        self.ledger.reconfigure(config);
        self.http.reconfigure(Arc::clone(self.ledger.policy()));
    }

    fn events(&mut self) -> Result<()> {
        let Self { source, tracker, lookups, exchanges, .. } = self;
        source.events(&mut |event, payload| {
            tracker.event(event, payload, &mut |exchange| exchanges.push(exchange));
            lookups.event(event, payload);
        });
        let now = clock::monotonic().context("cannot read the clock")?;
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
        let Self { source, ledger, board, clock, lookups, .. } = self;
        lookups.report(&mut Surroundings { source: source.as_mut(), ledger, board, clock: *clock });
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
            if let Some(log) = &self.http_log {
                log.write(exchange);
            }
        }
    }

    /// Reads the flow table. In between it looks for events when they are due: a large table takes longer than their
    /// buffer may last.
    fn drain(&mut self, event_interval: Duration) -> Result<()> {
        let now = clock::monotonic().context("cannot read the clock")?;
        let started = Instant::now();
        let mut looked = started;
        let report = loop {
            let Self { source, ledger, flow_log, .. } = self;
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
            if looked.elapsed() >= event_interval {
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
            self.ledger.interface(slot, totals, statistics);
            let capacity = self.capacity.as_ref().and_then(|capacity| capacity.numbers(slot));
            self.ledger.capacity(slot, capacity);
        }
        self.clock = WallClock::measure().context("cannot read the clocks")?;
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
        let Self { source, ledger, flow_log, .. } = &mut self;
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
        for log in [self.http_log.take().map(LogSink::close), self.flow_log.take().map(LogSink::close)] {
            log.unwrap_or_default();
        }
        self.lookups.close();
        if !self.ledger.live().is_empty() {
            warn!("{} flows did not end with the last drain", self.ledger.live().len());
        }
        events.and(last_events).and(published)
    }
}
