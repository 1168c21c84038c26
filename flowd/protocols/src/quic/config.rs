//! What following QUIC may take.

/// What the tracker keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuicOptions {
    /// How long a ClientHello waits for its answer, and how long what comes late belongs to a handshake that has its
    /// line, nanoseconds.
    pub timeout: u64,
    pub max_handshakes: usize,
    /// Bytes that all handshakes hold.
    pub max_bytes: usize,
}

/// Room for 2,500 hellos of the usual size that wait, or 7,000 handshakes that have their line.
pub(super) const HELD: usize = 8 << 20;

impl Default for QuicOptions {
    fn default() -> Self {
        Self { timeout: 10_000_000_000, max_handshakes: 8_192, max_bytes: HELD }
    }
}
