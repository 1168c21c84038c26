//! TCP (RFC 9293) and the options that flow records need (RFC 7323).

use super::{Be32, readable};

/// The fixed part of the header.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Tcp {
    ports: Be32,
    sequence: Be32,
    acknowledgement: Be32,
    offset_flags_window: Be32,
    checksum_urgent: Be32,
}
readable!(Tcp, 20);

/// Flag bits; NS (historic, RFC 3540) is the ninth.
pub mod flag {
    pub const FIN: u16 = 0x001;
    pub const SYN: u16 = 0x002;
    pub const RST: u16 = 0x004;
    pub const PSH: u16 = 0x008;
    pub const ACK: u16 = 0x010;
    pub const URG: u16 = 0x020;
    pub const ECE: u16 = 0x040;
    pub const CWR: u16 = 0x080;
    pub const NS: u16 = 0x100;
}

impl Tcp {
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

    #[inline(always)]
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence.get()
    }

    #[inline(always)]
    #[must_use]
    pub const fn acknowledgement(&self) -> u32 {
        self.acknowledgement.get()
    }

    /// Bytes of the header with its options, 0 to 60; below 20 in a malformed one.
    #[inline(always)]
    #[must_use]
    pub const fn header_len(&self) -> u32 {
        (self.offset_flags_window.get() >> 28) * 4
    }

    /// Bits of [`flag`].
    #[inline(always)]
    #[must_use]
    pub const fn flags(&self) -> u16 {
        (self.offset_flags_window.get() >> 16) as u16 & 0x1ff
    }

    /// Not scaled.
    #[inline(always)]
    #[must_use]
    pub const fn window(&self) -> u16 {
        self.offset_flags_window.get() as u16
    }
}

/// The timestamps option as Linux, the BSDs and Windows lay it out on every segment but a SYN: two
/// no-operations in front, so that its words are aligned (RFC 7323 appendix A).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct AlignedTimestamps {
    header: Be32,
    value: Be32,
    echo: Be32,
}
readable!(AlignedTimestamps, 12);

impl AlignedTimestamps {
    /// Value and echo, where the options begin so.
    #[inline(always)]
    #[must_use]
    pub const fn get(&self) -> Option<(u32, u32)> {
        if self.header.get() == 0x0101_080a { Some((self.value.get(), self.echo.get())) } else { None }
    }
}

/// Option kinds.
pub mod option {
    pub const END: u8 = 0;
    pub const NO_OPERATION: u8 = 1;
    pub const WINDOW_SCALE: u8 = 3;
    pub const TIMESTAMPS: u8 = 8;
}
