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
    /// Interface slots whose flows end with the next drain, as nothing passes there any more.
    pub(crate) evicted: Vec<u16>,
}

impl Drained {
    pub(crate) fn new(slots: u32) -> Self {
        Self { marks: vec![0; slots as usize], ..Self::default() }
    }
}
