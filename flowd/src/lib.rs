//! The daemon behind the `flowd` binary.
pub mod clock;
pub mod config;
pub mod flow;
