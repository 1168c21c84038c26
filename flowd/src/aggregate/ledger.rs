//! Takes in drained records and keeps every number that follows from them.

use std::sync::Arc;

use flow_common::{
    counter::InterfaceTotals,
    key::{FlowKey, Sender},
    record::{FlowRecord, RoleBy},
};

use super::{
    Filter, LiveFlow, LiveFlows, Nets, Numbers, Observed, Point, QualityLabels, RttKind, RttLabels, RttSide,
    Service, Table, Watched,
    interface::InterfaceNumbers,
    labels::{FlowLabels, flow_labels, nets, server_port},
    live::Cut,
};
use crate::{
    clock::WallClock,
    flow::{EndReason, Flow, Side, Snapshot, words},
    interfaces::Statistics,
};

const TCP: u8 = 6;

/// What the ledger keeps, and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct LedgerOptions {
    /// Rows of one metric family.
    pub series_limit: usize,
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
}

/// Where lines of the flow log go.
pub type Lines<'a> = &'a mut dyn FnMut(Flow);

impl Ledger {
    /// An empty ledger for the interfaces in `watched`, each with the kernel's counters before it was
    /// attached, where there are any.
    #[must_use]
    pub fn new(
        options: LedgerOptions,
        watched: Vec<(Watched, Option<Statistics>)>,
        clock: WallClock,
    ) -> Self {
        let limit = options.series_limit;
        let mut flows = Table::new(limit);
        let mut names: Vec<Arc<str>> = Vec::new();
        for (interface, _) in &watched {
            let slot = usize::from(interface.slot);
            names.resize(names.len().max(slot + 1), Arc::from(""));
            if let Some(name) = names.get_mut(slot) {
                *name = Arc::clone(&interface.name);
            }
            for direction in interface.directions() {
                let point = Point { slot: interface.slot, direction: *direction };
                flows.reserve(FlowLabels { point, group: None });
            }
        }
        let mut quality = Table::new(limit);
        let mut rtt = Table::new(limit);
        for (interface, _) in &watched {
            for nets in Nets::all() {
                for direction in interface.directions() {
                    let point = Point { slot: interface.slot, direction: *direction };
                    quality.announce(QualityLabels { point, nets });
                }
                for (kind, side) in
                    RttKind::ALL.into_iter().flat_map(|kind| RttSide::ALL.map(|side| (kind, side)))
                {
                    rtt.announce(RttLabels { slot: interface.slot, nets, kind, side });
                }
            }
        }
        let mut connections = Table::new(limit);
        connections.reserve(None);
        let interfaces =
            watched.into_iter().map(|(watched, first)| InterfaceNumbers::new(watched, first)).collect();
        Self {
            options,
            live: Arc::new(LiveFlows::new(names, clock)),
            numbers: Numbers { interfaces, flows, quality, rtt, connections, conversations: 0 },
            observed: Observed::new(options.conversations),
        }
    }

    /// The table of live flows, for readers.
    #[must_use]
    pub const fn live(&self) -> &Arc<LiveFlows> {
        &self.live
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

    /// Takes over an interface's totals and what the kernel counted in the same time.
    pub fn interface(&mut self, slot: u16, totals: &InterfaceTotals, kernel: Option<Statistics>) {
        if let Some(interface) = self.numbers.interface(slot) {
            interface.update(totals, kernel);
        }
    }

    /// A drain is over.
    pub fn drained(&mut self, clock: WallClock) {
        self.live.set_clock(clock);
        self.observed.drained();
        self.numbers.conversations = self.observed.len() as u64;
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
            if let Some(old) = place.take_if(|flow| !same(&flow.snapshot, &snapshot)) {
                // The end of the flow that was here before was not shown.
                self.finish(slot, &old, EndReason::Evicted, lines);
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
        let rows = self.rows(snapshot);
        let client = if snapshot.client == Sender::A { rows[0] } else { rows[1] };
        if let Some(row) = self.numbers.flows.row(client) {
            row.flows += 1;
        }
        if let Some(interface) = self.numbers.interface(snapshot.key.interface()) {
            interface.active += 1;
        }
        let speaks = self.observed.confirm(&snapshot.key, slot);
        let zero = Snapshot {
            sides: [Side::default(); 2],
            handshake_server_rtt: None,
            handshake_client_rtt: None,
            ..*snapshot
        };
        LiveFlow { snapshot: zero, cut: None, rows, counted: false, speaks }
    }

    /// Adds what `snapshot` has more than `flow` had at the last drain.
    fn count(&mut self, flow: &mut LiveFlow, snapshot: &Snapshot) {
        let before = &flow.snapshot;
        if (before.client, before.role_by) != (snapshot.client, snapshot.role_by) {
            flow.rows = self.rows(snapshot);
        }
        let added = snapshot.since(&flow.snapshot.sides);
        for (row, side) in flow.rows.iter().zip(&added.sides) {
            if let Some(row) = self.numbers.flows.row(*row) {
                row.ip_bytes += side.volume.ip_bytes;
                row.packets += side.volume.packets;
                row.retransmits += u64::from(side.retransmits);
                row.retransmitted_bytes += side.retransmitted_bytes;
            }
        }
        if snapshot.key.protocol() == TCP {
            self.count_tcp(flow, &added);
        }
    }

    fn count_tcp(&mut self, flow: &mut LiveFlow, added: &Snapshot) {
        let nets = nets(added);
        for sender in [Sender::A, Sender::B] {
            let side = added.side(sender);
            let is_client = sender == added.client;
            if side.out_of_order | side.duplicate_acks | side.zero_windows | side.resets != 0 {
                let point = flow_labels(added, sender, self.one_point(added)).point;
                let nets = if is_client { nets } else { nets.reversed() };
                let labels = QualityLabels { point, nets };
                if let Some(row) = self.numbers.quality.at(labels, labels) {
                    row.out_of_order += u64::from(side.out_of_order);
                    row.duplicate_acks += u64::from(side.duplicate_acks);
                    row.zero_windows += u64::from(side.zero_windows);
                    row.resets += u64::from(side.resets);
                }
            }
            let (end, handshake, before) = if is_client {
                (RttSide::Client, added.handshake_client_rtt, flow.snapshot.handshake_client_rtt)
            } else {
                (RttSide::Server, added.handshake_server_rtt, flow.snapshot.handshake_server_rtt)
            };
            let labels = |kind| RttLabels { slot: added.key.interface(), nets, kind, side: end };
            if side.rtt.count != 0 {
                let labels = labels(RttKind::Data);
                if let Some(row) = self.numbers.rtt.at(labels, labels) {
                    row.add(&side.rtt);
                }
            }
            if let (Some(rtt), None) = (handshake, before) {
                let labels = labels(RttKind::Handshake);
                if let Some(row) = self.numbers.rtt.at(labels, labels) {
                    row.record(&flow_common::record::Rtt::BOUNDS, rtt);
                }
            }
        }
        if flow.speaks && !flow.counted && added.role_by == RoleBy::Syn as u8 {
            flow.counted = true;
            if let Some(row) = self.numbers.connections.at(service(added), None) {
                row.attempts += 1;
            }
        }
    }

    /// Counts the end of a flow and writes its last line.
    fn finish(&mut self, slot: u32, flow: &LiveFlow, reason: EndReason, lines: Lines<'_>) {
        let snapshot = &flow.snapshot;
        if let Some(interface) = self.numbers.interface(snapshot.key.interface()) {
            interface.active = interface.active.saturating_sub(1);
            interface.end(reason);
        }
        self.observed.release(&snapshot.key, slot);
        if flow.counted
            && let Some(row) = self.numbers.connections.at(service(snapshot), None)
        {
            match words::connection_state(snapshot) {
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
    fn line(&self, flow: &LiveFlow, reason: EndReason) -> Flow {
        let piece = flow.cut.as_ref().map_or(flow.snapshot, |cut| {
            let mut piece = flow.snapshot.since(&cut.sides);
            piece.start = cut.time;
            for side in &mut piece.sides {
                side.first = 0;
            }
            piece
        });
        let name = self.live.name(piece.key.interface());
        Flow::from_snapshot(&piece, &name, &self.live.clock(), Some(reason))
    }

    fn rows(&mut self, flow: &Snapshot) -> [u32; 2] {
        let one_point = self.one_point(flow);
        [Sender::A, Sender::B].map(|sender| {
            let labels = flow_labels(flow, sender, one_point);
            self.numbers.flows.find(labels, labels.other())
        })
    }

    fn one_point(&mut self, flow: &Snapshot) -> bool {
        self.numbers.interface(flow.key.interface()).is_some_and(|interface| interface.watched.one_point)
    }
}

fn same(left: &Snapshot, right: &Snapshot) -> bool {
    left.start == right.start && left.key == right.key
}

fn service(flow: &Snapshot) -> Option<Service> {
    Some(Service { nets: nets(flow), server_port: server_port(flow)? })
}

#[cfg(test)]
mod tests;
