//! Namespaces and child processes, as the tests have them.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared with tests"
)]

#[path = "../../tests/support/namespace.rs"]
pub mod namespace;
#[path = "../../tests/support/process.rs"]
pub mod process;

#[path = "../../tests/support/until.rs"]
mod until;

pub use until::until;
