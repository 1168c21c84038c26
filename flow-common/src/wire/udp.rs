//! UDP (RFC 768).

use super::{Be16, readable};

/// Bytes of the header.
pub const HEADER_LEN: u32 = 8;

#[derive(Clone, Copy)]
#[repr(C)]
pub struct Udp {
    source: Be16,
    destination: Be16,
    length: Be16,
    checksum: Be16,
}
readable!(Udp, 8);

impl Udp {
    #[inline(always)]
    #[must_use]
    pub const fn source(&self) -> u16 {
        let port = self.source;
        port.get()
    }

    #[inline(always)]
    #[must_use]
    pub const fn destination(&self) -> u16 {
        let port = self.destination;
        port.get()
    }
}

/// The ports alone: all that is left of a TCP, UDP or SCTP header that was cut behind them.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Ports {
    source: Be16,
    destination: Be16,
}
readable!(Ports, 4);

impl Ports {
    #[inline(always)]
    #[must_use]
    pub const fn source(&self) -> u16 {
        let port = self.source;
        port.get()
    }

    #[inline(always)]
    #[must_use]
    pub const fn destination(&self) -> u16 {
        let port = self.destination;
        port.get()
    }
}
