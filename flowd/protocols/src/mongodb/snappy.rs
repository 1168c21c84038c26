//! Snappy's format (`format_description.txt` of google/snappy), as far as the first bytes.

use crate::cursor::Cursor;

/// The first bytes of what `bytes` hold compressed, `most` at most; fewer where the bytes end. `None` where they are not
/// Snappy's.
pub(super) fn first(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut cursor = Cursor::new(bytes);
    // The length of all: a varint.
    for _ in 0..5 {
        if cursor.u8()? & 0x80 == 0 {
            break;
        }
    }
    let mut told = Vec::with_capacity(most);
    while told.len() < most
        && let Some(tag) = cursor.u8()
    {
        if element(tag, &mut cursor, &mut told, most).is_none() {
            // The bytes end, or are wrong, within an element: what came before it stands.
            break;
        }
    }
    Some(told)
}

/// Adds what one element says.
fn element(tag: u8, cursor: &mut Cursor<'_>, told: &mut Vec<u8>, most: usize) -> Option<()> {
    let upper = usize::from(tag >> 2);
    let (len, offset) = match tag & 0b11 {
        0 => {
            let len = match upper {
                60 => usize::from(cursor.u8()?),
                61 => little(cursor.take(2)?),
                62 => little(cursor.take(3)?),
                63 => little(cursor.take(4)?),
                _ => upper,
            } + 1;
            let room = most.saturating_sub(told.len());
            let rest = cursor.rest();
            let literal = rest.get(..len.min(rest.len()))?;
            told.extend_from_slice(literal.get(..room.min(literal.len()))?);
            return cursor.take(len).map(|_| ());
        }
        1 => ((upper & 0b111) + 4, (upper >> 3) << 8 | usize::from(cursor.u8()?)),
        2 => (upper + 1, little(cursor.take(2)?)),
        _ => (upper + 1, little(cursor.take(4)?)),
    };
    for _ in 0..len.min(most.saturating_sub(told.len())) {
        // An offset of 0, or one that reaches before the beginning, is wrong.
        let from = told.len().checked_sub(offset).filter(|_| offset > 0)?;
        told.push(*told.get(from)?);
    }
    Some(())
}

fn little(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn literals_and_copies_are_put_together() {
        // "abcd", 8 bytes from 4 before, "xy".
        let bytes = b"\x0e\x0cabcd\x11\x04\x04xy";
        assert_eq!(first(bytes, 100).unwrap(), b"abcdabcdabcdxy");
        assert_eq!(first(bytes, 6).unwrap(), b"abcdab");
        assert_eq!(first(&bytes[..4], 100).unwrap(), b"ab");
        // One byte again and again, from two bytes of offset; before the beginning.
        assert_eq!(first(b"\x0a\x00z\x22\x01\x00", 100).unwrap(), b"zzzzzzzzzz");
        assert_eq!(first(b"\x0a\x00z\x22\x09\x00", 100).unwrap(), b"z");
    }
}
