//! IPv4 (RFC 791).

use super::{Be32, readable};

/// The fixed part of the header; options may follow.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ipv4 {
    version_ihl_tos_length: Be32,
    identification_fragment: Be32,
    ttl_protocol_checksum: Be32,
    /// Network byte order.
    pub source: u32,
    /// Network byte order.
    pub destination: u32,
}
readable!(Ipv4, 20);

/// Options that name the way to go: loose and strict source route (section 3.1).
pub const SOURCE_ROUTES: [u8; 2] = [131, 137];

impl Ipv4 {
    /// 4 in a valid header.
    #[inline(always)]
    #[must_use]
    pub const fn version(&self) -> u8 {
        (self.version_ihl_tos_length.get() >> 28) as u8
    }

    /// Bytes of the header with its options, 0 to 60.
    #[inline(always)]
    #[must_use]
    pub const fn header_len(&self) -> u32 {
        (self.version_ihl_tos_length.get() >> 24 & 0xf) * 4
    }

    /// Bytes of the packet; 0 where segmentation offload left it to the length of the frame (BIG TCP).
    #[inline(always)]
    #[must_use]
    pub const fn total_length(&self) -> u32 {
        self.version_ihl_tos_length.get() & 0xffff
    }

    /// Names the datagram that a fragment belongs to.
    #[inline(always)]
    #[must_use]
    pub const fn identification(&self) -> u16 {
        (self.identification_fragment.get() >> 16) as u16
    }

    /// Whether more fragments follow.
    #[inline(always)]
    #[must_use]
    pub const fn more_fragments(&self) -> bool {
        self.identification_fragment.get() & 0x2000 != 0
    }

    /// Whether this is a fragment other than the first.
    #[inline(always)]
    #[must_use]
    pub const fn later_fragment(&self) -> bool {
        self.identification_fragment.get() & 0x1fff != 0
    }

    /// DSCP and ECN (RFC 2474, RFC 3168).
    #[inline(always)]
    #[must_use]
    pub const fn tos(&self) -> u8 {
        (self.version_ihl_tos_length.get() >> 16) as u8
    }

    /// IP protocol number.
    #[inline(always)]
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        (self.ttl_protocol_checksum.get() >> 16) as u8
    }
}
