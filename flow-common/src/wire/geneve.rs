//! Geneve (RFC 8926).

use super::{Be32, readable};

/// UDP port.
pub const PORT: u16 = 6081;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Geneve {
    version_length_flags_protocol: Be32,
    vni: Be32,
}
readable!(Geneve, 8);

impl Geneve {
    /// 0 in every header known.
    #[inline(always)]
    #[must_use]
    pub const fn version(&self) -> u8 {
        (self.version_length_flags_protocol.get() >> 30) as u8
    }

    /// Bytes of the header with its options, 8 to 260.
    #[inline(always)]
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        8 + (self.version_length_flags_protocol.get() >> 24 & 0x3f) * 4
    }

    /// EtherType of what is inside.
    #[inline(always)]
    #[must_use]
    pub const fn protocol(&self) -> u16 {
        self.version_length_flags_protocol.get() as u16
    }

    /// Network identifier.
    #[inline(always)]
    #[must_use]
    pub const fn vni(&self) -> u32 {
        self.vni.get() >> 8
    }
}
