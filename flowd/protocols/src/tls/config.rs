//! What following TLS may take.

/// What the tracker keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// How long a hello waits for its answer, nanoseconds.
    pub timeout: u64,
    pub max_connections: usize,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { timeout: 10_000_000_000, max_connections: 16_384 }
    }
}
