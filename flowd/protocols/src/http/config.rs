//! What following HTTP may take.

use flow_common::event::MAX_PAYLOAD;

use super::Privacy;

/// What the tracker keeps, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    pub privacy: Privacy,
    /// Bytes of a head that are looked at, at most [`MAX_PAYLOAD`]; what the packet path copies.
    pub head_bytes: u32,
    /// How long a request waits for its response, and a connection for its next event; nanoseconds.
    pub timeout: u64,
    /// Outstanding exchanges of one connection.
    pub max_pending_per_flow: usize,
    pub max_connections: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            privacy: Privacy::default(),
            head_bytes: 512,
            timeout: 30_000_000_000,
            max_pending_per_flow: 64,
            max_connections: 65_536,
        }
    }
}

impl HttpOptions {
    /// Bytes of a head, within what makes sense: a first line needs some room.
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.head_bytes).unwrap_or(MAX_PAYLOAD).clamp(16, MAX_PAYLOAD)
    }
}
