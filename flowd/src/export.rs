//! How numbers and records are shown over HTTP: expositions of `/metrics`, and the latest records for the API.

pub mod classic;
pub mod feed;
pub mod interfaces;
pub mod prometheus;
#[cfg(test)]
pub(crate) mod testing;
