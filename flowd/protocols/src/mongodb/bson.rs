//! BSON as far as elements have to be passed over (BSON 1.1).

use crate::cursor::Cursor;

/// Least bytes of a document: its length and its end.
const LEAST: i32 = 5;

/// Most bytes of a name; longer ones are no command's.
pub(super) const NAME: usize = 256;

/// What stands at the front of bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Element<'a> {
    /// The end of the document.
    End,
    /// An element: its name, its value where that is a number, its bytes up to the end of the value.
    Named { name: &'a [u8], value: Option<f64>, len: usize },
    /// The bytes end before its length shows.
    Short,
    /// There is no such element.
    Wrong,
}

/// The element at the front.
pub(super) fn element(bytes: &[u8]) -> Element<'_> {
    let mut cursor = Cursor::new(bytes);
    let Some(kind) = cursor.u8() else { return Element::Short };
    if kind == 0 {
        return Element::End;
    }
    let Some(name) = cursor.until_0() else {
        return if bytes.len() > NAME { Element::Wrong } else { Element::Short };
    };
    let head = bytes.len() - cursor.rest().len();
    let (len, value) = match value(kind, cursor) {
        Ok(value) => value,
        Err(element) => return element,
    };
    Element::Named { name, value, len: head + len }
}

/// Bytes of a value of this kind, and its number.
fn value(kind: u8, mut cursor: Cursor<'_>) -> Result<(usize, Option<f64>), Element<'static>> {
    // A length, and so many bytes beside what it counts.
    let mut behind_length = |least: i32, beside: usize| {
        let len = cursor.le_i32().ok_or(Element::Short)?;
        let counted = usize::try_from(len).ok().filter(|_| len >= least).ok_or(Element::Wrong)?;
        Ok((counted + beside, None))
    };
    match kind {
        // Text, code, symbol.
        0x02 | 0x0d | 0x0e => behind_length(1, 4),
        // A document, an array, code with its scope.
        0x03 | 0x04 | 0x0f => behind_length(LEAST, 0),
        0x05 => behind_length(0, 5),
        // A pointer with its text.
        0x0c => behind_length(1, 16),
        0x01 => {
            let value = cursor.le_i64().ok_or(Element::Short)?;
            Ok((8, Some(f64::from_bits(value.cast_unsigned()))))
        }
        0x08 => Ok((1, Some(cursor.u8().ok_or(Element::Short)?.into()))),
        0x10 => Ok((4, Some(cursor.le_i32().ok_or(Element::Short)?.into()))),
        0x12 => {
            let value = cursor.le_i64().ok_or(Element::Short)?;
            // Codes are small; what is not is none.
            Ok((8, i32::try_from(value).ok().map(f64::from)))
        }
        0x09 | 0x11 => Ok((8, None)),
        0x07 => Ok((12, None)),
        0x13 => Ok((16, None)),
        0x06 | 0x0a | 0x7f | 0xff => Ok((0, None)),
        // A pattern and its options.
        0x0b => {
            let before = cursor.rest().len();
            let both = cursor.until_0().and_then(|_| cursor.until_0());
            match both {
                Some(_) => Ok((before - cursor.rest().len(), None)),
                None if before > NAME => Err(Element::Wrong),
                None => Err(Element::Short),
            }
        }
        _ => Err(Element::Wrong),
    }
}

/// The name of a document's first element, and what stands at its value; `Err(Short)` where the bytes end too early.
pub(super) fn first(document: &[u8]) -> Result<(&[u8], &[u8]), Element<'static>> {
    let mut cursor = Cursor::new(document);
    let len = cursor.le_i32().ok_or(Element::Short)?;
    let kind = cursor.u8().ok_or(Element::Short)?;
    if len < LEAST || !is_kind(kind) {
        return Err(Element::Wrong);
    }
    let may_be = |name: &[u8]| name.len() <= NAME && name.iter().all(u8::is_ascii_graphic);
    match cursor.until_0() {
        Some(name) if !name.is_empty() && may_be(name) => Ok((name, cursor.rest())),
        None if may_be(cursor.rest()) => Err(Element::Short),
        _ => Err(Element::Wrong),
    }
}

const fn is_kind(kind: u8) -> bool {
    matches!(kind, 1..=0x13 | 0x7f | 0xff)
}
