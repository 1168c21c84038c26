//! GRE (RFC 2784, RFC 2890 for key and sequence) and its version 1 for PPTP (RFC 2637).

use super::{Be16, readable};

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Gre {
    flags: Be16,
    protocol: Be16,
}
readable!(Gre, 4);

impl Gre {
    /// EtherType of what is inside.
    #[inline(always)]
    #[must_use]
    pub const fn protocol(&self) -> u16 {
        let protocol = self.protocol;
        protocol.get()
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

    /// 0, or 1 for PPTP.
    #[inline(always)]
    #[must_use]
    pub const fn version(&self) -> u16 {
        let flags = self.flags;
        flags.get() & 7
    }

    #[inline(always)]
    const fn has(&self, bits: u16) -> bool {
        let flags = self.flags;
        flags.get() & bits != 0
    }
}
