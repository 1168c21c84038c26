//! Hand-written TCP conversations and what the record must say of them (RFC 9293; the quality counts as
//! tshark's `tcp.analysis` has them, states and history as Zeek writes them).
#![allow(clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]
#[path = "../support/mod.rs"]
mod support;

mod endings;
mod loss;
mod opening;
mod ports;
mod rtt;
mod sequence;
mod windows;
