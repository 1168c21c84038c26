//! Reads the flow table: what changed, what ended. Exact, as counters are never reset while a program may
//! still write to them.
//!
//! An ended flow goes in four steps: its key leaves the index, so that no new packet finds its record; one
//! grace period later every program that had found it before has returned; its final counts are read; its
//! slot is given back.

use flow_common::{
    names,
    record::{FlowRecord, life},
};

use super::{Kernel, KernelError, pod::Plain};
use crate::flow::{EndReason, end_of};

/// What one drain did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrainReport {
    /// Flows in the table after the drain.
    pub live: u32,
    /// Slots looked at.
    pub scanned: u32,
    /// Flows with new packets.
    pub changed: u32,
    /// Slots given back.
    pub freed: u32,
    /// Slots in all.
    pub capacity: u32,
}

/// Receives a slot, its record, and the reason where this is its last visit.
pub(super) type Visit<'a> = dyn FnMut(u32, &FlowRecord, Option<EndReason>) + 'a;

impl Kernel {
    /// Visits every flow that changed since the last drain, and every ended one once, as its last visit.
    /// `now` is nanoseconds of the packets' clock.
    ///
    /// # Errors
    /// A map cannot be changed, or the wait for running programs fails.
    pub fn drain(&mut self, now: u64, visit: &mut Visit<'_>) -> Result<DrainReport, KernelError> {
        self.sweep(Some(now), visit)
    }

    /// Detaches the programs and visits every flow for the last time.
    ///
    /// # Errors
    /// As for [`Kernel::drain`].
    pub fn finish(&mut self, visit: &mut Visit<'_>) -> Result<DrainReport, KernelError> {
        self.detach();
        grace()?;
        let mut report = DrainReport { capacity: self.slab.slots(), ..DrainReport::default() };
        for slot in 0..self.slab.slots() {
            report.scanned += 1;
            let life = self.slab.life(slot);
            if life == life::FREE {
                continue;
            }
            let Some(record) = self.slab.copy(slot) else { continue };
            if let Some(reason) = end_of(&record, life, None, &self.settings) {
                visit(slot, &record, Some(reason));
                // No program looks for a key or a free slot any more: the maps need not be told, which would
                // take two system calls per flow.
                self.slab.set_free(slot);
                report.freed += 1;
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
        self.visited.fill(u64::MAX);
        self.sweep(now, visit)
    }

    /// Ends what is over at `now`, or everything.
    fn sweep(&mut self, now: Option<u64>, visit: &mut Visit<'_>) -> Result<DrainReport, KernelError> {
        let mut report = DrainReport { capacity: self.slab.slots(), ..DrainReport::default() };
        let mut ending = std::mem::take(&mut self.ending);
        ending.clear();
        for slot in 0..self.slab.slots() {
            report.scanned += 1;
            let life = self.slab.life(slot);
            if life == life::FREE {
                continue;
            }
            let fingerprint = self.slab.fingerprint(slot);
            let changed = self.visited.get(slot as usize) != Some(&fingerprint);
            let Some(record) = self.slab.copy(slot) else { continue };
            if let Some(reason) = end_of(&record, life, now, &self.settings) {
                if life == life::LIVE {
                    // Absent where a new record took the key over in the meantime.
                    let _ = self.index.remove(&Plain(record.key));
                }
                ending.push((slot, reason));
            } else {
                report.live += 1;
                if changed {
                    report.changed += 1;
                    visit(slot, &record, None);
                    if let Some(visited) = self.visited.get_mut(slot as usize) {
                        *visited = fingerprint;
                    }
                }
            }
        }
        if !ending.is_empty() {
            grace()?;
        }
        for &(slot, reason) in &ending {
            if let Some(record) = self.slab.copy(slot) {
                visit(slot, &record, Some(reason));
            }
            self.slab.set_free(slot);
            if let Some(visited) = self.visited.get_mut(slot as usize) {
                *visited = 0;
            }
            self.free.push(slot, 0).map_err(|error| KernelError::map(names::MAP_FREE, &error))?;
            report.freed += 1;
        }
        self.ending = ending;
        Ok(report)
    }
}

/// Returns once every BPF program that was running has finished: they run inside an RCU read-side section,
/// and this membarrier is a `synchronize_rcu` (membarrier(2)).
fn grace() -> Result<(), KernelError> {
    const GLOBAL: libc::c_int = 1;
    // SAFETY: no pointers.
    let status = unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) };
    if status == 0 { Ok(()) } else { Err(KernelError::Grace(std::io::Error::last_os_error())) }
}
