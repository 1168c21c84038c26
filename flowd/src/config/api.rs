//! What the API keeps and for how many.

use serde::{Deserialize, Serialize};

/// Sizes of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Latest HTTP exchanges that are kept for /api/v1/http.
    pub http_lines: u32,
    /// Latest lines of other protocols that are kept for /api/v1/requests.
    pub request_lines: u32,
    /// Clients that may follow a stream at once.
    pub streams: u32,
}

impl Default for Api {
    fn default() -> Self {
        Self { http_lines: 1_024, request_lines: 1_024, streams: 16 }
    }
}
