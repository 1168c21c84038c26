//! flowd on networks of real programs: the kernel's counters, nginx's access log and the frames that the
//! test itself sent are the truth that its numbers are held to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this is tests"
)]
#![allow(unreachable_pub, reason = "the harness is a module here")]
#![allow(clippy::multiple_unsafe_ops_per_block, reason = "system calls with their arguments")]

#[path = "../support/mod.rs"]
mod support;

mod http;
mod loopback;
