//! The table `[dns]`.

use serde::{Deserialize, Serialize};

use super::Outputs;

/// DNS lookups: off by default, as every message on port 53 is copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dns {
    /// Metrics of lookups.
    pub enabled: bool,
    /// Where the DNS log goes. A log switches DNS on.
    pub log: Outputs,
}

impl Dns {
    /// Whether messages are copied at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.enabled || !self.log.paths().is_empty()
    }
}
