//! The tables `[[sink]]`.

use serde::{Deserialize, Serialize};

/// One table `[[sink]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SinkConfig {
    /// Where records go: `file:PATH` or another of the registry.
    pub url: String,
    /// Kinds of records; none: all that the format can write.
    pub records: Vec<String>,
    /// How they are written; empty: the usual format of that kind of sink.
    pub format: String,
    /// Records that wait at most; 0: `log_queue`.
    pub queue: u32,
}
