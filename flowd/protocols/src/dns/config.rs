//! What following DNS may take.

use flow_common::sniff::DNS_BYTES;

/// What the tracker keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DnsOptions {
    /// How long a query waits for its response, nanoseconds.
    pub timeout: u64,
    pub max_pending: usize,
    /// TCP connections that are followed at once.
    pub max_connections: usize,
    /// Bytes of a message over TCP that the packet path copies, its length included.
    pub copied: u32,
}

impl Default for DnsOptions {
    fn default() -> Self {
        Self { timeout: 5_000_000_000, max_pending: 65_536, max_connections: 4_096, copied: DNS_BYTES }
    }
}
