//! Protocols of requests and responses over TCP, followed from what both sides say, on any port.
//!
//! The packet path knows none of them. It copies the first bytes of segments on connections that nobody has recognised
//! yet; here each protocol looks at what both sides began with, and says whether that is its own. Who is recognised gets
//! the bytes of both sides in order, with what is missing named, and says what they mean: this module keeps times, pairs
//! and bounds.

mod candidates;
mod connection;
mod dialect;
mod dialogue;
#[cfg(test)]
pub(crate) mod kit;
pub(crate) mod lines;
mod member;
#[cfg(test)]
pub(crate) mod mischief;
mod opening;
#[cfg(test)]
pub(crate) mod openings;
pub(crate) mod order;
mod record;
#[cfg(test)]
mod refuted;
pub(crate) mod sql;
mod steering;
mod stream;
mod talk;
mod tracker;

pub use dialect::{Candidate, Dialect, Input, Recognition, Side, Step};
pub use member::Entry;
pub use record::RequestRecord;
pub use steering::{Copies, Decision};
pub use talk::{Ask, Outcome, Status, Talk, Ticket};
pub use tracker::{Conversations, HELD};
