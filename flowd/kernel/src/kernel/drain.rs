//! Reads the flow table: what changed, what ended. Exact, as counters are never reset while a program may
//! still write to them, and a record that a program may still be writing to is read again next time.
//!
//! An ended flow goes in four steps: its record says so and its key leaves the index, so that no new packet
//! finds it by a hint or by its key; one grace period later every program that had found it before has
//! returned; its final counts are read; its slot is given back.

use std::io;

use flow_common::{
    end::{EndReason, shortest_timeout},
    names,
    record::{FlowRecord, life},
};

use super::Kernel;
use crate::{
    KernelError, sys,
    table::{
        reading::{DrainReport, Drained, Next, Reading},
        room::Room,
        slab::{WINDOW, Window},
    },
};

/// Receives a slot, its record, and the reason where this is its last visit.
type Visit<'a> = dyn FnMut(u32, &FlowRecord, Option<EndReason>) + 'a;

/// A program stamps a record before it counts the packet: a record stamped within this time, ns, before it was
/// read may be half written, and is read again. Programs take microseconds; this leaves room for a CPU that its
/// hypervisor had stopped.
const SETTLE: u64 = 1_000_000_000;

/// Ends of one drain that there is always room for.
const KEPT: usize = 65_536;

/// Mark of a record that is to be read whatever its stamps say.
const AGAIN: u64 = u64::MAX;

/// The stamps of a record in one word. No two packets of one side leave the same.
const fn mark([a, b]: [u64; 2]) -> u64 {
    a ^ b.rotate_left(32)
}

impl Kernel {
    /// Visits every flow that changed since the last drain, and every ended one once, as its last visit.
    /// `now` is nanoseconds of the packets' clock.
    ///
    /// # Errors
    /// A map cannot be changed, or the wait for running programs fails.
    pub fn drain(&mut self, now: u64, visit: &mut Visit<'_>) -> Result<DrainReport, KernelError> {
        self.sweep(Some(now), visit)
    }

    /// The next part of such a drain, of at most 8,192 flows: the report with the last part, before which `now`
    /// stays the same. Between parts the caller may do what cannot wait. After an error the next call begins anew.
    ///
    /// # Errors
    /// As for [`Kernel::drain`].
    pub fn drain_part(
        &mut self,
        now: u64,
        visit: &mut Visit<'_>,
    ) -> Result<Option<DrainReport>, KernelError> {
        self.part(Some(now), visit)
    }

    /// How full the table is. One system call, however large the table.
    ///
    /// # Errors
    /// The map of free slots cannot be read.
    pub fn room(&mut self) -> Result<Room, KernelError> {
        Ok(Room { free: self.free.left()?, slots: self.slab.slots() })
    }

    /// Detaches the programs and visits every flow for the last time.
    ///
    /// # Errors
    /// As for [`Kernel::drain`].
    pub fn finish(&mut self, visit: &mut Visit<'_>) -> Result<DrainReport, KernelError> {
        self.detach();
        sys::grace()?;
        let mut report = self.report();
        let high = self.free.high()?;
        for first in (0..high).step_by(WINDOW as usize) {
            let window = self.window(first, high)?;
            for slot in window.slots() {
                report.scanned += 1;
                let life = window.life(slot);
                if life == life::FREE {
                    continue;
                }
                if let Some(reason) = window.rest(slot, life).end(None, &self.settings) {
                    visit(slot, &window.copy(slot), Some(reason));
                    // No program looks for a key or a free slot any more: the maps need not be told.
                    window.set_free(slot, 0);
                    report.freed += 1;
                }
            }
        }
        Ok(report)
    }

    /// Ends what is over at `now`, or everything, and shows every flow, changed or not: for replays, which
    /// have no interval.
    ///
    /// # Errors
    /// As for [`Kernel::drain`].
    pub fn sweep_all(&mut self, now: Option<u64>, visit: &mut Visit<'_>) -> Result<DrainReport, KernelError> {
        let high = self.free.high()? as usize;
        self.drained.marks.iter_mut().take(high).for_each(|mark| *mark = AGAIN);
        self.sweep(now, visit)
    }

    fn report(&self) -> DrainReport {
        DrainReport { capacity: self.slab.slots(), ..DrainReport::default() }
    }

    fn window(&self, first: u32, end: u32) -> Result<Window, KernelError> {
        self.slab.window(first, end).map_err(|error| failed(names::MAP_FLOWS, &error))
    }

    /// Ends what is over at `now`, or everything.
    fn sweep(&mut self, now: Option<u64>, visit: &mut Visit<'_>) -> Result<DrainReport, KernelError> {
        loop {
            if let Some(report) = self.part(now, visit)? {
                return Ok(report);
            }
        }
    }

    /// The next part of a reading; begins one where none is under way.
    fn part(&mut self, now: Option<u64>, visit: &mut Visit<'_>) -> Result<Option<DrainReport>, KernelError> {
        let mut reading = match self.drained.reading.take() {
            Some(reading) => reading,
            None => self.begin()?,
        };
        match reading.next {
            Next::Look(first) if first < reading.high => {
                let window = self.window(first, reading.high)?;
                self.look(&window, now, reading.patience, visit, &mut reading.report);
                self.unlink()?;
                reading.next = Next::Look(first.saturating_add(WINDOW));
            }
            Next::Look(_) if self.drained.ending.is_empty() => {
                self.drained.evicted.clear();
                return Ok(Some(reading.report));
            }
            Next::Look(_) => {
                self.drained.evicted.clear();
                sys::grace()?;
                reading.next = Next::End(0);
            }
            Next::End(place) => match self.end(place, visit, &mut reading.report)? {
                Some(next) => reading.next = Next::End(next),
                None => return Ok(Some(reading.report)),
            },
        }
        self.drained.reading = Some(reading);
        Ok(None)
    }

    fn begin(&mut self) -> Result<Reading, KernelError> {
        self.drained.ending.clear();
        let patience = self.room()?.patience();
        Ok(Reading { next: Next::Look(0), report: self.report(), high: self.free.high()?, patience })
    }

    /// Shows what changed in a window and notes what is over.
    fn look(
        &mut self,
        window: &Window,
        now: Option<u64>,
        patience: u64,
        visit: &mut Visit<'_>,
        report: &mut DrainReport,
    ) {
        let Self { drained: Drained { marks, ending, leaving, evicted, .. }, settings, .. } = self;
        let shortest = shortest_timeout(settings);
        let slots = window.slots();
        let Some(marks) = marks.get_mut(slots.start as usize..slots.end as usize) else { return };
        for (slot, seen) in slots.zip(marks) {
            report.scanned += 1;
            let life = window.life(slot);
            if life == life::FREE {
                continue;
            }
            let stamps = window.lasts(slot);
            let latest = stamps[0].max(stamps[1]);
            // Most are this, so that nothing else is read of them.
            let rests = now.is_some_and(|now| now.saturating_sub(latest) <= shortest) && life == life::LIVE;
            let mut over = if rests { None } else { window.rest(slot, life).end(now, settings) };
            if over.is_none()
                && patience != u64::MAX
                && now.is_some_and(|now| now.saturating_sub(latest) > patience)
                && window.rest(slot, life).waits(stamps)
            {
                over = Some(EndReason::Evicted);
            }
            // Seldom: the key is another cache line.
            if over.is_none() && !evicted.is_empty() && evicted.contains(&window.key(slot).interface()) {
                over = Some(window.rest(slot, life).closed().unwrap_or(EndReason::Evicted));
            }
            if let Some(reason) = over {
                if life == life::LIVE {
                    window.detach(slot);
                    leaving.push(window.key(slot));
                }
                ending.push((slot, reason));
                continue;
            }
            report.live += 1;
            let mark = mark(stamps);
            if *seen != mark {
                report.changed += 1;
                visit(slot, &window.copy(slot), None);
                let settled = now.is_none_or(|now| latest.saturating_add(SETTLE) <= now);
                *seen = if settled { mark } else { AGAIN };
            }
        }
    }

    /// Takes keys out of the index. One may be absent, where a new record took it over in the meantime.
    fn unlink(&mut self) -> Result<(), KernelError> {
        let leaving = &mut self.drained.leaving;
        // SAFETY: the index has these keys.
        unsafe { sys::bpf::delete_all(&self.index, leaving) }
            .map_err(|error| failed(names::MAP_INDEX, &error))?;
        leaving.clear();
        Ok(())
    }

    /// Shows what no program can reach any more for the last time, one window from `place` on; says where to go on.
    /// With the last of them the slots are given back.
    fn end(
        &mut self,
        place: usize,
        visit: &mut Visit<'_>,
        report: &mut DrainReport,
    ) -> Result<Option<usize>, KernelError> {
        let Self { slab, free, drained: Drained { ending, marks, .. }, .. } = self;
        let mut rest = ending.iter().enumerate().skip(place).peekable();
        if let Some((_, (slot, _))) = rest.peek() {
            let first = slot / WINDOW * WINDOW;
            let window = slab.window(first, u32::MAX).map_err(|error| failed(names::MAP_FLOWS, &error))?;
            while let Some((place, &(slot, reason))) =
                rest.next_if(|(_, (slot, _))| window.slots().contains(slot))
            {
                visit(slot, &window.copy(slot), Some(reason));
                let next = rest.peek().map(|(_, (next, _))| *next);
                window.set_free(slot, free.take_back(place, slot, next));
                if let Some(mark) = marks.get_mut(slot as usize) {
                    *mark = 0;
                }
                report.freed += 1;
            }
        }
        if let Some((place, _)) = rest.peek() {
            return Ok(Some(*place));
        }
        // What one great end took is not kept for ever.
        ending.shrink_to(KEPT);
        free.give_out()?;
        Ok(None)
    }
}

fn failed(map: &'static str, error: &io::Error) -> KernelError {
    KernelError::Map { map, detail: error.to_string() }
}
