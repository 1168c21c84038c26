//! Why there is no report, and what to do about it.

use std::path::PathBuf;

/// A report that cannot be made. Its text is one line that names place and remedy.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No connection, or it broke.
    #[error(
        "cannot reach Prometheus at {url}: {reason}; check that it runs and that --prometheus names its address, as http://127.0.0.1:9090"
    )]
    Unreachable { url: String, reason: String },
    /// It answered, and refused.
    #[error("Prometheus at {url} answers {status}: {message}; {remedy}")]
    Refused { url: String, status: u16, message: String, remedy: &'static str },
    /// An answer that is not of Prometheus' query API.
    #[error(
        "{url} does not answer as Prometheus does: {reason}; --prometheus takes the address before /api/v1/query"
    )]
    Answer { url: String, reason: String },
    /// Nothing to report on.
    #[error("{place} has no {what}; {remedy}")]
    Empty { place: String, what: &'static str, remedy: &'static str },
    /// A flow log that cannot be read.
    #[error("cannot read flow log {}: {source}; check the path given with --flow-log and its permissions", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A line of a flow log that is no flow record.
    #[error("{}, line {line}: {reason}; --flow-log takes the JSON lines of flowd run --flow-log", path.display())]
    Line { path: PathBuf, line: usize, reason: String },
}
