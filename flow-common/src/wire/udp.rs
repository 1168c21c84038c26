//! UDP (RFC 768).

use super::{Be32, readable};

/// Bytes of the header.
pub const HEADER_LEN: u32 = 8;

/// The ports, where UDP, TCP, SCTP and DCCP have them alike; all that is left of a header cut behind them.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ports {
    ports: Be32,
}
readable!(Ports, 4);

impl Ports {
    #[inline(always)]
    #[must_use]
    pub const fn source(&self) -> u16 {
        (self.ports.get() >> 16) as u16
    }

    #[inline(always)]
    #[must_use]
    pub const fn destination(&self) -> u16 {
        self.ports.get() as u16
    }
}
