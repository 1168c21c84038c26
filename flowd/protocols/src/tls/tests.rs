//! Handshakes through the tracker.

mod generated;
mod kit;
mod stories;
