//! The table `[tls]`.

use serde::{Deserialize, Serialize};

use super::Outputs;

/// TLS handshakes: off by default, as both hellos of every connection are copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Metrics of handshakes.
    pub enabled: bool,
    /// Where the TLS log goes. A log switches TLS on.
    pub log: Outputs,
}

impl Tls {
    /// Whether hellos are copied at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.enabled || !self.log.paths().is_empty()
    }
}
