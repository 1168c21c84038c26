//! A reading of the table that is under way, and what is kept from one to the next.

use flow_common::{end::EndReason, key::FlowKey};

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

/// A reading that is under way.
pub(crate) struct Reading {
    pub(crate) next: Next,
    pub(crate) report: DrainReport,
    /// Slots to look at are below this one.
    pub(crate) high: u32,
    /// A flow that nobody has answered for longer than this, ns, makes room for others.
    pub(crate) patience: u64,
}

/// What a reading does next.
pub(crate) enum Next {
    /// Look at the window that begins at this slot.
    Look(u32),
    /// Give back what ended, from this place of [`Drained::ending`] on.
    End(usize),
}

/// What a drain keeps from one to the next.
#[derive(Default)]
pub(crate) struct Drained {
    pub(crate) reading: Option<Reading>,
    /// Per slot: the mark of its record at the last visit; 0 before the first.
    pub(crate) marks: Vec<u64>,
    /// Slots that ended in the present drain, ascending.
    pub(crate) ending: Vec<(u32, EndReason)>,
    /// Keys that leave the index.
    pub(crate) leaving: Vec<FlowKey>,
    /// Slots that were taken when the last drain looked.
    pub(crate) taken: u32,
    /// Interface slots whose flows end with the next drain, as nothing passes there any more.
    pub(crate) evicted: Vec<u16>,
}

impl Drained {
    pub(crate) fn new(slots: u32) -> Self {
        Self { marks: vec![0; slots as usize], ..Self::default() }
    }

    /// How long a flow may wait for its answer, ns: without end in a table with room, no longer than it takes to send
    /// the first packet once more (1 s, RFC 6298 section 2) where half of it is taken, and not at all where little is
    /// left. So a flood of first packets, which nobody answers, leaves room for conversations.
    pub(crate) const fn patience(&self, slots: u32) -> u64 {
        let (taken, slots) = (self.taken as u64, slots as u64);
        if taken * 8 >= slots * 7 {
            0
        } else if taken * 2 >= slots {
            2_000_000_000
        } else {
            u64::MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_as_the_table_fills() {
        let mut drained = Drained::new(0);
        let patience = [0, 49, 50, 87, 88, 100].map(|taken| {
            drained.taken = taken;
            drained.patience(100)
        });
        assert_eq!(patience, [u64::MAX, u64::MAX, 2_000_000_000, 2_000_000_000, 0, 0]);
    }
}
