//! What an event says of its segment.

/// What an event tells beside its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SegmentInfo {
    /// Nanoseconds of the packet clock.
    pub(super) time: u64,
    /// What the sender had of the other side's bytes.
    pub(super) ack: Option<u32>,
    /// When the sender's segment before this one passed.
    pub(super) own_last: u64,
    /// When the other side's last new byte passed.
    pub(super) peer_last: u64,
}
