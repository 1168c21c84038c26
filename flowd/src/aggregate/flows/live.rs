//! The table of live flows: written by the drain, read by the API. dashmap's home.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
};

use dashmap::DashMap;
use flow_common::{key::Sender, record::RoleBy};
use ipnetwork::IpNetwork;

use flowd_numbers::Row;

use super::labels::{Facts, Service};
use crate::{
    aggregate::{Nets, Zone},
    clock::WallClock,
    flow::{Ends, Enrichers, Flow, Side, Snapshot, words},
};

/// A flow that has not ended: its counters at the last drain, and what the ledger keeps beside them.
#[derive(Clone, Debug)]
pub struct LiveFlow {
    pub snapshot: Snapshot,
    /// Where the last line of the flow log ended; `None` before the first.
    pub(in crate::aggregate) cut: Option<Box<Cut>>,
    /// Zones of A and B, looked up when the flow began or the zones changed.
    pub(in crate::aggregate) zones: [Zone; 2],
    /// Rows of what A and what B send, in [`crate::aggregate::Numbers::flows`], and what they were chosen by.
    pub(in crate::aggregate) rows: [Row; 2],
    pub(in crate::aggregate) facts: Facts,
    /// Where it was counted as a connection attempt.
    pub(in crate::aggregate) counted: Option<Service>,
    /// It speaks for its conversation.
    pub(in crate::aggregate) speaks: bool,
    /// What enrichers know of its ends; `None` until a record asks.
    pub(in crate::aggregate) ends: Option<Ends>,
}

impl LiveFlow {
    /// Zones from client to server, where `client` is.
    pub(in crate::aggregate) const fn nets(&self, client: Sender) -> Nets {
        let [a, b] = self.zones;
        match client {
            Sender::A => Nets { source: a, destination: b },
            Sender::B => Nets { source: b, destination: a },
        }
    }

    /// True for a connection attempt that is to be counted here: its SYN was seen.
    pub(in crate::aggregate) const fn is_attempt(&self, snapshot: &Snapshot) -> bool {
        self.speaks && snapshot.role_by == RoleBy::Syn as u8
    }
}

/// A flow's counters when a line of the flow log was written.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::aggregate) struct Cut {
    /// Nanoseconds of the packet's clock.
    pub time: u64,
    pub sides: [Side; 2],
}

/// Slots that share an allocation and a lock. As low slots are used first, most of it is in use.
const CHUNK: u32 = 64;

/// Places of neighbouring slots.
#[derive(Debug)]
struct Chunk {
    places: Box<[Option<LiveFlow>]>,
    /// Places in use.
    used: u32,
}

impl Chunk {
    fn new() -> Self {
        Self { places: (0..CHUNK).map(|_| None).collect(), used: 0 }
    }
}

/// Live flows by the slot of their record. A reader holds up the drain for no longer than it reads one chunk.
#[derive(Debug)]
pub struct LiveFlows {
    /// By the number of the chunk.
    chunks: DashMap<u32, Chunk, foldhash::fast::RandomState>,
    len: AtomicU32,
    /// One past the highest chunk that was ever in use.
    high: AtomicU32,
    /// Interface names by slot.
    names: RwLock<Vec<Arc<str>>>,
    clock: RwLock<WallClock>,
    enrichers: RwLock<Arc<Enrichers>>,
}

/// Which flows to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// One endpoint's address lies in it.
    pub cidr: Option<IpNetwork>,
    /// One endpoint has it.
    pub port: Option<u16>,
    /// IP protocol number.
    pub protocol: Option<u8>,
}

impl LiveFlows {
    /// An empty table; `names` are those of the interfaces, by slot.
    #[must_use]
    pub fn new(names: Vec<Arc<str>>, clock: WallClock) -> Self {
        Self {
            chunks: DashMap::default(),
            len: AtomicU32::new(0),
            high: AtomicU32::new(0),
            names: RwLock::new(names),
            clock: RwLock::new(clock),
            enrichers: RwLock::default(),
        }
    }

    /// Flows that live.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed) as usize
    }

    /// True without flows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The counters of the flow in `slot` at the last drain.
    #[must_use]
    pub fn snapshot(&self, slot: u32) -> Option<Snapshot> {
        let chunk = self.chunks.get(&(slot / CHUNK))?;
        let place = chunk.places.get((slot % CHUNK) as usize)?;
        place.as_ref().map(|flow| flow.snapshot)
    }

    /// Lets `work` have the place of the flow in `slot`, to fill, change or empty it.
    pub(in crate::aggregate) fn with(&self, slot: u32, work: impl FnOnce(&mut Option<LiveFlow>)) {
        let number = slot / CHUNK;
        let mut chunk = self.chunks.entry(number).or_insert_with(Chunk::new);
        let Chunk { places, used } = chunk.value_mut();
        // A chunk has a place for every remainder.
        let Some(place) = places.get_mut((slot % CHUNK) as usize) else { return };
        let before = u32::from(place.is_some());
        work(place);
        let after = u32::from(place.is_some());
        *used = *used + after - before;
        let unused = *used == 0;
        drop(chunk);
        self.len.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
        self.high.fetch_max(number + 1, Ordering::Relaxed);
        if unused {
            self.chunks.remove(&number);
        }
    }

    /// Lets `work` change every flow.
    pub(in crate::aggregate) fn each(&self, mut work: impl FnMut(&mut LiveFlow)) {
        for mut chunk in self.chunks.iter_mut() {
            chunk.places.iter_mut().flatten().for_each(&mut work);
        }
    }

    /// The name of the interface in `slot`; empty where nobody told.
    #[must_use]
    pub fn name(&self, slot: u16) -> Arc<str> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        names.get(usize::from(slot)).cloned().unwrap_or_else(|| Arc::from(""))
    }

    /// Gives the interface in `slot` a name.
    pub(in crate::aggregate) fn set_name(&self, slot: u16, name: Arc<str>) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        let slot = usize::from(slot);
        if names.len() <= slot {
            names.resize(slot + 1, Arc::from(""));
        }
        if let Some(place) = names.get_mut(slot) {
            *place = name;
        }
    }

    /// The distance of the clocks as last measured.
    #[must_use]
    pub fn clock(&self) -> WallClock {
        *self.clock.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the distance of the clocks.
    pub fn set_clock(&self, clock: WallClock) {
        *self.clock.write().unwrap_or_else(PoisonError::into_inner) = clock;
    }

    /// Those who know something of flows and their ends.
    #[must_use]
    pub fn enrichers(&self) -> Arc<Enrichers> {
        Arc::clone(&self.enrichers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets who is asked from now on, also for flows that live already.
    pub(in crate::aggregate) fn set_enrichers(&self, enrichers: Arc<Enrichers>) {
        *self.enrichers.write().unwrap_or_else(PoisonError::into_inner) = enrichers;
        self.each(|flow| flow.ends = None);
    }

    /// The `count` flows with the most octets of IP among those that `filter` lets through, heaviest first.
    #[must_use]
    pub fn top(&self, count: usize, filter: &Filter) -> Vec<Flow> {
        // A heap of the heaviest so far with the lightest on top, so that memory is bounded by `count`.
        let mut heaviest = BinaryHeap::new();
        for number in 0..self.high.load(Ordering::Relaxed) {
            let Some(chunk) = self.chunks.get(&number) else { continue };
            for (slot, place) in (number * CHUNK..).zip(&chunk.places) {
                let Some(flow) = place.as_ref().map(|flow| &flow.snapshot) else { continue };
                if filter.passes(flow) {
                    heaviest.push(Reverse((flow.ip_bytes(), slot)));
                    if heaviest.len() > count {
                        heaviest.pop();
                    }
                }
            }
        }
        let (clock, enrichers) = (self.clock(), self.enrichers());
        let slots = heaviest.into_sorted_vec().into_iter().map(|Reverse((_, slot))| slot);
        let flows = slots.filter_map(|slot| self.snapshot(slot));
        let line = |flow: Snapshot| {
            let mut line = Flow::from_snapshot(&flow, &self.name(flow.key.interface()), &clock, None);
            enrichers.once(&mut line, &flow);
            line
        };
        flows.map(line).collect()
    }
}

impl Filter {
    fn passes(&self, flow: &Snapshot) -> bool {
        let any = |holds: &dyn Fn(Sender) -> bool| holds(Sender::A) || holds(Sender::B);
        let key = &flow.key;
        self.protocol.is_none_or(|protocol| key.protocol() == protocol)
            && self.port.is_none_or(|port| {
                !words::is_icmp(key.protocol()) && any(&|end| words::port(key, end) == port)
            })
            && self.cidr.is_none_or(|net| any(&|end| net.contains(words::address(key, end))))
    }
}
