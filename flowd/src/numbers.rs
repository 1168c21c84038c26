//! The store of current numbers: written by the pipeline, read by `/metrics`, the API and status lines.

mod board;
mod families;
mod rows;

pub use board::{Board, Moment};
pub use families::families;
