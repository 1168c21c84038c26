//! The daemon behind the `flowd` binary.
pub mod capture;
pub mod flow;
pub mod kernel;
