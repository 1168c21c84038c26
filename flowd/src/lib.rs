//! The daemon behind the `flowd` binary.
pub mod aggregate;
pub mod capture;
pub mod cli;
pub mod clock;
pub mod config;
pub mod export;
pub mod flow;
pub mod interfaces;
pub mod kernel;
pub mod native;
pub mod privileges;
pub mod protocol;
pub mod read;
pub mod run;
pub mod tail;
pub mod telemetry;
pub mod web;
