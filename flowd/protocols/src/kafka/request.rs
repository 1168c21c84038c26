//! The head of a request.

use super::{schema::Schema, walk::varint, words::OPERATIONS};
use crate::cursor::Cursor;

/// Most bytes of a message behind its length: what brokers take and give at most, and more
/// (`socket.request.max.bytes`, `fetch.max.bytes`).
pub(super) const MOST: usize = 1 << 28;

/// What a request begins with (request header versions 0 to 2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// Bytes of the message behind its length.
    pub(super) size: usize,
    pub(super) key: i16,
    pub(super) version: i16,
    pub(super) correlation: i32,
    /// The client's id, as far as it is there; empty where it has none.
    pub(super) client: &'a [u8],
    /// Bytes up to the end of the client's id, those of the message's length too.
    pub(super) len: usize,
}

/// Bytes that it is told from.
pub(super) const LEAST: usize = 14;

/// A client's id has no more bytes.
const CLIENT: usize = 512;

/// Versions are not higher than this in any API. The highest is 18, but clients may ask for any (KIP-511).
const VERSION: i16 = 255;

/// Keys are not higher than this; the highest is 92.
const KEY: i16 = 150;

const PRODUCE: i16 = 0;
/// Its first version has a header without the client's id.
const CONTROLLED_SHUTDOWN: i16 = 7;

impl<'a> Head<'a> {
    /// The head at the front of these bytes, of which there are [`LEAST`]; `None` where they are no request's.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let size = usize::try_from(cursor.be_u32()?).ok()?;
        let (key, version) = (cursor.be_u16()?.cast_signed(), cursor.be_u16()?.cast_signed());
        let correlation = cursor.be_u32()?.cast_signed();
        let fits = (0..=KEY).contains(&key) && (0..=VERSION).contains(&version);
        if !fits || !(LEAST - 4..=MOST).contains(&size) {
            return None;
        }
        if (key, version) == (CONTROLLED_SHUTDOWN, 0) {
            return Some(Self { size, key, version, correlation, client: b"", len: LEAST - 2 });
        }
        let client = match cursor.be_u16()?.cast_signed() {
            -1 => 0,
            len => usize::try_from(len).ok()?,
        };
        if client > CLIENT || client > size - (LEAST - 4) {
            return None;
        }
        let seen = cursor.rest();
        let client_seen = seen.get(..client.min(seen.len())).unwrap_or_default();
        if client_seen.iter().any(u8::is_ascii_control) {
            return None;
        }
        Some(Self { size, key, version, correlation, client: client_seen, len: LEAST + client })
    }

    /// Bytes of the whole message.
    pub(super) const fn whole(&self) -> usize {
        4 + self.size
    }

    pub(super) fn schema(&self) -> Option<&'static Schema> {
        Schema::of(self.key, self.version)
    }

    /// The API's name.
    pub(super) fn name(&self) -> Option<&'static str> {
        OPERATIONS.get(usize::try_from(self.key).ok()?).copied()
    }

    pub(super) const fn is_produce(&self) -> bool {
        self.key == PRODUCE
    }

    /// How many acknowledgements a Produce asks for; `None` where the bytes end too early.
    pub(super) fn acks(&self, bytes: &[u8]) -> Option<i16> {
        let mut cursor = Cursor::new(bytes.get(self.len..)?);
        let flexible = self.schema().is_some_and(|schema| schema.is_flexible(self.version));
        // Tagged fields of the header: none are defined.
        if flexible && cursor.u8()? != 0 {
            return None;
        }
        if self.version >= 3 {
            let id = if flexible {
                let (len, digits) = varint(cursor.rest()).ok()?;
                cursor.take(digits)?;
                len.saturating_sub(1)
            } else {
                usize::try_from(cursor.be_u16()?.cast_signed()).unwrap_or(0)
            };
            cursor.take(id)?;
        }
        Some(cursor.be_u16()?.cast_signed())
    }
}
