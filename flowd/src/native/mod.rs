//! The packet path in this process: the same code as in the kernel, over a table of this process's own.

mod env;
mod fragments;

use std::collections::HashMap;

use flow_common::{
    app::App,
    bins::Bins,
    counter::{InterfaceTotals, Passage},
    dissect::{Link, NO_TAG},
    end::{EndReason, Rest},
    event::PayloadEvent,
    key::{Direction, FlowKey},
    observe,
    offload::Offload,
    packet::Packet,
    record::{FlowRecord, SharedRecord, life},
    settings::{Omissions, Settings},
    shared::Share as _,
    workspace::{Arrival, Workspace},
};

use self::fragments::FragmentTable;

/// Flow table, totals and waiting events of the native engine.
pub struct Native {
    state: State,
    work: Workspace,
}

/// All but the workspace, which is lent out at the same time.
struct State {
    settings: Settings,
    /// Flows that fit into the table.
    capacity: usize,
    index: HashMap<FlowKey, u32, foldhash::fast::RandomState>,
    records: Vec<SharedRecord>,
    /// Slots below `records.len()` that hold no flow; the last is used first.
    free: Vec<u32>,
    fragments: FragmentTable,
    /// By interface slot.
    totals: Vec<InterfaceTotals>,
    /// By interface slot and direction; most captures have one.
    bins: HashMap<(u16, u8), Box<Bins>, foldhash::fast::RandomState>,
    events: Vec<(PayloadEvent, usize)>,
    payload: Vec<u8>,
    now: u64,
    interface: u16,
    hook: Direction,
}

impl Native {
    /// An empty table for `flows` flows.
    #[must_use]
    pub fn new(settings: Settings, flows: u32) -> Self {
        let arrival = Arrival {
            interface: 0,
            link: Link::Ethernet,
            hook: Direction::Ingress,
            one_point: true,
            omissions: Omissions::NONE,
            moved_tag: NO_TAG,
            offload: Offload::default(),
        };
        Self {
            state: State {
                settings,
                capacity: flows as usize,
                index: HashMap::default(),
                records: Vec::new(),
                free: Vec::new(),
                fragments: FragmentTable::default(),
                totals: Vec::new(),
                bins: HashMap::default(),
                events: Vec::new(),
                payload: Vec::new(),
                now: 0,
                interface: 0,
                hook: Direction::Ingress,
            },
            work: Workspace::new(arrival),
        }
    }

    /// Accounts for one packet at `now` ns.
    pub fn packet<P: Packet>(&mut self, packet: &P, arrival: Arrival, now: u64) {
        let Self { state, work } = self;
        (state.now, state.interface, state.hook) = (now, arrival.interface, arrival.hook);
        let slots = usize::from(arrival.interface) + 1;
        if state.totals.len() < slots {
            state.totals.resize(slots, InterfaceTotals::default());
        }
        work.arrival = arrival;
        if state.settings.decapsulate == 0 {
            observe::on_packet::<false, _, _>(packet, state, work);
        } else {
            observe::on_packet::<true, _, _>(packet, state, work);
        }
    }

    /// Hands every waiting payload event to `visit`, in order; returns their number.
    pub fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        let State { events, payload, .. } = &mut self.state;
        let count = events.len();
        for (event, start) in events.drain(..) {
            let copied = payload.get(start..start + usize::from(event.copied));
            visit(&event, copied.unwrap_or_default());
        }
        payload.clear();
        count
    }

    /// Totals of the interface in `slot`.
    #[must_use]
    pub fn totals(&self, slot: u16) -> InterfaceTotals {
        self.state.totals.get(usize::from(slot)).copied().unwrap_or_default()
    }

    /// Adds the bytes that passed the interface in `slot` to `sums`, by milliseconds of the packets' clock from
    /// `from` on. Returns how many of these came too late to be read.
    pub fn passed(&self, slot: u16, direction: Direction, from: u64, sums: &mut [u64]) -> u64 {
        self.state.bins.get(&(slot, direction as u8)).map_or(0, |bins| bins.read(from, sums))
    }

    /// The record in `slot` as it is now.
    #[must_use]
    pub fn record(&mut self, slot: u32) -> Option<&FlowRecord> {
        Some(FlowRecord::alone(self.state.records.get_mut(slot as usize)?))
    }

    /// Has both sides of the flow of `key` in `slot` looked at as `looks` says from now on, and notes what it speaks.
    pub fn steer(&mut self, key: &FlowKey, slot: u32, looks: u8, app: Option<App>) {
        let record = self.state.records.get(slot as usize);
        if let Some(record) = record.filter(|record| record.key.is(key)) {
            record.halves.iter().for_each(|half| half.tcp.misses.set(looks));
            if let Some(app) = app {
                record.app.set(app as u8);
            }
        }
    }

    /// Records in the table, free ones included.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.state.records.len()
    }

    /// Ends what is over at `now` (all, without it), and shows it to `visit`. Also shows every other live
    /// record, with no reason.
    pub fn sweep(&mut self, now: Option<u64>, visit: &mut dyn FnMut(u32, &FlowRecord, Option<EndReason>)) {
        let State { settings, index, records, free, .. } = &mut self.state;
        for (slot, record) in (0..).zip(records) {
            let record = FlowRecord::alone(record);
            if record.life == life::FREE {
                continue;
            }
            let end = Rest::of(record).end(now, settings);
            visit(slot, record, end);
            if end.is_some() {
                if record.life == life::LIVE {
                    index.remove(&record.key);
                }
                record.life = life::FREE;
                free.push(slot);
            }
        }
    }
}

impl State {
    fn passage(&mut self) -> Option<&mut Passage> {
        let [ingress, egress] = &mut self.totals.get_mut(usize::from(self.interface))?.passages;
        Some(match self.hook {
            Direction::Ingress => ingress,
            Direction::Egress => egress,
        })
    }
}
