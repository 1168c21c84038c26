//! GRE (RFC 2784, RFC 2890 for key and sequence) and its version 1 for PPTP (RFC 2637).

use super::{Be32, readable};

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Gre {
    flags_protocol: Be32,
}
readable!(Gre, 4);

impl Gre {
    /// EtherType of what is inside.
    #[inline(always)]
    #[must_use]
    pub const fn protocol(&self) -> u16 {
        self.flags_protocol.get() as u16
    }

    /// Where the key stands behind the header's start, where there is one.
    #[inline(always)]
    #[must_use]
    pub const fn key_offset(&self) -> Option<u32> {
        if self.has(0x2000) { Some(4 + if self.has(0xc000) { 4 } else { 0 }) } else { None }
    }

    /// Bytes of the whole header; `None` for source routes (RFC 1701), which nobody sends any more.
    #[inline(always)]
    #[must_use]
    pub const fn bytes(&self) -> Option<u32> {
        if self.has(0x4000) {
            return None;
        }
        let optional = self.has(0x8000) as u32 + self.has(0x2000) as u32 + self.has(0x1000) as u32;
        let acknowledgement = (self.version() == 1 && self.has(0x0080)) as u32;
        Some(4 + 4 * (optional + acknowledgement))
    }

    /// Whether a sequence number is there (RFC 2890).
    #[inline(always)]
    #[must_use]
    pub const fn has_sequence(&self) -> bool {
        self.has(0x1000)
    }

    /// 0, or 1 for PPTP.
    #[inline(always)]
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.flags() & 7
    }

    #[inline(always)]
    const fn has(&self, bits: u16) -> bool {
        self.flags() & bits != 0
    }

    #[inline(always)]
    const fn flags(&self) -> u16 {
        (self.flags_protocol.get() >> 16) as u16
    }
}
