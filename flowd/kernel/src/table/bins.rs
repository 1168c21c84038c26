//! Bytes by the millisecond, read in place.

use std::{io, os::fd::OwnedFd, sync::atomic::Ordering};

use flow_common::{
    bins::{self, Bins},
    key::Direction,
};

use crate::sys::Mapping;

/// The bins of all CPUs.
pub(crate) struct AllBins {
    mapping: Mapping,
    /// Interface slots that have bins, from 1.
    slots: usize,
    cpus: usize,
}

impl AllBins {
    pub(crate) fn new(map: &OwnedFd, slots: u32, cpus: usize) -> io::Result<Self> {
        let slots = slots as usize;
        let bytes = (cpus * slots * 2).max(1) * size_of::<Bins>();
        Ok(Self { mapping: Mapping::new(map, 0, bytes)?, slots, cpus })
    }

    /// See [`crate::Kernel::passed`].
    pub(crate) fn passed(&self, slot: u16, direction: Direction, from: u64, sums: &mut [u64]) -> u64 {
        let Some(slot) = usize::from(slot).checked_sub(1).filter(|slot| *slot < self.slots) else { return 0 };
        let mut missed = 0;
        for cpu in 0..self.cpus {
            let ring = (cpu * self.slots + slot) * 2 + direction as usize;
            let words = self.mapping.words().get(ring * Bins::WORDS..).unwrap_or_default();
            let word = |index: usize| words.get(index).map_or(0, |word| word.load(Ordering::Relaxed));
            missed = bins::read(word, from, sums).max(missed);
        }
        missed
    }
}
