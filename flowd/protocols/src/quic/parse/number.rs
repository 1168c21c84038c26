//! QUIC's numbers, whose first two bits say how many bytes they take: 1, 2, 4 or 8 (RFC 9000 section 16).

use crate::cursor::Cursor;

pub(super) fn number(bytes: &mut Cursor<'_>) -> Option<u64> {
    const LENGTH_BITS: usize = 2;
    let first = *bytes.rest().first()?;
    let digits = bytes.take(1 << (first >> 6))?;
    let all = digits.iter().fold(0, |all: u64, digit| all << 8 | u64::from(*digit));
    Some(all & u64::MAX >> (64 - 8 * digits.len() + LENGTH_BITS))
}

/// Bytes behind their number.
pub(super) fn counted<'a>(bytes: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let len = number(bytes)?;
    bytes.take(usize::try_from(len).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9000 section A.1.
    #[test]
    fn numbers_of_each_length() {
        for (bytes, expected) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ] {
            assert_eq!(number(&mut Cursor::new(bytes)), Some(expected));
            assert_eq!(number(&mut Cursor::new(&bytes[..bytes.len() - 1])), None);
        }
    }
}
