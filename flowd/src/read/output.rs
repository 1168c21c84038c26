//! What `flowd read` prints.

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// JSON lines: flows, HTTP exchanges, a summary.
    Json,
    /// A table of flows for the eye.
    Table,
    /// What `/metrics` would hold in the end.
    Metrics,
    /// A summary; records go to the configuration's sinks.
    Sinks,
}
