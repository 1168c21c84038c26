//! Packets, and the few kinds of them that say how an answer goes on: the manual's "Protocol Basics".

/// Bytes in front of a payload: its length in three, and a number that counts up through a request and its answer.
pub(super) const HEAD: usize = 4;

/// A payload of this length goes on in the next packet.
pub(super) const LONGEST: usize = 0xff_ffff;

/// SERVER_MORE_RESULTS_EXISTS, and SERVER_STATUS_CURSOR_EXISTS.
pub(super) const MORE_RESULTS: u16 = 8;
pub(super) const CURSOR: u16 = 0x40;

/// SERVER_STATUS_NO_BACKSLASH_ESCAPES: the session's `sql_mode` has it.
pub(super) const NO_BACKSLASH_ESCAPES: u16 = 0x200;

/// The head of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Of the payload.
    pub(super) len: usize,
    pub(super) number: u8,
}

pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let [a, b, c, number, ..] = *bytes else { return None };
    Some(Head { len: u32::from_le_bytes([a, b, c, 0]) as usize, number })
}

/// A number of two bytes.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

/// A number of four bytes.
pub(super) fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// A number of as many bytes as its first one says, and what is behind it: the manual's "Length-Encoded Integer".
pub(super) fn counted(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let width = match first {
        0..=0xfa => return Some((u64::from(*first), rest)),
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xfb | 0xff => return None,
    };
    let (number, rest) = rest.split_at_checked(width)?;
    let mut all = [0; 8];
    all.get_mut(..width)?.copy_from_slice(number);
    Some((u64::from_le_bytes(all), rest))
}

/// What a packet of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// With the server's status.
    Ok(u16),
    /// The end of columns or rows, with the server's status, in the form of five bytes.
    Eof(u16),
    /// The same in the form of OK, as since CLIENT_DEPRECATE_EOF.
    EndOk(u16),
    /// Its number.
    Error(u16),
    /// MariaDB tells how far it has come: an error of the number 65,535.
    Progress,
    /// The server asks for a file.
    File,
    /// The definition of a column.
    Column,
    Other,
}

impl Kind {
    /// The server's status, where it was readable.
    pub(super) const fn status(self) -> Option<u16> {
        match self {
            Self::Ok(status) | Self::Eof(status) | Self::EndOk(status) if status != 0 => Some(status),
            _ => None,
        }
    }
}

/// What `payload` is, of which `len` bytes were sent. A row may look like OK.
pub(super) fn kind(payload: &[u8], len: usize) -> Kind {
    match payload {
        [0xff, a, b, ..] => match u16::from_le_bytes([*a, *b]) {
            u16::MAX => Kind::Progress,
            number => Kind::Error(number),
        },
        [0xfe, ..] if len == 5 => Kind::Eof(number(payload, 3).unwrap_or_default()),
        [0xfe, ..] if (7..LONGEST).contains(&len) => Kind::EndOk(status(payload)),
        [0, ..] if len >= 7 => Kind::Ok(status(payload)),
        [0xfb, ..] => Kind::File,
        // Its catalog is always "def".
        [3, b'd', b'e', b'f', ..] => Kind::Column,
        _ => Kind::Other,
    }
}

/// The status in an OK packet, behind how many rows it was and the last number given.
fn status(payload: &[u8]) -> u16 {
    let rest = payload.get(1..).unwrap_or_default();
    let status = || {
        let (_, rest) = counted(rest)?;
        let (_, rest) = counted(rest)?;
        number(rest, 0)
    };
    status().unwrap_or_default()
}
