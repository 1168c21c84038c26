//! flowd under load that asks for a share of the processor: one test at a time, as what runs beside takes it away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this is tests"
)]
#![allow(unreachable_pub, dead_code, reason = "the harness is a module here")]

#[path = "../support/mod.rs"]
mod support;

mod floods;
mod governor;
mod honest;
mod hostile;
mod http;
mod limits;
mod loopback;
mod requests;
mod stories;
