//! Free slots, as the daemon gives them out and takes them back.

use aya::maps::{MapData, PerCpuArray, Stack};
use flow_common::{
    free::{Hand, Run, skip},
    names,
};

use crate::{KernelError, sys::pod::Plain};

pub(crate) struct FreeSlots {
    stack: Stack<MapData, Plain<Run>>,
    hands: PerCpuArray<MapData, Plain<Hand>>,
    /// Slots of a run.
    run: u32,
    /// Runs that are ready to be given out.
    ready: Vec<Run>,
}

impl FreeSlots {
    pub(crate) const fn new(
        stack: Stack<MapData, Plain<Run>>,
        hands: PerCpuArray<MapData, Plain<Hand>>,
        run: u32,
    ) -> Self {
        Self { stack, hands, run, ready: Vec::new() }
    }

    /// Gives out all slots of a new table.
    pub(crate) fn fill(&mut self, slots: u32) -> Result<(), KernelError> {
        for first in (0..slots).step_by(self.run as usize) {
            self.ready.push(Run { first, left: self.run.min(slots - first) });
        }
        self.give_out()
    }

    /// Slots that were ever taken are below this one, but for those taken while it is read.
    pub(crate) fn high(&self) -> Result<u32, KernelError> {
        let hands = self.hands.get(&0, 0).map_err(|error| KernelError::map(names::MAP_HAND, &error))?;
        Ok(hands.iter().map(|hand| hand.0.high).fold(0, u32::max))
    }

    /// Takes back the slot that stands at `place` among slots that come back together, with `next` after it; says
    /// what its record must say. Not before all of their records say so are they given out.
    pub(crate) fn take_back(&mut self, place: usize, slot: u32, next: Option<u32>) -> u32 {
        match self.ready.last_mut() {
            Some(run) if !place.is_multiple_of(self.run as usize) => run.left += 1,
            _ => self.ready.push(Run { first: slot, left: 1 }),
        }
        next.map_or(0, |next| skip(slot, next))
    }

    /// Lets the programs have the runs that are ready; the lowest are taken first, so that a scan need not go far.
    pub(crate) fn give_out(&mut self) -> Result<(), KernelError> {
        for run in self.ready.drain(..).rev() {
            self.stack.push(Plain(run), 0).map_err(|error| KernelError::map(names::MAP_FREE, &error))?;
        }
        Ok(())
    }
}

/// Slots of a run, in a table of `slots` on a machine of `cpus` CPUs. Each CPU holds back what is left of its own
/// run while others find the table full: a sixteenth of all slots at most.
pub(crate) fn run_length(slots: u32, cpus: u32) -> u32 {
    const LONGEST: u32 = 64;
    (slots / cpus.max(1) / 16).clamp(1, LONGEST)
}
