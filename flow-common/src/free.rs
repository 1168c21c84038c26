//! Free slots: runs that chain through the free records themselves. One entry of the stack stands for many
//! slots, so that filling it and giving back takes a system call per run, and a CPU takes from the run in its
//! own hand without asking anybody.

/// A chain of free slots. Each leads to the next by [`FlowRecord::skip`], which is zero in memory that was
/// never used: there a run is slots in a row.
///
/// [`FlowRecord::skip`]: crate::record::FlowRecord::skip
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Run {
    pub first: u32,
    /// Slots in it.
    pub left: u32,
}

/// The run that one CPU takes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Hand {
    pub run: Run,
    /// One past the highest slot that this CPU ever took: beyond all of these nothing needs to be read.
    pub high: u32,
    pub reserved: u32,
}

/// What [`FlowRecord::skip`] of `slot` says where `next` follows it.
///
/// [`FlowRecord::skip`]: crate::record::FlowRecord::skip
#[inline(always)]
#[must_use]
pub const fn skip(slot: u32, next: u32) -> u32 {
    next.wrapping_sub(slot).wrapping_sub(1)
}

impl Hand {
    /// Takes a slot, from a new run of `next` where this one is used up; `skip_of` reads the record of a slot.
    ///
    /// Programs on the TC and XDP hooks run with bottom halves off, so that nothing comes between on this CPU.
    #[inline(always)]
    pub fn take(
        &mut self,
        next: impl FnOnce() -> Option<Run>,
        skip_of: impl FnOnce(u32) -> Option<u32>,
    ) -> Option<u32> {
        if self.run.left == 0 {
            self.run = next()?;
        }
        let slot = self.run.first;
        let skip = skip_of(slot)?;
        self.run.left = self.run.left.wrapping_sub(1);
        self.run.first = slot.wrapping_add(skip).wrapping_add(1);
        if self.high <= slot {
            self.high = slot.wrapping_add(1);
        }
        Some(slot)
    }

    /// Puts back the slot that was taken last; its record must say what this returns.
    #[inline(always)]
    pub fn give_back(&mut self, slot: u32) -> u32 {
        let skip = skip(slot, self.run.first);
        self.run.first = slot;
        self.run.left = self.run.left.wrapping_add(1);
        skip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes until nothing is left.
    fn all(hand: &mut Hand, runs: &mut Vec<Run>, skips: &[u32]) -> Vec<u32> {
        std::iter::from_fn(|| hand.take(|| runs.pop(), |slot| skips.get(slot as usize).copied())).collect()
    }

    #[test]
    fn unused_memory_is_slots_in_a_row() {
        let mut runs = vec![Run { first: 4, left: 2 }, Run { first: 0, left: 4 }];
        let mut hand = Hand::default();
        assert_eq!(all(&mut hand, &mut runs, &[0; 6]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(hand.high, 6);
    }

    #[test]
    fn a_chain_leads_anywhere() {
        let mut skips = [0; 10];
        for pair in [9, 2, 7, 0].windows(2) {
            skips[pair[0] as usize] = skip(pair[0], pair[1]);
        }
        let mut runs = vec![Run { first: 9, left: 4 }];
        let mut hand = Hand::default();
        assert_eq!(all(&mut hand, &mut runs, &skips), [9, 2, 7, 0]);
        assert_eq!(hand.high, 10);
    }

    #[test]
    fn what_is_given_back_comes_next() {
        let mut skips = [0; 4];
        let mut runs = vec![Run { first: 1, left: 2 }];
        let mut hand = Hand::default();
        for _ in 0..3 {
            let slot = hand.take(|| runs.pop(), |slot| skips.get(slot as usize).copied()).unwrap();
            assert_eq!(slot, 1);
            // A record that was begun leads nowhere.
            skips[1] = 77;
            skips[1] = hand.give_back(slot);
        }
        assert_eq!(all(&mut hand, &mut runs, &skips), [1, 2]);
    }

    #[test]
    fn a_slot_beyond_the_table_is_not_taken() {
        let mut hand = Hand::default();
        assert_eq!(hand.take(|| Some(Run { first: 9, left: 1 }), |_| None), None);
    }
}
