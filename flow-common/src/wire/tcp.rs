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

/// Options, by the kind and length that they begin with.
pub mod option {
    /// Timestamps (RFC 7323 section 3.2).
    pub const TIMESTAMPS: u16 = 0x080a;

    /// Bytes to the next option; more than a header has where this one is the last, or broken.
    ///
    /// By arithmetic: the verifier walks all that follows once for each way here.
    #[inline(always)]
    #[must_use]
    pub const fn step(head: u16) -> u32 {
        const BEYOND: u32 = 64;
        let (kind, length) = ((head >> 8) as u32, (head & 0xff) as u32);
        // 1 where it is so: only what is less than the second number has the highest bit set then.
        let (below_2, is_end) = (kind.wrapping_sub(2) >> 31, kind.wrapping_sub(1) >> 31);
        let is_short = length.wrapping_sub(2) >> 31;
        // The kinds below 2, end and no-operation, have no length (RFC 9293 section 3.1).
        let with_length = below_2.wrapping_sub(1);
        below_2 + ((length + is_short * BEYOND) & with_length) + is_end * BEYOND
    }
}
