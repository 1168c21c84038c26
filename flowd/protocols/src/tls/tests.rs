//! Handshakes through the tracker.

mod generated;
pub(crate) mod kit;
mod stories;
