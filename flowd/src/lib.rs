//! The daemon behind the `flowd` binary.
pub mod flow;
pub mod protocol;
