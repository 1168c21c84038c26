//! What following TLS may take.

/// What the tracker keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// How long a hello waits for its answer, nanoseconds.
    pub timeout: u64,
    pub max_connections: usize,
    /// Bytes that all connections hold.
    pub max_bytes: usize,
}

/// Room for 16,384 hellos of the usual size.
pub(super) const HELD: usize = 32 << 20;

impl Default for TlsOptions {
    fn default() -> Self {
        Self { timeout: 10_000_000_000, max_connections: 16_384, max_bytes: HELD }
    }
}
