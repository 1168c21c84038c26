//! Takes in drained records and keeps every number that follows from them.

use std::{net::IpAddr, sync::Arc};

use flow_common::{
    key::{FlowKey, Sender, TunnelKind},
    record::FlowRecord,
};

use flowd_numbers::{Row, Table};

use super::{
    Filter, LiveFlow, LiveFlows, Numbers, Observed, Policy, Watched,
    flows::{
        labels::{Facts, flow_labels, point},
        live::Cut,
    },
    interface::InterfaceNumbers,
};
use crate::{
    clock::WallClock,
    config::Config,
    flow::{EndReason, Enrichers, Flow, Side, Snapshot, words},
    interfaces::Statistics,
};

mod announce;
mod interfaces;
mod tcp;

const TCP: u8 = 6;

/// What the ledger keeps, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct LedgerOptions {
    /// Conversations whose observation point is remembered.
    pub conversations: usize,
    /// Longest time that one line of the flow log covers, ns; `None` where there is no flow log.
    pub active_timeout: Option<u64>,
}

/// Every number of one daemon or of one capture.
pub struct Ledger {
    options: LedgerOptions,
    live: Arc<LiveFlows>,
    numbers: Numbers,
    observed: Observed,
    /// Bytes by address, to know the top ones.
    addresses: Table<Option<IpAddr>, u64>,
    /// Counts what makes labels change for flows that stay the same.
    age: u64,
}

/// Where lines of the flow log go.
pub type Lines<'a> = &'a mut dyn FnMut(Flow);

impl Ledger {
    /// An empty ledger for the interfaces in `watched`, each with the kernel's counters before it was
    /// attached, where there are any.
    #[must_use]
    pub fn new(
        options: LedgerOptions,
        policy: Arc<Policy>,
        watched: Vec<(Watched, Option<Statistics>)>,
        clock: WallClock,
    ) -> Self {
        let mut names: Vec<Arc<str>> = Vec::new();
        for (interface, _) in &watched {
            let slot = usize::from(interface.slot);
            names.resize(names.len().max(slot + 1), Arc::from(""));
            if let Some(name) = names.get_mut(slot) {
                *name = Arc::clone(&interface.name);
            }
        }
        let series = &policy.series;
        let addresses = Table::new(series.top_addresses as usize);
        let numbers = Numbers {
            flows: Table::new(series.limit("flow")),
            quality: Table::new(series.limit("tcp_quality")),
            rtt: Table::new(series.limit("tcp_rtt")),
            connections: Table::new(series.limit("tcp_connections")),
            interfaces: watched
                .into_iter()
                .map(|(watched, first)| InterfaceNumbers::new(watched, first))
                .collect(),
            conversations: 0,
            read_at: 0,
            policy,
        };
        let mut ledger = Self {
            options,
            addresses,
            live: Arc::new(LiveFlows::new(names, clock)),
            numbers,
            observed: Observed::new(options.conversations),
            age: 0,
        };
        ledger.announce();
        ledger
    }

    /// Asks these for what is known of flows and their ends; without them, records say nothing of it.
    #[must_use]
    pub fn enriched(self, enrichers: Arc<Enrichers>) -> Self {
        self.set_enrichers(enrichers);
        self
    }

    /// Asks others from now on.
    pub fn set_enrichers(&self, enrichers: Arc<Enrichers>) {
        self.live.set_enrichers(enrichers);
    }

    /// Takes over another configuration's zones, labels and limits. Nothing that was counted is lost: names
    /// keep their series, and live flows count under their new labels from here on.
    pub fn reconfigure(&mut self, config: &Config) {
        let policy = Arc::new(self.numbers.policy.renewed(config));
        self.numbers.reconfigure(Arc::clone(&policy));
        self.addresses.set_limit(policy.series.top_addresses as usize);
        self.live.each(|flow| flow.zones = zones(&policy, &flow.snapshot.key));
        self.age += 1;
        self.announce();
    }

    /// Has flow log lines from here on, none of which covers more than `active_timeout` ns; none without.
    pub const fn set_active_timeout(&mut self, active_timeout: Option<u64>) {
        self.options.active_timeout = active_timeout;
    }

    /// Lines from here on have times by this clock.
    pub fn set_clock(&self, clock: WallClock) {
        self.live.set_clock(clock);
    }

    /// The table of live flows, for readers.
    #[must_use]
    pub const fn live(&self) -> &Arc<LiveFlows> {
        &self.live
    }

    /// Zones, labels and limits as configured now.
    #[must_use]
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.numbers.policy
    }

    /// Every number as of now.
    #[must_use]
    pub const fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// True if the record in `slot` speaks for the conversation of `key`, as lines and counts of
    /// applications must come from one observation point.
    pub fn speaks(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.observed.speaks(key, slot)
    }

    /// A drain at `now` (ns of the packet's clock) is over: decides who has a series.
    pub fn drained(&mut self, now: u64, clock: WallClock) {
        self.live.set_clock(clock);
        self.observed.drained();
        self.numbers.conversations = self.observed.len() as u64;
        self.numbers.read_at = clock.wall(now);
        let seconds = self.numbers.read_at / 1_000_000_000;
        self.numbers.settle(now, seconds);
        let before = self.addresses.changes();
        self.addresses.settle(now, seconds);
        if self.addresses.changes() != before {
            self.age += 1;
        }
    }

    /// Takes in the record in `slot` as it is at `now` (ns of the packet's clock); with a reason, for the
    /// last time. `lines` gets lines of the flow log, where one is kept.
    pub fn absorb(
        &mut self,
        slot: u32,
        record: &FlowRecord,
        end: Option<EndReason>,
        now: u64,
        lines: Lines<'_>,
    ) {
        let snapshot = Snapshot::of(record);
        let live = Arc::clone(&self.live);
        live.with(slot, |place| {
            if let Some(mut old) = place.take_if(|flow| !same(&flow.snapshot, &snapshot)) {
                // The end of the flow that was here before was not shown.
                self.finish(slot, &mut old, EndReason::Evicted, lines);
            }
            let flow = place.get_or_insert_with(|| self.begin(slot, &snapshot));
            self.count(flow, &snapshot);
            flow.snapshot = snapshot;
            if let Some(reason) = end {
                self.finish(slot, flow, reason, lines);
                *place = None;
            } else if let Some(timeout) = self.options.active_timeout {
                let since = flow.cut.as_ref().map_or(flow.snapshot.start, |cut| cut.time);
                if now.saturating_sub(since) >= timeout {
                    lines(self.line(flow, EndReason::Active));
                    // The same allocation each time.
                    let cut = flow.cut.get_or_insert_default();
                    **cut = Cut { time: now, sides: flow.snapshot.sides };
                }
            }
        });
    }

    /// The heaviest live flows.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<Flow> {
        self.live.top(count, &Filter::default())
    }

    /// A flow seen for the first time: nothing of it is counted yet.
    fn begin(&mut self, slot: u32, snapshot: &Snapshot) -> LiveFlow {
        let zero = Snapshot {
            sides: [Side::default(); 2],
            handshake_server_rtt: None,
            handshake_client_rtt: None,
            ..*snapshot
        };
        let mut flow = LiveFlow {
            snapshot: zero,
            cut: None,
            zones: zones(&self.numbers.policy, &snapshot.key),
            rows: [Row::default(); 2],
            facts: Facts::of(snapshot, &self.numbers.policy, self.age),
            counted: None,
            speaks: self.observed.confirm(&snapshot.key, slot),
            ends: None,
        };
        flow.rows = self.rows(&flow, snapshot);
        let client = if snapshot.client == Sender::A { flow.rows[0] } else { flow.rows[1] };
        if let Some(row) = self.numbers.flows.row(client) {
            row.flows += 1;
        }
        if let Some(interface) = self.numbers.interface(snapshot.key.interface()) {
            interface.active += 1;
        }
        flow
    }

    /// Adds what `snapshot` has more than `flow` had at the last drain.
    fn count(&mut self, flow: &mut LiveFlow, snapshot: &Snapshot) {
        let facts = Facts::of(snapshot, &self.numbers.policy, self.age);
        if facts != flow.facts || flow.rows.iter().any(|row| self.numbers.flows.row(*row).is_none()) {
            flow.facts = facts;
            flow.rows = self.rows(flow, snapshot);
        }
        let added = snapshot.since(&flow.snapshot.sides);
        if snapshot.key.tunnel() == TunnelKind::None
            && let Some(interface) = self.numbers.interface(snapshot.key.interface())
        {
            let one_point = interface.watched.one_point;
            for (sender, side) in [Sender::A, Sender::B].into_iter().zip(&added.sides) {
                let direction = point(snapshot, sender, one_point).direction;
                if let Some(counted) = interface.in_flows.get_mut(direction as usize) {
                    counted.packets += side.volume.packets;
                    counted.bytes += side.volume.frame_bytes;
                }
            }
        }
        for (row, side) in flow.rows.iter().zip(&added.sides) {
            if let Some(row) = self.numbers.flows.row(*row) {
                row.ip_bytes += side.volume.ip_bytes;
                row.packets += side.volume.packets;
                row.retransmits += u64::from(side.retransmits);
                row.retransmitted_bytes += side.retransmitted_bytes;
            }
        }
        if self.numbers.policy.uses_addresses() {
            for end in [Sender::A, Sender::B] {
                if let Some(bytes) = self.addresses.at(Some(words::address(&snapshot.key, end)), None) {
                    *bytes += added.ip_bytes();
                }
            }
        }
        if snapshot.key.protocol() == TCP {
            self.count_tcp(flow, &added);
        }
    }

    /// Counts the end of a flow and writes its last line.
    fn finish(&mut self, slot: u32, flow: &mut LiveFlow, reason: EndReason, lines: Lines<'_>) {
        let snapshot = flow.snapshot;
        if let Some(interface) = self.numbers.interface(snapshot.key.interface()) {
            interface.active = interface.active.saturating_sub(1);
            interface.end(reason);
        }
        self.observed.release(&snapshot.key, slot);
        if flow.counted.is_none() && snapshot.key.protocol() == TCP && flow.is_attempt(&snapshot) {
            let service = self.service(flow, &snapshot);
            self.attempt(flow, service);
        }
        if let Some(service) = flow.counted
            && let Some(row) = self.numbers.connections.at(Some(service), None)
        {
            match words::connection_state(&snapshot) {
                "REJ" => row.refused += 1,
                "S0" => row.unanswered += 1,
                "RSTO" | "RSTR" => row.reset += 1,
                _ => {}
            }
        }
        if self.options.active_timeout.is_some() {
            lines(self.line(flow, reason));
        }
    }

    /// What happened since the last line of this flow, or since its start.
    fn line(&self, flow: &mut LiveFlow, reason: EndReason) -> Flow {
        let piece = flow.cut.as_ref().map_or(flow.snapshot, |cut| {
            let mut piece = flow.snapshot.since(&cut.sides);
            piece.start = cut.time;
            for side in &mut piece.sides {
                side.first = 0;
            }
            piece
        });
        let name = self.live.name(piece.key.interface());
        let mut line = Flow::from_snapshot(&piece, &name, &self.live.clock(), Some(reason));
        let enrichers = self.live.enrichers();
        let ends = flow.ends.get_or_insert_with(|| enrichers.ends(&piece));
        enrichers.flow(&mut line, &piece, ends);
        if let Some(interface) = self.numbers.watched(piece.key.interface()) {
            line.seen_at.ifindex = interface.ifindex;
            // Without two sides all packets come in.
            if interface.one_point {
                (line.seen_at.client_egress, line.seen_at.server_egress) = (false, false);
            }
        }
        line
    }

    fn rows(&mut self, flow: &LiveFlow, snapshot: &Snapshot) -> [Row; 2] {
        let one_point = self.one_point(snapshot);
        let nets = flow.nets(snapshot.client);
        let Self { numbers: Numbers { policy, flows, .. }, addresses, .. } = self;
        [Sender::A, Sender::B].map(|sender| {
            let top = |address| addresses.shows(&Some(address));
            let labels = flow_labels(policy, snapshot, nets, sender, one_point, top);
            flows.find(labels, labels.other())
        })
    }

    fn one_point(&mut self, flow: &Snapshot) -> bool {
        self.numbers.interface(flow.key.interface()).is_some_and(|interface| interface.watched.one_point)
    }
}

fn same(left: &Snapshot, right: &Snapshot) -> bool {
    left.start == right.start && left.key == right.key
}

/// Zones of A and B.
fn zones(policy: &Policy, key: &FlowKey) -> [super::Zone; 2] {
    [Sender::A, Sender::B].map(|end| policy.zones.of(words::address(key, end)))
}

#[cfg(test)]
mod tests;
