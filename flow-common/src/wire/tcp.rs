//! TCP (RFC 9293) and the options that flow records need (RFC 7323).

use super::{Be16, Be32, readable};

/// The fixed part of the header.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Tcp {
    source: Be16,
    destination: Be16,
    sequence: Be32,
    acknowledgement: Be32,
    offset_flags: Be16,
    window: Be16,
    checksum: Be16,
    urgent: Be16,
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
        let port = self.source;
        port.get()
    }

    #[inline(always)]
    #[must_use]
    pub const fn destination(&self) -> u16 {
        let port = self.destination;
        port.get()
    }

    #[inline(always)]
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        let number = self.sequence;
        number.get()
    }

    #[inline(always)]
    #[must_use]
    pub const fn acknowledgement(&self) -> u32 {
        let number = self.acknowledgement;
        number.get()
    }

    /// Bytes of the header with its options, 0 to 60; below 20 in a malformed one.
    #[inline(always)]
    #[must_use]
    pub const fn header_len(&self) -> u32 {
        let word = self.offset_flags;
        (word.get() >> 12) as u32 * 4
    }

    /// Bits of [`flag`].
    #[inline(always)]
    #[must_use]
    pub const fn flags(&self) -> u16 {
        let word = self.offset_flags;
        word.get() & 0x1ff
    }

    /// Not scaled.
    #[inline(always)]
    #[must_use]
    pub const fn window(&self) -> u16 {
        let window = self.window;
        window.get()
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
        let (header, value, echo) = (self.header, self.value, self.echo);
        if header.get() == 0x0101_080a { Some((value.get(), echo.get())) } else { None }
    }
}

/// Option kinds.
pub mod option {
    pub const END: u8 = 0;
    pub const NO_OPERATION: u8 = 1;
    pub const WINDOW_SCALE: u8 = 3;
    pub const TIMESTAMPS: u8 = 8;
}
