//! Packets as the readers find them, and as the caller gets them.

use std::ops::Range;

/// The largest record or block that is read into memory, in bytes. A length beyond it means a damaged file:
/// the largest packets that are really captured (USB transfers) have some megabytes. Blocks that carry no
/// packet are skipped unread and may be larger.
pub const MAX_RECORD: usize = 16 << 20;

/// One packet, borrowed from the reader's buffer until the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapturedPacket<'a> {
    /// Nanoseconds since the Unix epoch; times before it become 0, times after the year 2554 the largest
    /// value. A Simple Packet Block has no time and takes that of the packet before it.
    pub time: u64,
    /// The LINKTYPE_ number of the file (not the DLT_ number of a platform).
    pub link: u32,
    /// Running number of the interface over all sections, from 0; always 0 in classic pcap.
    pub interface: u32,
    /// Bytes of the packet on the wire, never less than `data.len()`.
    pub original_len: u32,
    /// How many of the last bytes on the wire are the frame check sequence; 0 unless the file says.
    pub fcs_len: u8,
    /// The captured bytes, from the link header on.
    pub data: &'a [u8],
}

/// A packet whose bytes are named by their place in the buffer, so that the readers need not return a borrow.
pub(super) struct Record {
    pub(super) time: u64,
    pub(super) link: u32,
    pub(super) interface: u32,
    pub(super) original_len: u32,
    pub(super) fcs_len: u8,
    pub(super) data: Range<usize>,
}
