//! What the packet path asks of its surroundings, answered by this process.

use std::sync::atomic::{AtomicU64, Ordering};

use flow_common::{
    admission::Source,
    bins::Bins,
    clock::{Clock, tick_of},
    counter::Passage,
    env::{Datagram, Env, Events, FirstFragment, Fragments},
    event::PayloadEvent,
    flows::Flows,
    key::FlowKey,
    observe::Dispatch,
    packet::Packet,
    record::{FlowRecord, SharedRecord},
    settings::Settings,
    shared::Share as _,
};

use super::State;

/// The time of one packet, the same at each reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopped(u64);

impl Clock for Stopped {
    fn read(self) -> u64 {
        self.0.max(1)
    }

    fn tick(self) -> u64 {
        tick_of(self.0)
    }
}

impl Flows for State {
    fn find(&mut self, key: &FlowKey) -> Option<u32> {
        self.index.get(key).copied()
    }

    fn record(&self, slot: u32) -> Option<&SharedRecord> {
        self.records.get(slot as usize)
    }

    fn take(&mut self) -> Option<u32> {
        if let Some(slot) = self.free.pop() {
            return Some(slot);
        }
        if self.records.len() >= self.capacity {
            return None;
        }
        let slot = u32::try_from(self.records.len()).ok()?;
        self.records.push(FlowRecord::new(&FlowKey::EMPTY, 0).into_shared());
        Some(slot)
    }

    fn give_back(&mut self, slot: u32) {
        self.free.push(slot);
    }

    fn publish(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.index.insert(*key, slot).is_none()
    }

    fn redirect(&mut self, key: &FlowKey, slot: u32) {
        self.index.insert(*key, slot);
    }
}

impl Fragments for State {
    fn remember(&mut self, datagram: &Datagram, first: &FirstFragment) {
        self.fragments.remember(datagram, first);
    }

    fn recall(&mut self, datagram: &Datagram) -> Option<FirstFragment> {
        self.fragments.recall(datagram)
    }
}

impl Events for State {
    fn copy<P: Packet>(&mut self, packet: &P, offset: u32, len: u16, event: impl FnOnce() -> PayloadEvent) {
        let start = self.payload.len();
        let len = u32::from(len);
        let mut at = 0;
        while at + 8 <= len {
            let Some(word) = packet.read::<u64>(offset + at) else { break };
            self.payload.extend_from_slice(&word.to_ne_bytes());
            at += 8;
        }
        while at < len {
            let Some(byte) = packet.read::<u8>(offset + at) else { break };
            self.payload.push(byte);
            at += 1;
        }
        // What a capture cut off was not copied.
        let copied = u16::try_from(self.payload.len() - start).unwrap_or_default();
        self.events.push((PayloadEvent { copied, ..event() }, start));
    }
}

impl Dispatch for State {}

impl Env for State {
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
        self.passage()
    }

    fn waiting(&self) -> u32 {
        0
    }

    fn source(&self, _: u32) -> Option<&Source> {
        None
    }

    fn bins(&mut self) -> Option<&Bins> {
        if u32::from(self.interface).wrapping_sub(1) >= self.settings.windows {
            return None;
        }
        Some(self.bins.entry((self.interface, self.hook as u8)).or_default())
    }
}
