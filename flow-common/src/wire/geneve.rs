//! Geneve (RFC 8926).

use super::{Be16, Be32, readable};

/// UDP port.
pub const PORT: u16 = 6081;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Geneve {
    version_length: u8,
    flags: u8,
    protocol: Be16,
    vni: Be32,
}
readable!(Geneve, 8);

impl Geneve {
    /// 0 in every header known.
    #[inline(always)]
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version_length >> 6
    }

    /// Bytes of the header with its options, 8 to 260.
    #[inline(always)]
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        8 + (self.version_length as u32 & 0x3f) * 4
    }

    /// EtherType of what is inside.
    #[inline(always)]
    #[must_use]
    pub const fn protocol(&self) -> u16 {
        let protocol = self.protocol;
        protocol.get()
    }

    /// Network identifier.
    #[inline(always)]
    #[must_use]
    pub const fn vni(&self) -> u32 {
        let vni = self.vni;
        vni.get() >> 8
    }
}
