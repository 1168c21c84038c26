//! Where numbers and lines go: one file per sink.

pub mod classic;
pub mod feed;
pub mod interfaces;
pub mod log;
pub mod prometheus;
#[cfg(test)]
pub(crate) mod testing;
