//! The one thread that reads from the kernel: events every moment, the flow table every interval.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use flow_common::{app::App, key::FlowKey, record::FlowRecord};
use tracing::{debug, warn};

use super::{
    early::Early,
    follow::{self, Follow, Missing, Parts},
    govern::Governed,
    haste::Haste,
    reload::Change,
};
use crate::{
    aggregate::{Capacity, CapacityOptions, KernelReading, Ledger},
    clock::{self, WallClock},
    config::{Budget, Config},
    enrich::enrichers,
    export::feed::{Feed, Group},
    flow::Snapshot,
    kernel::{DrainReport, EVENT_PARTS},
    numbers::Board,
    pipeline::{Pipeline, Record, Source, Surroundings},
    protocol::{Options, conversation::Decision},
    sinks::Sinks,
    telemetry::{Part, Telemetry},
};

/// Time between two looks while flow records wait for places in a queue. Events are read as well
/// at each of them.
const SETTLE: Duration = Duration::from_millis(5);

/// Longest time that one flow record covers, ns; `None` where no sink wants them.
pub(super) fn active_timeout(config: &Config) -> Option<u64> {
    config.wants("flow").then(|| config.timeouts.active.nanos())
}

pub(super) fn capacity_options(config: &Config) -> CapacityOptions {
    let Config { capacity, interval, .. } = config;
    let (hold, burst_share) = (capacity.hold(*interval), capacity.burst_share.0);
    CapacityOptions { hold, burst_share, replay: false }
}

/// The one thread's state.
pub(super) struct Pump {
    source: Box<dyn Source>,
    ledger: Ledger,
    pipeline: Pipeline,
    outputs: Outputs,
    clock: WallClock,
    /// Peaks, where they are asked for.
    capacity: Option<Capacity>,
    /// What records show.
    options: Vec<Options>,
    interval: Duration,
    event_interval: Duration,
    follow: Follow,
    governed: Governed,
    early: Early,
    haste: Haste,
}

/// Where the pump's numbers and records go.
pub(super) struct Outputs {
    pub(super) board: Arc<Board>,
    pub(super) telemetry: Arc<Telemetry>,
    /// Records of protocols for the API.
    pub(super) feed: Arc<Feed<Record>>,
    pub(super) sinks: Sinks,
}

/// The source and the ledger, as the pipeline asks them.
struct Live<'a> {
    source: &'a mut dyn Source,
    ledger: &'a mut Ledger,
}

impl Surroundings for Live<'_> {
    fn speaks(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.ledger.speaks(key, slot)
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        self.source.record(slot, visit);
    }

    fn last_seen(&mut self, slot: u32) -> Option<Snapshot> {
        self.ledger.live().snapshot(slot)
    }

    fn steer(&mut self, decision: &Decision) {
        self.source.steer(decision);
    }

    fn iface(&self, slot: u16) -> Arc<str> {
        self.ledger.live().name(slot)
    }
}

impl Pump {
    /// A pump that does nothing until [`Pump::run`].
    pub(super) fn new(
        source: Box<dyn Source>,
        ledger: Ledger,
        outputs: Outputs,
        clock: WallClock,
        follow: Follow,
        config: &Config,
    ) -> Self {
        let options = config.protocol_options();
        Self {
            source,
            pipeline: Pipeline::new(&options, ledger.policy()),
            ledger,
            outputs,
            clock,
            capacity: None,
            options,
            interval: config.interval.0,
            event_interval: config.event_interval.0,
            follow,
            governed: Governed::new(Budget::OFF),
            early: Early::new(Instant::now()),
            haste: Haste::default(),
        }
    }

    /// Keeps peaks; without it there are none.
    pub(super) fn with_capacity(self, capacity: Option<Capacity>) -> Self {
        Self { capacity, ..self }
    }

    /// Shows every known series with 0, before the first drain.
    pub(super) fn announce(&self) {
        self.outputs.board.publish(self.ledger.numbers().published(), self.pipeline.published());
    }

    /// Keeps within a budget; without it there is none.
    pub(super) fn governed(self, governed: Governed) -> Self {
        Self { governed, ..self }
    }

    /// Works until `changes`, from where changed configurations come, is closed; then reads all that is left
    /// and closes the logs.
    pub(super) fn run(mut self, changes: &Receiver<Change>) -> Result<()> {
        let mut next = Instant::now() + self.interval;
        self.early = Early::new(Instant::now());
        let mut took = Duration::ZERO;
        let result = loop {
            let waits = self.outputs.sinks.settle();
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
        let mut look = self.haste.of(self.event_interval.min(Part::BEAT), self.pipeline.recognises());
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
            return if self.fills(now, *next)? { self.make_room() } else { Ok(()) };
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
        let Change { config, sinks, regroup, .. } = change;
        self.outputs.sinks.take_over(sinks);
        self.ledger.set_active_timeout(active_timeout(&config));
        if regroup {
            self.ledger.reconfigure(&config);
            self.pipeline.reconfigure(self.ledger.policy());
            self.ledger.set_enrichers(enrichers(self.ledger.policy()));
        }
        let options = config.protocol_options();
        if options != self.options {
            self.pipeline.configure(&options);
            // What is kept for the API may show what is no longer to be shown.
            self.outputs.feed.forget();
            self.options = options;
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
        self.outputs.telemetry.beat(Part::Pump);
        let mut parts = 0;
        while parts < EVENT_PARTS {
            let Self { source, pipeline, .. } = self;
            if source.events(&mut |event, payload| pipeline.event(event, payload)) == 0 {
                break;
            }
            parts += 1;
            // What one part brings is handed on before the next is read: it takes several times the memory.
            self.report();
        }
        self.haste.found(parts);
        let Self { source, ledger, pipeline, .. } = self;
        let now = clock::monotonic().context("cannot read the clock")?;
        // Each time, as someone may set the clock, and lines are to bear the time of that day at once.
        self.clock = source.clock().context("cannot read the clocks")?;
        pipeline.expire(now, &mut Live { source: source.as_mut(), ledger });
        if let Some(capacity) = &mut self.capacity {
            let passed =
                &mut |slot, direction, from, sums: &mut [u64]| source.passed(slot, direction, from, sums);
            capacity.look(now, &self.clock, passed);
        }
        self.report();
        Ok(())
    }

    /// Hands on the records that have come up.
    fn report(&mut self) {
        let Self { source, ledger, pipeline, outputs: Outputs { feed, sinks, .. }, clock, .. } = self;
        pipeline.report(&mut Live { source: source.as_mut(), ledger }, clock, &mut |record| {
            let is_wanted = sinks.want(record.app().name());
            let group = if record.app() == App::Http { Group::Http } else { Group::Requests };
            let record = Record::from(record);
            if is_wanted {
                sinks.offer(&record);
            }
            feed.push(group, &record);
        });
    }

    /// Whether the flow table would be full before it is read next.
    fn fills(&mut self, now: Instant, next: Instant) -> Result<bool> {
        if !self.early.may_come(now) {
            return Ok(false);
        }
        Ok(self.source.room()?.is_some_and(|room| self.early.is_due(now, next, room)))
    }

    /// Reads the flow table before its time, so that what is over makes room. Numbers are shown when it is time.
    fn make_room(&mut self) -> Result<()> {
        let now = clock::monotonic().context("cannot read the clock")?;
        let begun = clock::thread().context("cannot read the processor time of this thread")?;
        let report = self.read(now)?;
        let spent = clock::thread().context("cannot read the processor time of this thread")?;
        self.governed.leave_out(spent.saturating_sub(begun));
        debug!(?report, "read early, as the table fills");
        Ok(())
    }

    /// Reads the flow table and shows what follows from it.
    fn drain(&mut self) -> Result<()> {
        let now = clock::monotonic().context("cannot read the clock")?;
        let started = Instant::now();
        let report = self.read(now)?;
        self.publish(now, started, &report)?;
        self.governed.look(self.source.as_mut(), &report, &self.outputs.telemetry)
    }

    /// Reads the flow table. In between it looks for events when they are due: a large table takes longer than their
    /// buffer may last.
    fn read(&mut self, now: u64) -> Result<DrainReport> {
        let started = Instant::now();
        let (pace, mut looked) = (self.pace(), started);
        self.ledger.set_clock(self.clock);
        let report = loop {
            let Self { source, ledger, outputs, .. } = self;
            let report = source.drain_part(now, &mut |slot, record, end| {
                ledger.absorb(slot, record, end, now, &mut |flow| {
                    outputs.sinks.offer_burst(&Record::from(flow));
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
        self.early.read(started, Instant::now(), self.source.room()?);
        Ok(report)
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
        self.pipeline.settle(now, &self.clock);
        let Outputs { board, telemetry, .. } = &self.outputs;
        board.publish(self.ledger.numbers().published(), self.pipeline.published());
        telemetry.ran(self.source.run_times());
        telemetry.reused(self.source.reuse()?);
        let duration = started.elapsed();
        let (live, capacity) = (u64::from(report.live), u64::from(report.capacity));
        telemetry.drained(duration, live, capacity);
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
        self.outputs.telemetry.set_lost(names, all);
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        let events = self.events();
        let now = clock::monotonic().context("cannot read the clock")?;
        let started = Instant::now();
        self.ledger.set_clock(self.clock);
        let Self { source, ledger, outputs, .. } = &mut self;
        outputs.sinks.begin_end();
        let drained = source.finish(&mut |slot, record, end| {
            ledger.absorb(slot, record, end, now, &mut |flow| outputs.sinks.offer_last(&Record::from(flow)));
        });
        // Copies made between the look above and the detaching.
        let last_events = self.events();
        self.pipeline.finish();
        self.report();
        let published = drained.and_then(|report| self.publish(now, started, &report));
        std::mem::take(&mut self.outputs.sinks).close();
        if !self.ledger.live().is_empty() {
            warn!("{} flows did not end with the last drain", self.ledger.live().len());
        }
        events.and(last_events).and(published)
    }
}
