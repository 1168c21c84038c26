//! The loaded programs with their maps, and what the daemon does with them.

mod attach;
mod drain;
mod load;
#[cfg(feature = "measure")]
mod measure;
mod omissions;
mod replay;
mod xdp;

use std::{mem::offset_of, os::fd::OwnedFd, time::Duration};

use aya::{
    Ebpf,
    maps::{Array, MapData, PerCpuArray, PerCpuValues, RingBuf},
    util::nr_cpus,
};
use flow_common::{
    app::App,
    clock::{Pace, Reuse},
    counter::InterfaceTotals,
    event::{MAX_COPY, PayloadEvent},
    key::{Direction, FlowKey},
    names,
    record::FlowRecord,
    settings::{Interface, Omissions, Settings},
    workspace::{Room, Workspace},
};

#[cfg(feature = "measure")]
pub use self::measure::{Measured, ProgramFacts, Stream, Vary};
pub use self::replay::Refused;
use crate::{
    KernelError,
    hook::{Hook, order::Order, place::Place, xdp::Frames},
    sys::{
        self,
        pod::{self, Plain},
    },
    table::{bins::AllBins, free::FreeSlots, reading::Drained, slab::Slab},
};

/// Parts in which the buffer for payload is read. After so many of them it was read as a whole: of what comes faster than
/// it is read, there would be no end.
pub const EVENT_PARTS: usize = 8;

/// The loaded programs with their maps; dropping it detaches them.
pub struct Kernel {
    bpf: Ebpf,
    settings: Settings,
    /// Of ingress and egress.
    programs: [&'static str; 2],
    frames: Option<Frames>,
    hook: Option<Hook>,
    order: Order,
    slab: Slab,
    index: OwnedFd,
    free: FreeSlots,
    interfaces: Array<MapData, Plain<Interface>>,
    totals: PerCpuArray<MapData, Plain<InterfaceTotals>>,
    /// Bytes of a [`Room`] each.
    workspaces: PerCpuArray<MapData, [u8; size_of::<Room>()]>,
    events: RingBuf<MapData>,
    /// Bytes that fit into it.
    event_bytes: usize,
    bins: AllBins,
    omissions: Omissions,
    /// Of the kernel, ns.
    tick: u64,
    drained: Drained,
    places: Vec<Place>,
}

impl Kernel {
    /// Totals of the interface in `slot`, summed over CPUs, since the programs were loaded.
    ///
    /// # Errors
    /// The map cannot be read, or has no such slot.
    pub fn totals(&self, slot: u16) -> Result<InterfaceTotals, KernelError> {
        let per_cpu =
            self.totals.get(&u32::from(slot), 0).map_err(|error| KernelError::map("TOTALS", &error))?;
        let mut sum = InterfaceTotals::default();
        for totals in per_cpu.iter() {
            for (into, from) in sum.passages.iter_mut().zip(&totals.0.passages) {
                into.add(from);
            }
        }
        Ok(sum)
    }

    /// How often readings of the clock were reused, over all CPUs, and how far from the truth they were.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn reuse(&self) -> Result<Reuse, KernelError> {
        const AT: usize = offset_of!(Room, work) + offset_of!(Workspace, pace) + offset_of!(Pace, reuse);
        let per_cpu =
            self.workspaces.get(&0, 0).map_err(|error| KernelError::map(names::MAP_WORKSPACE, &error))?;
        let each = per_cpu.iter().filter_map(|bytes| pod::read::<Reuse>(bytes.get(AT..)?));
        Ok(each.fold(Reuse::default(), Reuse::and).with_tick(self.tick))
    }

    /// Totals of the interfaces in `slots` that hold all that a drain before has shown, and every packet whose reason
    /// they name. A program counts a packet's flow or its reason at another moment than its passing: once all
    /// that were running have returned, what was read before is in what passed.
    ///
    /// # Errors
    /// As for [`Kernel::totals`], and the wait for running programs fails.
    pub fn settled_totals(&self, slots: &[u16]) -> Result<Vec<InterfaceTotals>, KernelError> {
        let mut all = slots.iter().map(|slot| self.totals(*slot)).collect::<Result<Vec<_>, _>>()?;
        sys::grace()?;
        for (slot, totals) in slots.iter().zip(&mut all) {
            let passed = self.totals(*slot)?;
            for (passage, passed) in totals.passages.iter_mut().zip(passed.passages) {
                passage.seen = passed.seen;
            }
        }
        Ok(all)
    }

    /// Sets the totals of a slot to 0. No program must be attached under it.
    ///
    /// # Errors
    /// The map has no such slot.
    pub fn clear_totals(&mut self, slot: u16) -> Result<(), KernelError> {
        let zero = vec![Plain(InterfaceTotals::default()); nr_cpus().unwrap_or(1)];
        let failed = |detail: String| KernelError::Map { map: "TOTALS", detail };
        let zero = PerCpuValues::try_from(zero).map_err(|error| failed(error.to_string()))?;
        self.totals.set(u32::from(slot), zero, 0).map_err(|error| KernelError::map("TOTALS", &error))
    }

    /// Adds the bytes that passed the interface in `slot` to `sums`, by milliseconds of the packets' clock from
    /// `from` on. Returns how many of these came too late to be read.
    pub fn passed(&self, slot: u16, direction: Direction, from: u64, sums: &mut [u64]) -> u64 {
        self.bins.passed(slot, direction, from, sums)
    }

    /// How long each program has run since it was loaded, where `kernel.bpf_stats_enabled` is on; without it
    /// the kernel counts nothing, and there is nothing to tell.
    #[must_use]
    pub fn run_times(&self) -> Vec<(String, Duration)> {
        let programs = self.programs.into_iter();
        programs
            .filter_map(|name| Some((name.to_owned(), self.bpf.program(name)?.info().ok()?.run_time())))
            .filter(|(_, time)| !time.is_zero())
            .collect()
    }

    /// The record in `slot` as it is now; `None` for a slot beyond the table.
    #[must_use]
    pub fn record(&self, slot: u32) -> Option<FlowRecord> {
        self.slab.copy(slot)
    }

    /// Has the programs look at the payload of both sides of the flow of `key` in `slot` as `looks` says from now on: a
    /// count of peeks or one of [`flow_common::record::looks`]; and notes what it speaks. Nothing where the slot is another flow's, or cannot be
    /// mapped: that flow is then followed as before.
    pub fn steer(&self, key: &FlowKey, slot: u32, looks: u8, app: Option<App>) {
        self.slab.steer(key, slot, looks, app);
    }

    /// Hands the waiting payload events to `visit`, in the order of the ring buffer; returns their number. At most as
    /// many bytes as fit into the buffer: of what comes faster than it is read, there would be no end.
    pub fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        self.some_events(self.event_bytes, visit)
    }

    /// The same with one of [`EVENT_PARTS`] of the buffer, so that what comes of it can be handed on before there is more.
    pub fn events_part(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        self.some_events(self.event_bytes / EVENT_PARTS, visit)
    }

    fn some_events(&mut self, most: usize, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        let (mut count, mut bytes) = (0, 0);
        while bytes < most
            && let Some(item) = self.events.next()
        {
            bytes += item.len();
            let Some((head, payload)) = item.split_at_checked(size_of::<PayloadEvent>()) else { continue };
            let Some(event) = pod::read::<PayloadEvent>(head) else { continue };
            let copied = usize::from(event.copied).min(MAX_COPY);
            visit(&event, payload.get(..copied).unwrap_or(payload));
            count += 1;
        }
        count
    }
}
