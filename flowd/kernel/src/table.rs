//! The flow table's maps, as the daemon reads them: records, free slots, bytes by the millisecond, and how far a
//! reading is.

pub(crate) mod bins;
pub(crate) mod free;
pub(crate) mod reading;
pub(crate) mod room;
pub(crate) mod slab;
