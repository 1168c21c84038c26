//! MPLS label stack (RFC 3032).

use super::{Be32, readable};

/// Bytes of a label stack entry.
pub const ENTRY_LEN: u32 = 4;

/// Whether an entry, in host order, is the last of its stack.
#[inline(always)]
#[must_use]
pub const fn is_bottom(entry: u32) -> bool {
    entry & 0x100 != 0
}

/// Bytes of the control word of a pseudowire (RFC 4385 section 3).
pub const CONTROL_WORD_LEN: u32 = 4;

/// The first bytes behind the labels: as many as an IPv4 header without options has.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Payload {
    words: [Be32; 5],
}
readable!(Payload, 20);

impl Payload {
    /// The first four bits.
    #[inline(always)]
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.at(0) >> 28
    }

    /// Four bytes from `offset` on, a multiple of 4 up to 16.
    #[inline(always)]
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "a constant offset in the array")]
    pub const fn at(&self, offset: usize) -> u32 {
        self.words[offset / 4].get()
    }

    /// Whether the checksum of an IPv4 header holds (RFC 1071).
    #[inline(always)]
    #[must_use]
    pub const fn sums_up(&self) -> bool {
        let sum = self.at(0) as u64
            + self.at(4) as u64
            + self.at(8) as u64
            + self.at(12) as u64
            + self.at(16) as u64;
        // A word is congruent to the sum of its halves.
        sum.is_multiple_of(0xffff)
    }
}
