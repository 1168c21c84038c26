//! IPv4 (RFC 791).

use super::{Be16, readable};

/// The fixed part of the header; options may follow.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ipv4 {
    version_ihl: u8,
    /// DSCP and ECN (RFC 2474, RFC 3168).
    pub tos: u8,
    total_length: Be16,
    identification: Be16,
    fragment: Be16,
    /// Time to live.
    pub ttl: u8,
    /// IP protocol number.
    pub protocol: u8,
    checksum: Be16,
    /// Network byte order.
    pub source: u32,
    /// Network byte order.
    pub destination: u32,
}
readable!(Ipv4, 20);

impl Ipv4 {
    /// 4 in a valid header.
    #[inline(always)]
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version_ihl >> 4
    }

    /// Bytes of the header with its options, 0 to 60.
    #[inline(always)]
    #[must_use]
    pub const fn header_len(&self) -> u32 {
        (self.version_ihl as u32 & 0xf) * 4
    }

    /// Bytes of the packet; 0 where segmentation offload left it to the length of the frame (BIG TCP).
    #[inline(always)]
    #[must_use]
    pub const fn total_length(&self) -> u32 {
        let length = self.total_length;
        length.get() as u32
    }

    /// Names the datagram that a fragment belongs to.
    #[inline(always)]
    #[must_use]
    pub const fn identification(&self) -> u16 {
        let identification = self.identification;
        identification.get()
    }

    /// Whether more fragments follow.
    #[inline(always)]
    #[must_use]
    pub const fn more_fragments(&self) -> bool {
        let fragment = self.fragment;
        fragment.get() & 0x2000 != 0
    }

    /// Whether this is a fragment other than the first.
    #[inline(always)]
    #[must_use]
    pub const fn later_fragment(&self) -> bool {
        let fragment = self.fragment;
        fragment.get() & 0x1fff != 0
    }
}
