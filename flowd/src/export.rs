//! Where numbers and lines go: one file per sink.

pub mod classic;
pub mod enrich;
pub mod feed;
pub mod interfaces;
pub mod log;
pub mod path;
pub mod prometheus;
mod rows;
#[cfg(test)]
pub(crate) mod testing;
