//! What the packet path asks of its surroundings, answered by the kernel.

use core::{
    hint::cold_path,
    intrinsics::{AtomicOrdering, atomic_xadd},
    sync::atomic::AtomicU64,
};

use aya_ebpf::{
    bindings::{BPF_ANY, BPF_NOEXIST, BPF_RB_AVAIL_DATA, BPF_RB_NO_WAKEUP},
    helpers::{
        bpf_get_smp_processor_id,
        generated::{bpf_jiffies64, bpf_ktime_get_ns, bpf_ringbuf_query},
    },
};
use flow_common::{
    admission::{self, Source},
    bins::Bins,
    clock::{Clock, tick_of},
    counter::Passage,
    env::{Datagram, Env, Events, FirstFragment, Fragments},
    event::{MAX_COPY, MAX_STAGED, PayloadEvent},
    flows::Flows,
    hint,
    key::{Direction, FlowKey},
    packet::Packet,
    record::SharedRecord,
    settings::Settings,
    shared::Relaxed,
};

use crate::{
    context::{Context, bounded},
    maps::{self, BINS, EVENTS, FLOW_INDEX, FLOWS, FRAGMENTS, FREE_HAND, FREE_SLOTS, HINTS, SOURCES, TOTALS},
};

pub(crate) struct Kernel<C> {
    pub(crate) packet: C,
    pub(crate) interface: u16,
    pub(crate) direction: Direction,
}

/// The kernel's clock or, in replays, what the packet says.
#[derive(Clone, Copy)]
pub(crate) struct KernelClock<C>(C);

impl<C: Context> Clock for KernelClock<C> {
    #[inline(always)]
    fn read(self) -> u64 {
        if maps::setting(|settings| &settings.packet_time) != 0 {
            return self.0.time().max(1);
        }
        // SAFETY: no arguments.
        unsafe { bpf_ktime_get_ns() }
    }

    #[inline(always)]
    fn tick(self) -> u64 {
        if maps::setting(|settings| &settings.packet_time) != 0 {
            return tick_of(self.0.time());
        }
        // SAFETY: no arguments.
        unsafe { bpf_jiffies64() }
    }
}

impl<C: Context> Flows for Kernel<C> {
    #[inline(always)]
    fn find(&mut self, key: &FlowKey) -> Option<u32> {
        let hash = key.hash();
        let hints = HINTS.get(hash as u32 & self.setting(|settings| &settings.hints))?;
        if let Some(slot) = hints.slot(hash)
            && self.record(slot).is_some_and(|record| hint::leads(record, key))
        {
            return Some(slot);
        }
        cold_path();
        // SAFETY: a word of an entry, which another CPU may replace: read as a whole.
        let slot = unsafe { FLOW_INDEX.get_ptr(key)?.read_volatile() };
        hints.note(hash, slot);
        Some(slot)
    }

    #[inline(always)]
    fn record(&self, slot: u32) -> Option<&SharedRecord> {
        // Other CPUs may write the same record: counters are owned by one CPU or atomic, all else is one word at a
        // time, for which a lost update does no harm.
        FLOWS.get(slot)
    }

    #[inline(always)]
    fn take(&mut self) -> Option<u32> {
        // SAFETY: this CPU's own.
        let hand = unsafe { &mut *FREE_HAND.get_ptr_mut(0)? };
        hand.take(|| FREE_SLOTS.pop().ok().flatten(), |slot| FLOWS.get(slot).map(|record| record.skip.get()))
    }

    #[inline(always)]
    fn give_back(&mut self, slot: u32) {
        let Some(hand) = FREE_HAND.get_ptr_mut(0) else { return };
        // SAFETY: this CPU's own, from which the slot was taken a moment ago.
        let skip = unsafe { &mut *hand }.give_back(slot);
        if let Some(record) = self.record(slot) {
            record.skip.set(skip);
        }
    }

    #[inline(always)]
    fn publish(&mut self, key: &FlowKey, slot: u32) -> bool {
        FLOW_INDEX.insert(key, slot, u64::from(BPF_NOEXIST)).is_ok()
    }

    #[inline(always)]
    fn redirect(&mut self, key: &FlowKey, slot: u32) {
        // Replacing the value of a present key cannot fail for want of room.
        let _ = FLOW_INDEX.insert(key, slot, u64::from(BPF_ANY));
    }
}

impl<C: Context> Fragments for Kernel<C> {
    #[inline(always)]
    fn remember(&mut self, datagram: &Datagram, first: &FirstFragment) {
        // A full LRU map drops its oldest entry instead of failing.
        let _ = FRAGMENTS.insert(datagram, first, u64::from(BPF_ANY));
    }

    #[inline(always)]
    fn recall(&mut self, datagram: &Datagram) -> Option<FirstFragment> {
        let first = FRAGMENTS.get_ptr(datagram)?.cast::<Relaxed<FirstFragment>>();
        // SAFETY: a word of an entry, which another CPU may replace.
        Some(unsafe { &*first }.get())
    }
}

/// Room in the ring itself must be asked for in sizes that the verifier knows; most copies are no longer than one of these.
const SMALL: usize = 128;
const MIDDLE: usize = 512;
const HEADER: usize = size_of::<PayloadEvent>();

impl<C: Context> Events for Kernel<C> {
    /// The reader polls on its own clock: waking it for each event would cost a hundred times the event.
    #[inline(always)]
    fn copy<P: Packet>(&mut self, _: &P, offset: u32, len: u16, event: impl FnOnce() -> PayloadEvent) {
        cold_path();
        let mut len = u32::from(len).min(if C::ROOMY { MAX_COPY } else { MAX_STAGED } as u32);
        if maps::setting(|settings| &settings.packet_time) != 0 {
            // Of a packet that the capture cut, what is there.
            len = len.min(self.packet.left(offset));
        }
        let event = || PayloadEvent { copied: len as u16, ..event() };
        let done = if len.wrapping_sub(1) < SMALL as u32 {
            self.submit::<{ HEADER + SMALL }, { SMALL as u32 }>(event, offset, len)
        } else if C::ROOMY && len.wrapping_sub(1) < MIDDLE as u32 {
            self.submit::<{ HEADER + MIDDLE }, { MIDDLE as u32 }>(event, offset, len)
        } else if C::ROOMY && len > MAX_STAGED as u32 {
            // More than half of a super-packet's 64 KiB are full as a rule.
            self.submit::<{ HEADER + MAX_COPY }, { MAX_COPY as u32 }>(event, offset, len)
        } else {
            self.output(event, offset, len)
        };
        if done.is_none()
            && let Some(totals) = self.totals()
        {
            totals.events_lost += 1;
        }
    }
}

impl<C: Context> Kernel<C> {
    /// Straight into the ring.
    #[inline(always)]
    fn submit<const SIZE: usize, const PAYLOAD: u32>(
        &self,
        event: impl FnOnce() -> PayloadEvent,
        offset: u32,
        len: u32,
    ) -> Option<()> {
        let mut room = EVENTS.reserve_bytes(SIZE, 0)?;
        let to = room.as_mut_ptr();
        // SAFETY: SIZE is HEADER + PAYLOAD, and the ring buffer aligns to 8 bytes.
        unsafe { to.cast::<PayloadEvent>().write(event()) };
        // SAFETY: the same.
        if !self.packet.copy::<PAYLOAD>(offset, len, unsafe { to.add(HEADER) }) {
            room.discard(u64::from(BPF_RB_NO_WAKEUP));
            return None;
        }
        room.submit(u64::from(BPF_RB_NO_WAKEUP));
        Some(())
    }

    /// By way of memory of this CPU, in the size that it has: one copy more, and no room wasted.
    #[inline(always)]
    fn output(&self, event: impl FnOnce() -> PayloadEvent, offset: u32, len: u32) -> Option<()> {
        let room: *mut u8 = maps::COPY.get_ptr_mut(0)?.cast();
        // SAFETY: this CPU's own, and larger than an event.
        unsafe { room.cast::<PayloadEvent>().write(event()) };
        let mut size = HEADER;
        if len != 0 {
            let len = bounded::<{ MAX_STAGED as u32 }>(len);
            // SAFETY: room for so many bytes stands behind the event.
            if !self.packet.copy::<{ MAX_STAGED as u32 }>(offset, len, unsafe { room.add(HEADER) }) {
                return None;
            }
            size += len as usize;
        }
        // SAFETY: `size` is at most that of the room, all of which was written at some time.
        let bytes = unsafe { core::slice::from_raw_parts(room, size) };
        EVENTS.output_untyped::<[u8]>(bytes, u64::from(BPF_RB_NO_WAKEUP)).ok()
    }
}

impl<C: Context> Env for Kernel<C> {
    type Clock = KernelClock<C>;

    #[inline(always)]
    fn clock(&self) -> KernelClock<C> {
        KernelClock(self.packet)
    }

    #[inline(always)]
    fn setting<T: Copy>(&self, field: impl Fn(&Settings) -> &T) -> T {
        maps::setting(field)
    }

    #[inline(always)]
    fn cpu(&self) -> u32 {
        // SAFETY: no arguments.
        unsafe { bpf_get_smp_processor_id() }
    }

    #[inline(always)]
    fn add(counter: &AtomicU64, amount: u64) {
        // SAFETY: a valid, aligned counter that all CPUs change atomically or not at all.
        unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(counter.as_ptr(), amount) };
    }

    #[inline(always)]
    fn totals(&mut self) -> Option<&mut Passage> {
        let totals = TOTALS.get_ptr_mut(u32::from(self.interface))?;
        // SAFETY: this CPU's own copy, and no other program runs on it until this one returns.
        let [ingress, egress] = unsafe { &mut (*totals).passages };
        Some(match self.direction {
            Direction::Ingress => ingress,
            Direction::Egress => egress,
        })
    }

    #[inline(always)]
    fn waiting(&self) -> u32 {
        if self.setting(|settings| &settings.packet_time) != 0 {
            // Replays are read whenever their reader likes.
            return 0;
        }
        let ring = core::ptr::from_ref(&EVENTS).cast_mut().cast();
        // SAFETY: the ring, whose address is what programs know a map by.
        let bytes = unsafe { bpf_ringbuf_query(ring, u64::from(BPF_RB_AVAIL_DATA)) };
        (bytes >> (self.setting(|settings| &settings.ring_eighth) & 31)) as u32
    }

    #[inline(always)]
    fn source(&self, client: u32) -> Option<&Source> {
        SOURCES.get(client & (admission::SOURCES - 1))
    }

    #[inline(always)]
    fn bins(&mut self) -> Option<&Bins> {
        let slots = self.setting(|settings| &settings.windows);
        // Interfaces without a slot have none either.
        let slot = u32::from(self.interface).wrapping_sub(1);
        if slot >= slots {
            return None;
        }
        BINS.get((self.cpu() * slots + slot) * 2 + self.direction as u32)
    }
}
