//! The least that the packet path needs around it: a table on a `HashMap`, a settable clock, a short memory
//! for fragments. Kept apart from the daemon's own engine, so that neither hides a mistake of the other.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod frames;
pub(crate) mod story;
pub(crate) mod talk;

use std::{collections::HashMap, sync::atomic::AtomicU64, sync::atomic::Ordering};

use flow_common::{
    admission::Source,
    bins::Bins,
    clock::{Clock, Pace, Time, tick_of},
    counter::{Counter, Passage, Tally},
    dissect::{Link, NO_TAG, Segment},
    env::{Datagram, Env, Events, FirstFragment, Fragments},
    event::PayloadEvent,
    flows::Flows,
    key::{Direction, FlowKey, Sender},
    observe,
    offload::Offload,
    packet::{Captured, Packet},
    record::{FlowRecord, SharedRecord, Volume},
    settings::{Omissions, Settings},
    shared::Share as _,
    tcp::{self, Payload, SegmentKind},
    workspace::{Arrival, Workspace},
};

/// Frames of one capture on one Ethernet interface.
pub(crate) const CAPTURE: Arrival = Arrival {
    interface: 1,
    link: Link::Ethernet,
    hook: Direction::Ingress,
    one_point: true,
    omissions: Omissions::NONE,
    moved_tag: NO_TAG,
    offload: Offload { segments: 0, segment_size: 0 },
};

/// The world around [`observe::on_packet`].
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) settings: Settings,
    pub(crate) totals: Passage,
    pub(crate) bins: Box<Bins>,
    pub(crate) events: Vec<(PayloadEvent, Vec<u8>)>,
    index: HashMap<FlowKey, u32>,
    slots: Vec<SharedRecord>,
    /// Slots that may be taken in all; none comes back.
    capacity: usize,
    /// The oldest stands first.
    fragments: Vec<(Datagram, FirstFragment)>,
    fragment_capacity: usize,
}

impl World {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            now: 1_000_000_000,
            settings: Settings { decapsulate: u32::MAX, ..Settings::DEFAULT },
            totals: Passage::default(),
            bins: Box::default(),
            events: Vec::new(),
            index: HashMap::new(),
            slots: Vec::new(),
            capacity,
            fragments: Vec::new(),
            fragment_capacity: 64,
        }
    }

    pub(crate) fn remembering_fragments(mut self, capacity: usize) -> Self {
        self.fragment_capacity = capacity;
        self
    }

    /// One whole frame of [`CAPTURE`].
    pub(crate) fn feed(&mut self, frame: &[u8]) {
        self.feed_as(frame, CAPTURE);
    }

    pub(crate) fn feed_as(&mut self, frame: &[u8], arrival: Arrival) {
        let original_len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        self.feed_cut(&Captured { data: frame, original_len }, arrival);
    }

    pub(crate) fn feed_cut(&mut self, packet: &Captured<'_>, arrival: Arrival) {
        let mut work = Workspace::new(arrival);
        observe::on_packet::<true, _, _>(packet, self, &mut work);
    }

    /// Every record, in the order of the first packet.
    pub(crate) fn records(&self) -> Vec<FlowRecord> {
        self.slots.iter().map(FlowRecord::load).collect()
    }

    /// Has the reader of copies decide what is looked at of every flow, one of [`flow_common::record::looks`] or a count.
    pub(crate) fn steer(&self, looks: u8) {
        self.slots.iter().flat_map(|record| &record.halves).for_each(|half| half.tcp.misses.set(looks));
    }

    /// Both directions of all flows seen directly, not those inside of tunnels.
    pub(crate) fn direct_volume(&self) -> Volume {
        let directly = |record: &&FlowRecord| record.key.tunnel() as u8 == 0;
        self.records().iter().filter(directly).flat_map(|record| &record.halves).fold(
            Volume::default(),
            |sum, half| {
                let part = half.volume();
                Volume {
                    packets: sum.packets + part.packets,
                    skb_packets: sum.skb_packets + part.skb_packets,
                    ip_bytes: sum.ip_bytes + part.ip_bytes,
                    frame_bytes: sum.frame_bytes + part.frame_bytes,
                    payload_bytes: sum.payload_bytes + part.payload_bytes,
                }
            },
        )
    }

    pub(crate) fn seen(&self) -> Tally {
        sum(&self.totals.seen)
    }

    pub(crate) fn skipped(&self) -> Tally {
        sum(&self.totals.skipped)
    }

    pub(crate) fn skipped_for(&self, counter: Counter) -> u64 {
        self.totals.skipped.get(counter as usize).map_or(0, |tally| tally.packets)
    }
}

fn sum(tallies: &[Tally]) -> Tally {
    tallies.iter().fold(Tally::default(), |sum, tally| Tally {
        packets: sum.packets + tally.packets,
        bytes: sum.bytes + tally.bytes,
        skb_packets: sum.skb_packets + tally.skb_packets,
        skb_bytes: sum.skb_bytes + tally.skb_bytes,
    })
}

/// The time of one packet, the same at each reading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopped(pub(crate) u64);

/// [`tcp::track`] at `now` ns.
pub(crate) fn track(
    record: &SharedRecord,
    sender: Sender,
    segment: &Segment,
    payload: Payload,
    untimed: u8,
    now: u64,
) -> SegmentKind {
    let (mut pace, clock) = (Pace::NEW, Stopped(now));
    pace.next(clock, false);
    tcp::track(record, sender, segment, payload, untimed, &mut Time { pace: &mut pace, clock }, &mut 0)
}

impl Clock for Stopped {
    fn read(self) -> u64 {
        self.0.max(1)
    }

    fn tick(self) -> u64 {
        tick_of(self.0)
    }
}

impl Events for World {
    fn copy<P: Packet>(&mut self, packet: &P, offset: u32, len: u16, event: impl FnOnce() -> PayloadEvent) {
        // A capture may have kept less than was on the wire.
        let bytes = (offset..offset + u32::from(len)).map_while(|at| packet.read::<u8>(at)).collect();
        self.events.push((event(), bytes));
    }
}

impl Fragments for World {
    fn remember(&mut self, datagram: &Datagram, first: &FirstFragment) {
        self.fragments.retain(|(known, _)| known != datagram);
        if self.fragments.len() >= self.fragment_capacity {
            self.fragments.remove(0);
        }
        self.fragments.push((*datagram, *first));
    }

    fn recall(&mut self, datagram: &Datagram) -> Option<FirstFragment> {
        let at = self.fragments.iter().position(|(known, _)| known == datagram)?;
        let found = self.fragments.remove(at);
        self.fragments.push(found);
        Some(found.1)
    }
}

impl Flows for World {
    fn find(&mut self, key: &FlowKey) -> Option<u32> {
        self.index.get(key).copied()
    }

    fn record(&self, slot: u32) -> Option<&SharedRecord> {
        self.slots.get(slot as usize)
    }

    fn take(&mut self) -> Option<u32> {
        if self.slots.len() >= self.capacity {
            return None;
        }
        self.slots.push(FlowRecord::new(&FlowKey::EMPTY, 0).into_shared());
        u32::try_from(self.slots.len() - 1).ok()
    }

    fn give_back(&mut self, slot: u32) {
        self.slots.truncate(slot as usize);
    }

    fn publish(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.index.insert(*key, slot).is_none()
    }

    fn redirect(&mut self, key: &FlowKey, slot: u32) {
        self.index.insert(*key, slot);
    }
}

impl observe::Dispatch for World {}

impl Env for World {
    type Clock = Stopped;

    fn clock(&self) -> Stopped {
        Stopped(self.now)
    }

    fn setting<T: Copy>(&self, field: impl Fn(&Settings) -> &T) -> T {
        *field(&self.settings)
    }

    fn cpu(&self) -> u32 {
        0
    }

    fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    fn totals(&mut self) -> Option<&mut Passage> {
        Some(&mut self.totals)
    }

    fn waiting(&self) -> u32 {
        0
    }

    fn source(&self, _: u32) -> Option<&Source> {
        None
    }

    fn bins(&mut self) -> Option<&Bins> {
        (self.settings.windows != 0).then_some(&*self.bins)
    }
}
