//! VXLAN (RFC 7348).

use super::{Be32, readable};

/// UDP port, and the one that Linux used before it was assigned.
pub const PORTS: [u16; 2] = [4789, 8472];
/// Bytes of the header.
pub const HEADER_LEN: u32 = 8;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Vxlan {
    flags: Be32,
    vni: Be32,
}
readable!(Vxlan, 8);

impl Vxlan {
    /// Network identifier, where the header says that it holds one.
    #[inline(always)]
    #[must_use]
    pub const fn vni(&self) -> Option<u32> {
        let (flags, vni) = (self.flags, self.vni);
        if flags.get() & 0x0800_0000 != 0 { Some(vni.get() >> 8) } else { None }
    }
}
