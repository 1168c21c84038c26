//! Packets in, lines out.

use std::{io::Write, sync::Arc};

use anyhow::{Result, bail};
use flow_common::{
    counter::Family,
    key::{FlowKey, TunnelKind},
    packet::Captured,
    record::FlowRecord,
};

use super::{
    duplicates::Duplicates,
    engine::Engine,
    intake::Intake,
    links,
    metrics::Metrics,
    order::InOrder,
    output::Output,
    sending::Sending,
    summary::{Summary, Unread},
    table,
};
use crate::{
    aggregate::{Observed, Policy},
    capture::CapturedPacket,
    clock::WallClock,
    config::Config,
    enrich::enrichers,
    flow::{EndReason, Enrichers, Flow, SeenAt, Snapshot},
    pipeline::{Pipeline, Record, Source as _, Surroundings},
    protocol::{AppRecord, conversation::Decision},
};

/// Packets between two looks for ended flows. A look frees the slots of flows that are over; that a flow is over
/// shows without it too, when its next packet comes. So a capture whose clock runs backwards, as merged ones do,
/// loses no flow to a timeout that never was, as long as the table has room.
const SWEEP: u64 = 65_536;
/// A line whose tracker does not say what it waits for leaves it at most this long after it began, ns: more than twice
/// its time limit.
const LATEST_LINE: u64 = 60_000_000_000;
/// Packets between two looks at the payload copies.
const EVENTS: u64 = 256;

pub(super) struct Reader<W> {
    engine: Engine,
    pipeline: Pipeline,
    /// Which interface of the capture speaks for a conversation.
    observed: Observed,
    enrichers: Arc<Enrichers>,
    /// By interface of the capture.
    names: Vec<Arc<str>>,
    flows: InOrder<(Snapshot, Option<EndReason>)>,
    lines: InOrder<Box<dyn AppRecord>>,
    metrics: Option<Metrics>,
    sending: Option<Sending>,
    summary: Summary,
    output: Output,
    out: W,
    /// Tunnels whose inner flows are printed, bits of [`TunnelKind::bit`].
    decapsulate: u32,
    packets: u64,
    now: u64,
    /// The first link type that the engine does not read.
    unreadable: Option<u32>,
    merge_interfaces: bool,
    duplicates: Option<Duplicates>,
}

impl<W: Write> Reader<W> {
    pub(super) fn new(
        engine: Engine,
        intake: Intake,
        output: Output,
        config: &Config,
        out: W,
    ) -> Result<Self> {
        let policy = Arc::new(Policy::new(config));
        let sending = if output == Output::Sinks { Some(Sending::new(config)?) } else { None };
        Ok(Self {
            engine,
            pipeline: Pipeline::new(&config.protocol_options(), &policy),
            observed: Observed::new(config.flows as usize),
            names: if intake.merge_interfaces { vec![Arc::from("capture")] } else { Vec::new() },
            flows: InOrder::new(config.flows as usize),
            lines: InOrder::new(config.flows as usize),
            metrics: (output == Output::Metrics).then(|| Metrics::new(config, Arc::clone(&policy))),
            enrichers: enrichers(&policy),
            sending,
            summary: Summary::new(),
            output,
            out,
            decapsulate: config.settings().decapsulate,
            packets: 0,
            now: 0,
            unreadable: None,
            merge_interfaces: intake.merge_interfaces,
            duplicates: intake.deduplicate.then(Duplicates::default),
        })
    }

    /// Whether the interface's name is still to be told. Merged ones have none.
    pub(super) const fn wants_name(&self, interface: u32) -> bool {
        !self.merge_interfaces && (interface as usize) >= self.names.len()
    }

    /// Tells the name of an interface, where the capture has one.
    pub(super) fn set_name(&mut self, interface: u32, name: Option<&str>) {
        while self.names.len() < interface as usize {
            self.names.push(Arc::from("capture"));
        }
        self.names.push(Arc::from(name.unwrap_or("capture")));
    }

    pub(super) fn packet(&mut self, packet: &CapturedPacket<'_>) -> Result<()> {
        let Some(link) = links::link(packet.link).filter(|link| self.engine.reads(*link)) else {
            self.summary.unread(Unread::LinkType, Family::Other, packet.original_len);
            self.unreadable.get_or_insert(packet.link);
            return Ok(());
        };
        let interface = if self.merge_interfaces { 0 } else { packet.interface };
        let Some(slot) = slot_of(interface) else {
            self.summary.unread(Unread::Interfaces, Family::Other, packet.original_len);
            return Ok(());
        };
        // The frame check sequence is not counted, here as on a live interface.
        let original_len = packet.original_len.saturating_sub(u32::from(packet.fcs_len));
        let data = packet.data.get(..original_len as usize).unwrap_or(packet.data);
        if let Some(duplicates) = &mut self.duplicates
            && let Some(family) =
                duplicates.is_copy(&Captured { data, original_len }, link, slot, packet.time)
        {
            self.summary.unread(Unread::Duplicate, family, original_len);
            return Ok(());
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.look(slot, packet.time, &self.engine);
        }
        self.engine.packet(&Captured { data, original_len }, link, slot, packet.time)?;
        self.packets += 1;
        self.now = self.now.max(packet.time);
        // What is copied of the next packet depends on what was recognised in this one.
        let Self { engine, pipeline, observed, names, .. } = self;
        if engine.events(&mut |event, payload| pipeline.event(event, payload)) > 0 {
            pipeline.steer(&mut Replayed { engine, observed, names });
        }
        if self.packets.is_multiple_of(EVENTS) {
            self.events()?;
        }
        if self.packets.is_multiple_of(SWEEP) {
            self.events()?;
            self.sweep(Some(self.now))?;
        }
        Ok(())
    }

    /// Ends everything and prints what is left.
    ///
    /// # Errors
    /// The output is closed, or none of the capture's packets has a link type that flowd reads.
    pub(super) fn finish(mut self) -> Result<()> {
        if let Some(link) = self.unreadable
            && self.packets == 0
        {
            if links::link(link).is_some() {
                bail!(
                    "the kernel engine reads Ethernet captures only, and this one is not: use --engine native"
                );
            }
            bail!(
                "link type {link} is not one that flowd reads (Ethernet, raw IP, Linux cooked, null, PPP, Cisco HDLC, \
                 NFLOG): convert the capture with editcap -T"
            );
        }
        self.events()?;
        self.pipeline.finish();
        self.report();
        self.sweep(None)?;
        self.print(u64::MAX, u64::MAX)?;
        let slots: Vec<u16> = (1..FlowKey::MAX_INTERFACES).take(self.names.len()).collect();
        let totals = self.engine.totals(&slots)?;
        totals.iter().for_each(|totals| self.summary.add(totals));
        // Before the summary, which may go to the same output.
        let sent = self.sending.take().map_or(Ok(()), Sending::finish);
        match (self.output, self.metrics.take()) {
            (Output::Json | Output::Sinks, _) => {
                serde_json::to_writer(&mut self.out, &self.summary)?;
                writeln!(self.out)?;
            }
            (Output::Metrics, Some(metrics)) => {
                let text = metrics.text(&self.names, &totals, self.pipeline, self.now, &self.engine)?;
                write!(self.out, "{text}")?;
            }
            _ => {}
        }
        self.out.flush()?;
        sent
    }

    fn events(&mut self) -> Result<()> {
        let Self { engine, pipeline, observed, names, .. } = self;
        engine.events(&mut |event, payload| pipeline.event(event, payload));
        pipeline.expire(self.now, &mut Replayed { engine, observed, names });
        self.report();
        Ok(())
    }

    /// Hands on the records that have come up.
    fn report(&mut self) {
        let Self { engine, pipeline, observed, names, summary, lines, metrics, sending, .. } = self;
        let is_told =
            |kind: &str| metrics.is_none() && sending.as_ref().is_none_or(|sending| sending.wants(kind));
        pipeline.report(&mut Replayed { engine, observed, names }, &WallClock::CAPTURE, &mut |record| {
            let kind = record.app().name();
            summary.application(kind);
            if is_told(kind) {
                lines.push(record.head().time, record);
            }
        });
    }

    /// Ends what is over at `now`, or everything, and prints what can leave.
    fn sweep(&mut self, now: Option<u64>) -> Result<()> {
        let mut oldest = u64::MAX;
        let Self { engine, names, flows, metrics, summary, decapsulate, observed, sending, .. } = self;
        let is_told = metrics.is_none() && sending.as_ref().is_none_or(|sending| sending.wants("flow"));
        let clock = now.unwrap_or(self.now);
        let decapsulate = *decapsulate;
        let wanted = |record: &FlowRecord| match record.key.tunnel() {
            TunnelKind::None => true,
            kind => decapsulate & kind.bit() != 0,
        };
        let mut visit = |slot, record: &FlowRecord, end: Option<EndReason>| {
            // Nothing is shut down here: what is open at the end of the file ends with it.
            let end = end.map(|end| if end == EndReason::Shutdown { EndReason::Eof } else { end });
            if let Some(metrics) = metrics
                && wanted(record)
            {
                metrics.flow(names, slot, record, end, clock);
            }
            if end.is_none() {
                oldest = oldest.min(record.start);
                return;
            }
            observed.release(&record.key, slot);
            if !wanted(record) {
                return;
            }
            summary.flows += 1;
            if is_told {
                flows.push(record.start, (Snapshot::of(record), end));
            }
        };
        match now {
            Some(now) => drop(engine.drain_part(now, &mut visit)?),
            None => drop(engine.finish(&mut visit)?),
        }
        if let Some(metrics) = metrics {
            metrics.settle(names, &mut self.pipeline, clock);
        }
        let latest = self.now.saturating_sub(LATEST_LINE);
        let lines = self.pipeline.oldest().map_or(latest, |oldest| oldest.min(latest));
        self.print(oldest, lines)
    }

    /// Prints flows that began before `flows`, and lines of applications that began before `lines`.
    fn print(&mut self, flows: u64, lines: u64) -> Result<()> {
        while let Some((flow, end)) = self.flows.pop(flows) {
            let iface = name(&self.names, flow.key.interface());
            let snapshot = flow;
            let mut flow = Flow::from_snapshot(&snapshot, &iface, &WallClock::CAPTURE, end);
            self.enrichers.once(&mut flow, &snapshot);
            // In a capture there is one side, and interfaces are counted from 1.
            flow.seen_at = SeenAt { ifindex: snapshot.key.interface().into(), ..SeenAt::default() };
            if let Some(sending) = &mut self.sending {
                sending.record(&Record::from(flow));
            } else if self.output == Output::Table {
                if self.summary.printed == 0 {
                    table::head(&mut self.out)?;
                }
                table::row(&mut self.out, &flow)?;
            } else {
                serde_json::to_writer(&mut self.out, &flow)?;
                writeln!(self.out)?;
            }
            self.summary.printed += 1;
        }
        while let Some(line) = self.lines.pop(lines) {
            if let Some(sending) = &mut self.sending {
                sending.record(&Record::from(line));
            } else if self.output == Output::Json {
                serde_json::to_writer(&mut self.out, &line)?;
                writeln!(self.out)?;
            }
        }
        Ok(())
    }
}

/// The engine and the names of interfaces, as the pipeline asks them.
struct Replayed<'a> {
    engine: &'a mut Engine,
    observed: &'a mut Observed,
    names: &'a [Arc<str>],
}

impl Surroundings for Replayed<'_> {
    fn speaks(&mut self, key: &FlowKey, slot: u32) -> bool {
        // With one interface there is no other that could have said it.
        self.names.len() < 2 || self.observed.speaks(key, slot)
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        self.engine.record(slot, visit);
    }

    fn last_seen(&mut self, _: u32) -> Option<Snapshot> {
        // A record stays as it was until its slot is used again.
        None
    }

    fn steer(&mut self, decision: &Decision) {
        self.engine.steer(decision);
    }

    fn iface(&self, slot: u16) -> Arc<str> {
        name(self.names, slot)
    }
}

/// The slot of an interface of the capture: they count from 1. `None` for one too many.
fn slot_of(interface: u32) -> Option<u16> {
    u16::try_from(interface.checked_add(1)?).ok().filter(|slot| *slot < FlowKey::MAX_INTERFACES)
}

/// The name of the interface in `slot`.
fn name(names: &[Arc<str>], slot: u16) -> Arc<str> {
    let index = usize::from(slot).checked_sub(1);
    index.and_then(|index| names.get(index)).map_or_else(|| Arc::from("capture"), Arc::clone)
}
