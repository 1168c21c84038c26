//! The flow table: find or make a record, begin a new one where the old one is over.

use core::hint::cold_path;

use crate::{
    key::FlowKey,
    record::{Ended, SharedRecord, life},
};

/// What a table must offer; [`update`] is the one way to use it.
pub trait Flows {
    /// Slot of the record that `key` leads to.
    fn find(&mut self, key: &FlowKey) -> Option<u32>;
    /// The record in `slot`; `None` for a slot beyond the table.
    fn record(&self, slot: u32) -> Option<&SharedRecord>;
    /// Takes a free slot; `None` when the table is full.
    fn take(&mut self) -> Option<u32>;
    /// Returns a slot that was taken and not published.
    fn give_back(&mut self, slot: u32);
    /// Makes `key` lead to `slot`; false where another CPU was faster, or the index is full.
    fn publish(&mut self, key: &FlowKey, slot: u32) -> bool;
    /// Makes `key`, which is in the index, lead to `slot`.
    fn redirect(&mut self, key: &FlowKey, slot: u32);
}

/// A record and where it is.
pub struct Found<'a> {
    pub slot: u32,
    /// Nothing was counted in it yet.
    pub fresh: bool,
    pub record: &'a SharedRecord,
}

/// The record for a packet of `key`, a new one if there is none or `over` says that the present one ended.
///
/// `None` when the table is full. An ended record whose successor finds no free slot goes on instead:
/// better one flow too few than a packet uncounted.
#[inline(always)]
pub fn update<'a, T: Flows>(
    table: &'a mut T,
    key: &FlowKey,
    now: u64,
    over: impl FnOnce(&T, &SharedRecord) -> Option<Ended>,
) -> Option<Found<'a>> {
    let Some(slot) = table.find(key) else {
        cold_path();
        return make(table, key, now);
    };
    let ended = over(table, table.record(slot)?);
    let Some(reason) = ended else {
        return Some(Found { slot, fresh: false, record: table.record(slot)? });
    };
    cold_path();
    let Some(successor) = table.take() else {
        return Some(Found { slot, fresh: false, record: table.record(slot)? });
    };
    table.record(successor)?.begin(key, now);
    table.redirect(key, successor);
    live(table, successor);
    if let Some(old) = table.record(slot) {
        if old.ended.get() == Ended::No as u8 {
            old.ended.set(reason as u8);
        }
        // Last, as it tells the reader that no more packets will find this record.
        old.life.set(life::DETACHED);
    }
    Some(Found { slot: successor, fresh: true, record: table.record(successor)? })
}

#[inline(always)]
fn make<'a, T: Flows>(table: &'a mut T, key: &FlowKey, now: u64) -> Option<Found<'a>> {
    let slot = table.take()?;
    table.record(slot)?.begin(key, now);
    if table.publish(key, slot) {
        live(table, slot);
        return Some(Found { slot, fresh: true, record: table.record(slot)? });
    }
    table.give_back(slot);
    // Another CPU made the flow at the same moment.
    let slot = table.find(key)?;
    Some(Found { slot, fresh: false, record: table.record(slot)? })
}

/// Shows a record to the reader: only after its key leads to it, so that the reader never takes an old
/// record's leavings for a flow, nor ends a flow that is being made.
#[inline(always)]
fn live<T: Flows>(table: &T, slot: u32) {
    if let Some(record) = table.record(slot) {
        record.life.set(life::LIVE);
    }
}
