//! Reading of TLS's length-prefixed fields from bytes that may be cut.

/// What is left to read.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let (pair, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*pair))
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A vector behind its length in one byte.
    pub(super) fn vector8(&mut self) -> Option<Self> {
        let len = usize::from(self.u8()?);
        self.take(len).map(Bytes)
    }

    /// A vector behind its length in two bytes.
    pub(super) fn vector16(&mut self) -> Option<Self> {
        let len = usize::from(self.u16()?);
        self.take(len).map(Bytes)
    }

    /// All numbers of two bytes that are left, but for GREASE (RFC 8701): values that clients make up.
    pub(super) fn numbers(self) -> impl Iterator<Item = u16> {
        let pairs = self.0.as_chunks::<2>().0;
        pairs.iter().map(|pair| u16::from_be_bytes(*pair)).filter(|number| !is_grease(*number))
    }
}

/// Both bytes alike, and their low halves 10 (RFC 8701 section 2).
pub(super) const fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}
