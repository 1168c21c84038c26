//! ICMP (RFC 792) and ICMPv6 (RFC 4443).

use super::{Be16, readable};

/// The part that every message has.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Icmp {
    pub kind: u8,
    pub code: u8,
}
readable!(Icmp, 2);

/// Bytes of the header: type, code, checksum and a word that depends on the type.
pub const HEADER_LEN: u32 = 8;
/// Where the identifier of an echo or timestamp message stands.
pub const IDENTIFIER_OFFSET: u32 = 4;

impl Icmp {
    /// Whether the message is one of a pair that an identifier joins: echo, and for IPv4 also timestamp,
    /// information and address mask.
    #[inline(always)]
    #[must_use]
    pub const fn has_identifier(&self, ipv6: bool) -> bool {
        if ipv6 { matches!(self.kind, 128 | 129) } else { matches!(self.kind, 0 | 8 | 13..=18) }
    }

    /// Whether it answers such a message.
    #[inline(always)]
    #[must_use]
    pub const fn is_answer(&self, ipv6: bool) -> bool {
        if ipv6 { self.kind == 129 } else { matches!(self.kind, 0 | 14 | 16 | 18) }
    }
}

/// The identifier, network byte order.
pub type Identifier = Be16;
