//! OP_COMPRESSED: a message inside of another.

use flate2::{Decompress, FlushDecompress};

use super::{
    message::{NoRequest, Op},
    snappy,
};
use crate::cursor::Cursor;

/// How it is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Not,
    Snappy,
    Zlib,
    Zstd,
}

/// What stands behind the header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compressed<'a> {
    /// What the message inside is.
    pub(super) op: Op,
    /// Bytes of it without its header.
    size: usize,
    how: How,
    /// As far as they are there.
    bytes: &'a [u8],
}

/// Bytes before what is compressed.
pub(super) const HEAD: usize = 9;

/// Most bytes of a message inside.
const MOST: usize = 64 << 20;

impl<'a> Compressed<'a> {
    /// What stands in `body`.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, NoRequest> {
        let mut cursor = Cursor::new(body);
        let op = Op::from_number(cursor.le_i32().ok_or(NoRequest::Short)?);
        let op = op.filter(|op| *op != Op::Compressed).ok_or(NoRequest::Wrong)?;
        let size = usize::try_from(cursor.le_i32().ok_or(NoRequest::Short)?);
        let size = size.ok().filter(|size| *size <= MOST).ok_or(NoRequest::Wrong)?;
        let how = match cursor.u8().ok_or(NoRequest::Short)? {
            0 => How::Not,
            1 => How::Snappy,
            2 => How::Zlib,
            3 => How::Zstd,
            _ => return Err(NoRequest::Wrong),
        };
        Ok(Self { op, size, how, bytes: cursor.rest() })
    }

    /// The first bytes of the message inside, `most` at most, as far as they can be told; `None` where they cannot.
    pub(super) fn inside(&self, most: usize) -> Option<Vec<u8>> {
        let most = most.min(self.size);
        match self.how {
            How::Not => self.bytes.get(..most.min(self.bytes.len())).map(<[u8]>::to_vec),
            How::Snappy => snappy::first(self.bytes, most),
            How::Zlib => {
                let mut inside = Vec::with_capacity(most);
                // What is wrong behind the first bytes does not matter.
                let told =
                    Decompress::new(true).decompress_vec(self.bytes, &mut inside, FlushDecompress::None);
                told.ok().map(|_| inside)
            }
            How::Zstd => None,
        }
    }

    /// Whether [`Self::inside`] of `most` bytes has all of it.
    pub(super) const fn fits(&self, most: usize) -> bool {
        self.size <= most
    }
}
