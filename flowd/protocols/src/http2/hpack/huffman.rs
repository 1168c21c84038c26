//! HPACK's Huffman code (RFC 7541 section 5.2 and appendix B).
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols, and longer ones behind
//! shorter ones. So the lengths alone say all codes.

/// Bits of each byte's code, and of the end of a string at last.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7,
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

/// Behind the last byte.
const END: u16 = 256;

/// Bits of the longest code.
const LONGEST: usize = 30;

/// Bits that may follow the last symbol, all 1 (RFC 7541 section 5.2).
const PADDING: u32 = 7;

/// Codes of one length.
#[derive(Clone, Copy)]
struct Row {
    /// The first one.
    first: u32,
    count: u32,
    /// Where their symbols begin in [`SYMBOLS`].
    at: usize,
}

/// By length.
const ROWS: [Row; LONGEST + 1] = rows();

/// In the order of their codes.
const SYMBOLS: [u16; LENGTHS.len()] = symbols();

/// What `text` stands for, behind what is in `plain`; `None` where it is not of this code.
pub(super) fn decode(text: &[u8], plain: &mut Vec<u8>) -> Option<()> {
    let mut bytes = text.iter();
    // The next bits, from the highest on, and how many of them there are.
    let (mut bits, mut count) = (0_u64, 0_u32);
    loop {
        while count <= 32
            && let Some(&byte) = bytes.next()
        {
            bits |= u64::from(byte) << (56 - count);
            count += 8;
        }
        // What is missing at the end is taken for 1, as padding is.
        let padded = bits | u64::MAX.checked_shr(count).unwrap_or_default();
        let (symbol, length) = symbol((padded >> 32) as u32)?;
        if length > count {
            return (count <= PADDING && padded == u64::MAX).then_some(());
        }
        // The end of a string within it is a mistake.
        plain.push(u8::try_from(symbol).ok()?);
        bits <<= length;
        count -= length;
    }
}

/// The symbol whose code `bits` begin with, from the highest on, and the code's length.
fn symbol(bits: u32) -> Option<(u16, u32)> {
    for (length, row) in (0_u32..).zip(ROWS).skip(1) {
        let ahead = (bits >> (32 - length)).checked_sub(row.first)?;
        if ahead < row.count {
            return Some((*SYMBOLS.get(row.at + ahead as usize)?, length));
        }
    }
    None
}

#[allow(
    clippy::indexing_slicing,
    reason = "it runs when flowd is built: an index that is wrong ends the build"
)]
const fn rows() -> [Row; LONGEST + 1] {
    let mut rows = [Row { first: 0, count: 0, at: 0 }; LONGEST + 1];
    let mut symbol = 0;
    while symbol < LENGTHS.len() {
        rows[LENGTHS[symbol] as usize].count += 1;
        symbol += 1;
    }
    let mut length = 1;
    while length <= LONGEST {
        let Row { first, count, at } = rows[length - 1];
        rows[length].first = (first + count) << 1;
        rows[length].at = at + count as usize;
        length += 1;
    }
    rows
}

#[allow(
    clippy::indexing_slicing,
    reason = "it runs when flowd is built: an index that is wrong ends the build"
)]
const fn symbols() -> [u16; LENGTHS.len()] {
    let mut symbols = [END; LENGTHS.len()];
    let (mut length, mut at) = (0, 0);
    while length <= LONGEST {
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == length {
                symbols[at] = symbol as u16;
                at += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    symbols
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &[u8]) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        decode(text, &mut plain).map(|()| plain)
    }

    #[test]
    fn codes_are_those_of_the_appendix() {
        for (symbol, code, length) in [
            (u16::from(b'0'), 0x0, 5),
            (u16::from(b'a'), 0x3, 5),
            (u16::from(b' '), 0x14, 6),
            (u16::from(b':'), 0x5c, 7),
            (u16::from(b'&'), 0xf8, 8),
            (u16::from(b'!'), 0x3f8, 10),
            (0, 0x1ff8, 13),
            (u16::from(b'\\'), 0x7_fff0, 19),
            (128, 0xf_ffe6, 20),
            (249, 0xfff_fffe, 28),
            (22, 0x3fff_fffe, 30),
            (END, 0x3fff_ffff, 30),
        ] {
            assert_eq!(super::symbol(code << (32 - length)), Some((symbol, length)), "{symbol}");
        }
    }

    #[test]
    fn padding_is_less_than_a_byte_of_ones() {
        assert_eq!(plain(b""), Some(Vec::new()));
        assert_eq!(plain(&[0b0001_1111]), Some(b"a".to_vec()));
        assert_eq!(plain(&[0b0001_1110]), None);
        assert_eq!(plain(&[0b0001_1111, 0xff]), None);
        assert_eq!(plain(&[0xff]), None);
        assert_eq!(plain(&[0xff; 4]), None);
    }
}
