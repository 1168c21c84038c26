//! What the daemon gives up once it runs.

use serde::{Deserialize, Serialize};

/// Limits that the daemon puts on itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// Give up what the daemon does not need: capabilities, files, system calls.
    pub sandbox: bool,
}

impl Default for Security {
    fn default() -> Self {
        Self { sandbox: true }
    }
}
