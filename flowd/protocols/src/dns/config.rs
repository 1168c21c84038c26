//! What following DNS may take.

use flow_common::sniff::DNS_BYTES;

/// What the tracker keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DnsOptions {
    /// How long a query waits for its response, nanoseconds.
    pub timeout: u64,
    pub max_pending: usize,
    /// Bytes that all queries hold.
    pub max_bytes: usize,
    /// TCP connections that are followed at once.
    pub max_connections: usize,
    /// Bytes that all of these hold.
    pub max_connection_bytes: usize,
    /// Bytes of a message over TCP that the packet path copies, its length included.
    pub copied: u32,
}

/// Room for 40,000 queries of the usual size.
const QUERIES: usize = 24 << 20;
const CONNECTIONS: usize = 8 << 20;
/// Bytes that all of it holds at most.
pub(super) const HELD: usize = QUERIES + CONNECTIONS;

impl Default for DnsOptions {
    fn default() -> Self {
        Self {
            timeout: 5_000_000_000,
            max_pending: 65_536,
            max_bytes: QUERIES,
            max_connections: 4_096,
            max_connection_bytes: CONNECTIONS,
            copied: DNS_BYTES,
        }
    }
}
