//! The store of current numbers: written by the pipeline, read by `/metrics`, the API and status lines.

mod board;
mod families;
mod moment;
mod rows;
mod show;

pub use board::Board;
pub use families::families;
pub use moment::Moment;
