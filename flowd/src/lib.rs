//! The daemon behind the `flowd` binary: configuration, numbers, sinks, web server, and what wires them together.
//!
//! No unsafe code: whatever calls the C library or maps memory is in `flowd-kernel`, and what strangers send is read in
//! `flowd-protocols`.
#![forbid(unsafe_code)]

pub mod aggregate;
pub mod capture;
pub mod check;
pub mod cli;
pub mod config;
pub mod enrich;
pub mod export;
pub mod files;
pub mod flow;
pub mod governor;
pub mod interfaces;
pub mod memory;
pub mod native;
pub mod numbers;
pub mod pipeline;
pub mod read;
pub mod record;
pub mod report;
pub mod run;
pub mod screen;
pub mod service;
pub mod sinks;
pub mod tail;
pub mod telemetry;
pub mod web;

pub use flowd_kernel::{self as kernel, clock, privileges, threads};
pub use flowd_protocols as protocol;
