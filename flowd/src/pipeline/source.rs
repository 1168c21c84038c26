//! Where flow records and payload copies come from: the kernel, a capture, or a story in tests.

use std::{io, time::Duration};

use anyhow::{Result, bail};
use flow_common::{
    clock::Reuse,
    counter::InterfaceTotals,
    event::PayloadEvent,
    key::Direction,
    record::FlowRecord,
    settings::{Interface, Omissions},
};
use flowd_protocols::conversation::Decision;

use crate::{
    clock::WallClock,
    flow::EndReason,
    kernel::{DrainReport, Kernel, LoadOptions, Room},
};

/// Takes a slot, its record and, on its last visit, why the flow ended.
pub type Visit<'a> = &'a mut dyn FnMut(u32, &FlowRecord, Option<EndReason>);

/// A packet path that fills a flow table.
pub trait Source: Send {
    /// Watches an interface; gives back how it is attached, for the log.
    ///
    /// # Errors
    /// The source watches no interfaces, or this one cannot be watched; says why.
    fn attach(&mut self, name: &str, _ifindex: u32, _interface: Interface) -> Result<&'static str> {
        bail!("{name}: this source of packets attaches to no interface")
    }
    /// Ends the watching of an interface, whether it is there or not. Its flows end with the next drain.
    fn detach(&mut self, _ifindex: u32) -> Result<()> {
        Ok(())
    }
    /// True while everything is there that was attached to an interface.
    fn stands(&self, _ifindex: u32) -> bool {
        true
    }
    /// Counts a watched interface under another slot from now on. Flows of the one before end with the next drain.
    fn assign(&mut self, _ifindex: u32, _interface: Interface) -> Result<()> {
        Ok(())
    }
    /// Sets the totals of a slot to 0 under which nothing is attached.
    fn clear(&mut self, _slot: u16) -> Result<()> {
        Ok(())
    }
    /// Shows a part of the records that changed since the last drain, and of the ended flows, each once with its
    /// reason; gives the report with the last part. `now` is in nanoseconds of the packet's clock, the same for all
    /// parts.
    fn drain_part(&mut self, now: u64, visit: Visit<'_>) -> Result<Option<DrainReport>>;
    /// How full the flow table is now, at little cost; `None` where that is not known.
    fn room(&mut self) -> Result<Option<Room>> {
        Ok(None)
    }
    /// Totals of each interface over all CPUs, in which all is that the drain before has shown.
    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>>;
    /// Totals of an interface as they are now; flows may be behind.
    fn seen(&mut self, slot: u16) -> Result<InterfaceTotals> {
        Ok(self.totals(&[slot])?.first().copied().unwrap_or_default())
    }
    /// Adds the bytes that passed an interface to the last argument, by milliseconds of the packets' clock from the
    /// one before it on. Returns how many of these came too late to be read.
    fn passed(&self, slot: u16, direction: Direction, from: u64, sums: &mut [u64]) -> u64;
    /// Shows copied payload in the order of its capture, at most one of [`kernel::EVENT_PARTS`](crate::kernel::EVENT_PARTS)
    /// of what its buffer holds; gives back how many events there were.
    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize;
    /// Shows the record in `slot` as it is now, where the source can.
    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord));
    /// Has the packet path go by what was decided of a flow's payload.
    fn steer(&mut self, _: &Decision) {}
    /// The distance between the packets' clock and the day's.
    fn clock(&self) -> io::Result<WallClock> {
        WallClock::measure()
    }
    /// How long each program has run so far; nothing where that is not measured.
    fn reuse(&self) -> Result<Reuse> {
        Ok(Reuse::default())
    }

    fn run_times(&self) -> Vec<(String, Duration)> {
        Vec::new()
    }
    /// Has the packet path of every watched interface leave this out from now on.
    fn omit(&mut self, _: Omissions) -> Result<()> {
        Ok(())
    }
    /// Detaches and shows all that is left.
    fn finish(&mut self, visit: Visit<'_>) -> Result<DrainReport>;
}

/// Loads the kernel part.
pub fn load(options: &LoadOptions) -> Result<Box<dyn Source>> {
    Ok(Box::new(Kernel::load(options)?))
}

impl Source for Kernel {
    fn attach(&mut self, name: &str, ifindex: u32, interface: Interface) -> Result<&'static str> {
        Ok(Self::attach(self, name, ifindex, interface)?.name())
    }

    fn detach(&mut self, ifindex: u32) -> Result<()> {
        Ok(self.detach_from(ifindex)?)
    }

    fn stands(&self, ifindex: u32) -> bool {
        Self::stands(self, ifindex)
    }

    fn assign(&mut self, ifindex: u32, interface: Interface) -> Result<()> {
        Ok(Self::assign(self, ifindex, interface)?)
    }

    fn clear(&mut self, slot: u16) -> Result<()> {
        Ok(self.clear_totals(slot)?)
    }

    fn drain_part(&mut self, now: u64, visit: Visit<'_>) -> Result<Option<DrainReport>> {
        Ok(Self::drain_part(self, now, visit)?)
    }

    fn room(&mut self) -> Result<Option<Room>> {
        Ok(Some(Self::room(self)?))
    }

    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        Ok(self.settled_totals(slots)?)
    }

    fn seen(&mut self, slot: u16) -> Result<InterfaceTotals> {
        Ok(Self::totals(self, slot)?)
    }

    fn passed(&self, slot: u16, direction: Direction, from: u64, sums: &mut [u64]) -> u64 {
        Self::passed(self, slot, direction, from, sums)
    }

    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        Self::events_part(self, visit)
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        if let Some(record) = Self::record(self, slot) {
            visit(&record);
        }
    }

    fn steer(&mut self, decision: &Decision) {
        Self::steer(self, &decision.key, decision.slot, decision.copies.looks(), decision.app);
    }

    fn reuse(&self) -> Result<Reuse> {
        Ok(Self::reuse(self)?)
    }

    fn run_times(&self) -> Vec<(String, Duration)> {
        Self::run_times(self)
    }

    fn omit(&mut self, omissions: Omissions) -> Result<()> {
        Ok(Self::omit(self, omissions)?)
    }

    fn finish(&mut self, visit: Visit<'_>) -> Result<DrainReport> {
        Ok(Self::finish(self, visit)?)
    }
}
