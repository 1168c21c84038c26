//! IPv6 and its extension headers (RFC 8200, RFC 4302 for AH, RFC 2675 for jumbograms).

use super::{Be16, Be32, readable};

/// Bytes of the fixed header.
pub const HEADER_LEN: u32 = 40;

/// The fixed header.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ipv6 {
    version_class_label: Be32,
    length_next_hops: Be32,
    /// Network byte order.
    pub source: [u64; 2],
    /// Network byte order.
    pub destination: [u64; 2],
}
readable!(Ipv6, 40);

impl Ipv6 {
    /// 6 in a valid header.
    #[inline(always)]
    #[must_use]
    pub const fn version(&self) -> u8 {
        (self.version_class_label.get() >> 28) as u8
    }

    /// DSCP and ECN.
    #[inline(always)]
    #[must_use]
    pub const fn traffic_class(&self) -> u8 {
        (self.version_class_label.get() >> 20) as u8
    }

    /// Bytes behind the fixed header; 0 in a jumbogram.
    #[inline(always)]
    #[must_use]
    pub const fn payload_length(&self) -> u32 {
        self.length_next_hops.get() >> 16
    }

    /// Protocol number of what follows.
    #[inline(always)]
    #[must_use]
    pub const fn next_header(&self) -> u8 {
        (self.length_next_hops.get() >> 8) as u8
    }
}

/// Next-header values that carry a further header of this file's kind.
pub mod extension {
    pub const HOP_BY_HOP: u8 = 0;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const AUTHENTICATION: u8 = 51;
    pub const DESTINATION: u8 = 60;
    pub const MOBILITY: u8 = 135;
    pub const HIP: u8 = 139;
    pub const SHIM6: u8 = 140;
}

/// The first bytes of every extension header but Fragment.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Extension {
    next_length: Be16,
}
readable!(Extension, 2);

impl Extension {
    /// Length of the whole header: units of 8 bytes not counting the first (RFC 8200 section 4.2), for AH
    /// units of 4 bytes minus 2 (RFC 4302 section 2.2).
    #[inline(always)]
    #[must_use]
    pub const fn bytes(&self, kind: u8) -> u32 {
        let length = self.next_length.get() as u32 & 0xff;
        if kind == extension::AUTHENTICATION { (length + 2) * 4 } else { (length + 1) * 8 }
    }

    /// Protocol number of what follows.
    #[inline(always)]
    #[must_use]
    pub const fn next_header(&self) -> u8 {
        (self.next_length.get() >> 8) as u8
    }
}

/// The Fragment header (RFC 8200 section 4.5).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Fragment {
    next_offset_flags: Be32,
    identification: Be32,
}
readable!(Fragment, 8);

impl Fragment {
    /// Whether more fragments follow.
    #[inline(always)]
    #[must_use]
    pub const fn more_fragments(&self) -> bool {
        self.next_offset_flags.get() & 1 != 0
    }

    /// Protocol number of what follows.
    #[inline(always)]
    #[must_use]
    pub const fn next_header(&self) -> u8 {
        (self.next_offset_flags.get() >> 24) as u8
    }

    /// Whether this is a fragment other than the first.
    #[inline(always)]
    #[must_use]
    pub const fn later_fragment(&self) -> bool {
        self.next_offset_flags.get() & 0xfff8 != 0
    }

    /// Names the datagram that a fragment belongs to.
    #[inline(always)]
    #[must_use]
    pub const fn identification(&self) -> u32 {
        self.identification.get()
    }
}

/// The jumbo payload option where Linux puts it: first in a hop-by-hop header (RFC 2675 section 2). Kind and
/// length, in host order; the payload length follows.
pub const JUMBO: u16 = 0xc204;
/// Bytes of a hop-by-hop header with this option alone.
pub const JUMBO_LEN: u32 = 8;
