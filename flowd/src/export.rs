//! Where numbers and lines go: one file per sink.

pub mod classic;
pub mod log;
pub mod prometheus;
mod rows;
