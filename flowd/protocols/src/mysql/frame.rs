//! Frames of the compressed protocol: the manual's "Compression".
//!
//! What a frame holds is inflated within bounds; the rest of it stays unread, though how long it is is known.

use std::{borrow::Cow, io::Read};

use flate2::read::ZlibDecoder;

/// Bytes in front of a frame: its length in three, a number, and the length of what it holds in three, 0 where that is
/// not compressed.
pub(super) const HEAD: usize = 7;

/// Bytes that one frame may inflate to, and how many times its own length.
const MOST: u64 = 64 << 10;
const RATIO: u64 = 20;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Of what follows the head.
    pub(super) len: usize,
    /// It counts up as that of packets does, and packets that are sent behind it go on with it.
    pub(super) number: u8,
    /// Of what it holds.
    pub(super) holds: usize,
    pub(super) inflates: bool,
}

pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let [a, b, c, order, d, e, f, ..] = *bytes else { return None };
    let number = |[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]) as usize;
    let (len, holds) = (number([a, b, c]), number([d, e, f]));
    Some(Head { len, number: order, holds: if holds == 0 { len } else { holds }, inflates: holds > 0 })
}

/// What a frame holds, as far as it can be had of its first bytes.
pub(super) fn content(head: Head, bytes: &[u8]) -> Cow<'_, [u8]> {
    if !head.inflates {
        return Cow::Borrowed(bytes.get(..head.len).unwrap_or(bytes));
    }
    let most = MOST.min(bytes.len() as u64 * RATIO).min(head.holds as u64);
    let mut content = Vec::new();
    // What was inflated before an error stands.
    let _ = ZlibDecoder::new(bytes).take(most).read_to_end(&mut content);
    Cow::Owned(content)
}
