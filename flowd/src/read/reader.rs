//! Packets in, lines out.

use std::{io::Write, sync::Arc};

use anyhow::{Result, anyhow};
use flow_common::{
    key::{FlowKey, Sender, TunnelKind},
    packet::Captured,
    record::FlowRecord,
    sniff::dns_limit,
};

use super::{
    Output, engine::Engine, line::Line, links, metrics::Metrics, order::InOrder, summary::Summary, table,
};
use crate::{
    aggregate::Policy,
    capture::CapturedPacket,
    clock::WallClock,
    config::Config,
    export::{
        enrich::{enrich, network},
        path::Paths,
    },
    flow::{EndReason, Flow, Snapshot},
    protocol::{
        dns::{DnsExchange, DnsOptions, DnsTracker},
        http::{HttpExchange, HttpTracker, Progress},
        network::Network,
        tls::{TlsHandshake, TlsOptions, TlsTracker},
    },
};

/// Packets between two looks for ended flows. A look frees the slots of flows that are over; that a flow is over
/// shows without it too, when its next packet comes. So a capture whose clock runs backwards, as merged ones do,
/// loses no flow to a timeout that never was, as long as the table has room.
const SWEEP: u64 = 65_536;
/// A line leaves its tracker at most this long after it began, ns: twice its time limit.
const LATEST_LINE: u64 = 60_000_000_000;
/// Packets between two looks at the payload copies.
const EVENTS: u64 = 256;

pub(super) struct Reader<W> {
    engine: Engine,
    tracker: HttpTracker,
    dns: DnsTracker,
    tls: TlsTracker,
    policy: Policy,
    paths: Paths,
    /// By interface of the capture.
    names: Vec<Arc<str>>,
    flows: InOrder<(Snapshot, Option<EndReason>)>,
    lines: InOrder<Line>,
    metrics: Option<Metrics>,
    summary: Summary,
    output: Output,
    out: W,
    /// Tunnels whose inner flows are printed, bits of [`TunnelKind::bit`].
    decapsulate: u32,
    packets: u64,
    now: u64,
}

impl<W: Write> Reader<W> {
    pub(super) fn new(engine: Engine, output: Output, config: &Config, out: W) -> Self {
        Self {
            engine,
            tracker: HttpTracker::new(config.http_options()),
            dns: DnsTracker::new(DnsOptions {
                copied: dns_limit(config.head_bytes),
                ..DnsOptions::default()
            }),
            tls: TlsTracker::new(TlsOptions::default()),
            policy: Policy::new(config),
            paths: Paths::default(),
            names: Vec::new(),
            flows: InOrder::new(config.flows as usize),
            lines: InOrder::new(config.flows as usize),
            metrics: (output == Output::Metrics).then(|| Metrics::new(config)),
            summary: Summary::new(),
            output,
            out,
            decapsulate: config.settings().decapsulate,
            packets: 0,
            now: 0,
        }
    }

    /// Whether the interface's name is still to be told.
    pub(super) const fn wants_name(&self, interface: u32) -> bool {
        interface as usize >= self.names.len()
    }

    /// Tells the name of an interface, where the capture has one.
    pub(super) fn set_name(&mut self, interface: u32, name: Option<&str>) {
        while self.names.len() < interface as usize {
            self.names.push(Arc::from("capture"));
        }
        self.names.push(Arc::from(name.unwrap_or("capture")));
    }

    pub(super) fn packet(&mut self, packet: &CapturedPacket<'_>) -> Result<()> {
        let link = links::link(packet.link).ok_or_else(|| {
            anyhow!(
                "link type {} is not one that flowd reads (Ethernet, raw IP, Linux cooked, null, PPP, Cisco \
                 HDLC, NFLOG): convert the capture with editcap -T",
                packet.link
            )
        })?;
        let slot = u16::try_from(packet.interface + 1)
            .ok()
            .filter(|slot| *slot < FlowKey::MAX_INTERFACES)
            .ok_or_else(|| anyhow!("more than {} interfaces", FlowKey::MAX_INTERFACES - 1))?;
        // The frame check sequence is not counted, here as on a live interface.
        let original_len = packet.original_len.saturating_sub(u32::from(packet.fcs_len));
        let data = packet.data.get(..original_len as usize).unwrap_or(packet.data);
        if let Some(metrics) = &mut self.metrics {
            metrics.look(slot, packet.time, &self.engine);
        }
        self.engine.packet(&Captured { data, original_len }, link, slot, packet.time)?;
        self.packets += 1;
        self.now = self.now.max(packet.time);
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
    pub(super) fn finish(mut self) -> Result<()> {
        self.events()?;
        let mut found = Found::default();
        self.tracker.finish(&mut |exchange| found.http.push(exchange));
        self.dns.finish(&mut |exchange| found.dns.push(exchange));
        self.tls.finish(&mut |handshake| found.tls.push(handshake));
        self.found(found);
        self.sweep(None)?;
        self.print(u64::MAX, u64::MAX)?;
        let totals = (1..=self.names.len())
            .map(|slot| self.engine.totals(u16::try_from(slot).unwrap_or_default()))
            .collect::<Result<Vec<_>>>()?;
        totals.iter().for_each(|totals| self.summary.add(totals));
        match (self.output, self.metrics.take()) {
            (Output::Json, _) => {
                serde_json::to_writer(&mut self.out, &self.summary)?;
                writeln!(self.out)?;
            }
            (Output::Metrics, Some(mut metrics)) => {
                metrics.finish(self.now, &self.engine);
                metrics.losses(self.dns.losses(), self.tls.losses());
                write!(self.out, "{}", metrics.text(&self.names, &totals)?)?;
            }
            _ => {}
        }
        Ok(self.out.flush()?)
    }

    fn events(&mut self) -> Result<()> {
        let Self { engine, tracker, dns, tls, .. } = self;
        let mut found = Found::default();
        engine.events(&mut |event, payload| {
            tracker.event(event, payload, &mut |exchange| found.http.push(exchange));
            dns.event(event, payload, &mut |exchange| found.dns.push(exchange));
            tls.event(event, payload, &mut |handshake| found.tls.push(handshake));
        });
        let mut look = |slot| {
            let mut progress = None;
            engine.record(slot, &mut |record| progress = Some(Progress::of(record)));
            progress
        };
        tracker.expire(self.now, &mut look, &mut |exchange| found.http.push(exchange));
        dns.expire(self.now, &mut |exchange| found.dns.push(exchange));
        tls.expire(self.now, &mut |handshake| found.tls.push(handshake));
        self.found(found);
        Ok(())
    }

    fn snapshot(&self, slot: u32) -> Option<Snapshot> {
        let mut flow = None;
        self.engine.record(slot, &mut |record| flow = Some(Snapshot::of(record)));
        flow
    }

    fn network(&self, key: &FlowKey, client: Sender, slot: u32) -> Network {
        let iface = name(&self.names, key.interface());
        network(key, client, self.snapshot(slot).as_ref(), iface, &self.policy.zones)
    }

    fn found(&mut self, found: Found) {
        for mut exchange in found.dns {
            exchange.network = self.network(&exchange.key, exchange.client, exchange.slot);
            exchange.time = WallClock::CAPTURE.wall(exchange.time);
            self.summary.dns += 1;
            match &mut self.metrics {
                Some(metrics) => metrics.dns(&exchange),
                None => self.lines.push(exchange.time, Line::Dns(Box::new(exchange))),
            }
        }
        for mut handshake in found.tls {
            handshake.network = self.network(&handshake.key, handshake.client, handshake.slot);
            handshake.time = WallClock::CAPTURE.wall(handshake.time);
            self.summary.tls += 1;
            match &mut self.metrics {
                Some(metrics) => metrics.tls(&handshake),
                None => self.lines.push(handshake.time, Line::Tls(Box::new(handshake))),
            }
        }
        for mut exchange in found.http {
            let flow = self.snapshot(exchange.slot);
            let iface = name(&self.names, exchange.key.interface());
            enrich(
                &mut exchange,
                flow.as_ref(),
                iface,
                &self.policy.zones,
                &mut self.paths,
                &WallClock::CAPTURE,
            );
            self.summary.http += 1;
            match &mut self.metrics {
                Some(metrics) => metrics.http(&exchange),
                None => self.lines.push(exchange.time, Line::Http(Box::new(exchange))),
            }
        }
    }

    /// Ends what is over at `now`, or everything, and prints what can leave.
    fn sweep(&mut self, now: Option<u64>) -> Result<()> {
        let mut oldest = u64::MAX;
        let Self { engine, names, flows, metrics, summary, decapsulate, .. } = self;
        let clock = now.unwrap_or(self.now);
        let decapsulate = *decapsulate;
        let wanted = |record: &FlowRecord| match record.key.tunnel() {
            TunnelKind::None => true,
            kind => decapsulate & kind.bit() != 0,
        };
        engine.sweep(now, &mut |slot, record, end| {
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
            if !wanted(record) {
                return;
            }
            summary.flows += 1;
            if metrics.is_none() {
                flows.push(record.start, (Snapshot::of(record), end));
            }
        })?;
        self.print(oldest, self.now.saturating_sub(LATEST_LINE))
    }

    /// Prints flows that began before `flows`, and lines of applications that began before `lines`.
    fn print(&mut self, flows: u64, lines: u64) -> Result<()> {
        while let Some((flow, end)) = self.flows.pop(flows) {
            let iface = name(&self.names, flow.key.interface());
            let snapshot = flow;
            let mut flow = Flow::from_snapshot(&snapshot, &iface, &WallClock::CAPTURE, end);
            self.policy.name(&mut flow, &snapshot, self.policy.nets(&snapshot));
            if self.output == Output::Table {
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
            if self.output == Output::Json {
                serde_json::to_writer(&mut self.out, &line)?;
                writeln!(self.out)?;
            }
        }
        Ok(())
    }
}

/// What one look at the payload copies brought.
#[derive(Default)]
struct Found {
    http: Vec<HttpExchange>,
    dns: Vec<DnsExchange>,
    tls: Vec<TlsHandshake>,
}

/// The name of the interface in `slot`.
fn name(names: &[Arc<str>], slot: u16) -> Arc<str> {
    let index = usize::from(slot).checked_sub(1);
    index.and_then(|index| names.get(index)).map_or_else(|| Arc::from("capture"), Arc::clone)
}
