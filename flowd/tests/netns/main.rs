//! flowd on networks of real programs: the kernel's counters, nginx's access log and the frames that the
//! test itself sent are the truth that its numbers are held to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this is tests"
)]
#![allow(unreachable_pub, reason = "the harness is a module here")]

#[path = "../support/mod.rs"]
mod support;

mod access_log;
mod blame;
mod capacity;
mod coexistence;
mod conservation;
mod counters;
mod flood;
mod follow;
mod handshakes;
mod http;
mod http_garbage;
mod http_secrets;
mod http_shapes;
mod lookups;
mod loopback;
mod lost;
mod malformed;
mod offload;
mod outputs;
mod overload;
mod quality;
mod refusals;
mod reload;
mod restart;
mod security;
mod series;
mod service;
mod signals;
mod tail;
mod think;
mod xdp;
