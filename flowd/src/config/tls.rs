//! The table `[tls]`.

use serde::{Deserialize, Serialize};

/// TLS handshakes: off by default, as both hellos of every connection are copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Metrics of handshakes.
    pub enabled: bool,
    /// File of the TLS log, `-` for standard output; empty: none. A log switches TLS on.
    pub log: String,
}

impl Tls {
    /// Whether hellos are copied at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.enabled || !self.log.is_empty()
    }
}
