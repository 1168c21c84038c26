//! Free slots, as the daemon gives them out and takes them back.

use std::{io, os::fd::OwnedFd};

use aya::maps::{MapData, PerCpuArray};
use flow_common::{
    free::{Hand, Run, skip},
    names,
};

use crate::{
    KernelError,
    sys::{bpf, pod::Plain},
};

pub(crate) struct FreeSlots {
    /// Not aya's, which cannot look at what lies on top.
    stack: OwnedFd,
    hands: PerCpuArray<MapData, Plain<Hand>>,
    /// Slots of a run.
    run: u32,
    /// Runs that are ready to be given out.
    ready: Vec<Run>,
    given: Given,
}

/// The runs on the stack as the daemon remembers them. Only programs take, and only from the top: so what lies there
/// tells how many are left.
#[derive(Default)]
struct Given {
    runs: Vec<Run>,
    /// In all of these.
    slots: u32,
}

impl Given {
    fn push(&mut self, run: Run) {
        self.slots += run.left;
        self.runs.push(run);
    }

    /// `top` lies on top now, or nothing does. A run that was taken while others were put there is found to be gone
    /// once those above it are.
    fn taken_to(&mut self, top: Option<u32>) {
        while let Some(run) = self.runs.pop_if(|run| Some(run.first) != top) {
            self.slots -= run.left;
        }
    }
}

impl FreeSlots {
    /// `stack` is the map of free slots.
    pub(crate) const fn new(stack: OwnedFd, hands: PerCpuArray<MapData, Plain<Hand>>, run: u32) -> Self {
        Self { stack, hands, run, ready: Vec::new(), given: Given { runs: Vec::new(), slots: 0 } }
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

    /// Slots that lie ready for any CPU.
    pub(crate) fn left(&mut self) -> Result<u32, KernelError> {
        // SAFETY: the stack of runs.
        let top = unsafe { bpf::peek::<Run>(&self.stack) }.map_err(|error| failed(&error))?;
        self.given.taken_to(top.map(|run| run.first));
        Ok(self.given.slots)
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
        // So that what is remembered never grows beyond what is there.
        self.left()?;
        for run in self.ready.drain(..).rev() {
            // SAFETY: the stack of runs.
            unsafe { bpf::push(&self.stack, &run) }.map_err(|error| failed(&error))?;
            self.given.push(run);
        }
        Ok(())
    }
}

fn failed(error: &io::Error) -> KernelError {
    KernelError::Map { map: names::MAP_FREE, detail: error.to_string() }
}

/// Slots of a run, in a table of `slots` on a machine of `cpus` CPUs. Each CPU holds back what is left of its own
/// run while others find the table full: a sixteenth of all slots at most.
pub(crate) fn run_length(slots: u32, cpus: u32) -> u32 {
    const LONGEST: u32 = 64;
    (slots / cpus.max(1) / 16).clamp(1, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(firsts: &[u32]) -> Given {
        let mut given = Given::default();
        firsts.iter().for_each(|first| given.push(Run { first: *first, left: 10 }));
        given
    }

    #[test]
    fn what_lies_on_top_tells_how_many_are_left() {
        let mut given = given(&[30, 20, 10, 0]);
        for (top, left) in [(Some(0), 40), (Some(20), 20), (Some(20), 20), (None, 0), (None, 0)] {
            given.taken_to(top);
            assert_eq!(given.slots, left, "{top:?}");
        }
        given.push(Run { first: 7, left: 3 });
        given.taken_to(Some(7));
        assert_eq!(given.slots, 3);
    }

    #[test]
    fn runs_taken_while_others_come_are_forgotten_in_the_end() {
        // 0 was taken before 50 was put there, came back under the same name, and goes once more.
        let mut given = given(&[30, 0, 50, 0]);
        for (top, left) in [(Some(0), 40), (Some(50), 30), (Some(30), 10), (None, 0)] {
            given.taken_to(top);
            assert_eq!(given.slots, left, "{top:?}");
        }
    }
}
