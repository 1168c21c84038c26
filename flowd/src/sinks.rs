//! Where records go. A sink is a format (records to bytes) over a transport (bytes to a peer); each kind of sink is one
//! folder and one line in `registry.rs`. What all of them need is here, once: a bounded queue, a backlog for bursts,
//! counters, back-off while a transport fails, and the ordered end. Each sink has a thread of its own, in which records
//! are rendered and sent, so that a slow disk or peer fills its own queue and nobody waits for it.
//!
//! This folder knows neither the configuration nor who makes the records.

mod backoff;
mod file;
pub mod files;
mod format;
mod ipfix;
mod lines;
mod queue;
mod registry;
mod scheme;
mod set;
mod sink;
mod spec;
mod state;
#[cfg(test)]
mod tests;
mod transport;
mod udp;
mod url;
mod writer;

use std::{io, sync::Arc};

pub use format::{Appended, Format};
pub use queue::BACKLOG;
pub use registry::SCHEMES;
pub use scheme::{FormatInfo, Halves, Reach, Scheme};
pub use set::{NewSinks, Opener, Sinks};
pub use sink::{Health, Outcome, Sink};
pub use spec::{Mistake, Part, Spec, kinds};
pub use transport::{Failure, Transport};
pub use url::Url;

/// A sink cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    #[error("cannot write {what} to {target}: {source}; {remedy}")]
    Open { what: Arc<str>, target: String, source: io::Error, remedy: &'static str },
    #[error("cannot start the thread that writes {what}: {source}")]
    Thread { what: Arc<str>, source: io::Error },
}
