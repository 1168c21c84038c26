//! GTP-U version 1 (3GPP TS 29.281).

use super::{Be16, Be32, readable};

/// UDP port of user data.
pub const PORT: u16 = 2152;
/// Message type of an encapsulated user packet (G-PDU).
pub const G_PDU: u8 = 255;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Gtp {
    flags: u8,
    /// Message type.
    pub kind: u8,
    length: Be16,
    teid: Be32,
}
readable!(Gtp, 8);

impl Gtp {
    /// Whether this is version 1 of GTP (and not GTP').
    #[inline(always)]
    #[must_use]
    pub const fn is_version_1(&self) -> bool {
        self.flags >> 4 == 3
    }

    /// Bytes up to the payload or the first extension header: any of E, S and PN brings all three fields.
    #[inline(always)]
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        if self.flags & 7 == 0 { 8 } else { 12 }
    }

    /// Whether the last byte of the optional fields names an extension header.
    #[inline(always)]
    #[must_use]
    pub const fn has_extensions(&self) -> bool {
        self.flags & 4 != 0
    }

    /// Tunnel endpoint identifier.
    #[inline(always)]
    #[must_use]
    pub const fn teid(&self) -> u32 {
        let teid = self.teid;
        teid.get()
    }
}
