//! The table `[dns]`.

use serde::{Deserialize, Serialize};

/// DNS lookups: off by default, as every message on port 53 is copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dns {
    /// Metrics of lookups.
    pub enabled: bool,
    /// File of the DNS log, `-` for standard output; empty: none. A log switches DNS on.
    pub log: String,
}

impl Dns {
    /// Whether messages are copied at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.enabled || !self.log.is_empty()
    }
}
