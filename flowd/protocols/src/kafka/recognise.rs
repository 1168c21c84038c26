//! Whether bytes are Kafka's.

use super::{
    request::{Head, LEAST, MOST},
    walk::{CODE, Walk, Walked},
};
use crate::{conversation::Recognition, cursor::Cursor};

/// A request as far as it is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    correlation: i32,
    /// It has every field of its API and version and ends behind them.
    exact: bool,
    /// Bytes behind its head that were walked through.
    walked: usize,
    named: bool,
}

impl Seen {
    /// Whether hardly anything else looks like this.
    pub(super) const fn is_sure(&self) -> bool {
        if self.exact { self.named || self.walked >= 4 } else { self.named && self.walked >= 32 }
    }

    /// Whether a response that fits makes it sure.
    const fn is_likely(&self) -> bool {
        self.exact || self.named || self.walked >= 8
    }
}

/// Requests that are looked at.
const REQUESTS: usize = 16;

/// What a client sent, as requests; `None` where it is none.
pub(super) fn requests(bytes: &[u8]) -> Option<Vec<Seen>> {
    let mut seen = Vec::new();
    let mut rest = bytes;
    while rest.len() >= LEAST && seen.len() < REQUESTS {
        let head = Head::read(rest)?;
        let message = rest.get(..head.whole().min(rest.len())).unwrap_or_default();
        seen.push(request(&head, message)?);
        rest = rest.get(message.len()..).unwrap_or_default();
    }
    // Of a length, its first byte.
    rest.first().is_none_or(|first| usize::from(*first) <= MOST >> 24).then_some(seen)
}

fn request(head: &Head<'_>, message: &[u8]) -> Option<Seen> {
    let mut seen =
        Seen { correlation: head.correlation, exact: false, walked: 0, named: !head.client.is_empty() };
    let Some(schema) = head.schema() else { return Some(seen) };
    let Some(body) = message.get(head.len..) else { return Some(seen) };
    let end = walk(&mut Walk::request(schema, head.version), body, head.whole() - head.len)?;
    seen.walked = end.0;
    seen.exact = end.1 && message.len() == head.whole();
    // Fields end and bytes do not: it is something else.
    (!end.1 || end.0 == head.whole() - head.len).then_some(seen)
}

/// How many bytes of a message of `size` bytes from here on were walked through, and whether to the end of its fields;
/// `None` where they do not fit.
fn walk(walk: &mut Walk, bytes: &[u8], size: usize) -> Option<(usize, bool)> {
    let mut at = 0;
    loop {
        let len = match walk.step(bytes.get(at..).unwrap_or_default(), size - at) {
            Walked::Past(len) => len,
            Walked::Code(_) => CODE,
            Walked::Short(len) if len > size - at => return None,
            Walked::Short(_) => return Some((at, false)),
            Walked::End => return Some((at, true)),
            Walked::Wrong => return None,
        };
        if len > size - at {
            return None;
        }
        at += len;
        if at > bytes.len() {
            return Some((bytes.len(), false));
        }
    }
}

/// Correlation ids of what a server sent; `None` where it is not Kafka's.
pub(super) fn responses(bytes: &[u8]) -> Option<Vec<i32>> {
    let mut found = Vec::new();
    let mut cursor = Cursor::new(bytes);
    while found.len() < REQUESTS {
        let mut ahead = cursor;
        let Some(size) = ahead.be_u32() else { break };
        let size = usize::try_from(size).ok().filter(|size| *size <= MOST)?;
        if let Some(correlation) = ahead.be_u32().filter(|_| size >= 4) {
            found.push(correlation.cast_signed());
        }
        cursor.be_u32()?;
        if cursor.take(size).is_none() {
            return Some(found);
        }
    }
    cursor.rest().first().is_none_or(|first| usize::from(*first) <= MOST >> 24).then_some(found)
}

/// Whether the bytes are Kafka's.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    let (Some(asked), Some(answered)) = (requests(client), responses(server)) else { return Recognition::No };
    // What a server sends first is not Kafka's: only clients begin.
    let sure = asked.first().is_some_and(Seen::is_sure);
    let paired = asked.iter().any(|seen| seen.is_likely() && answered.contains(&seen.correlation));
    if sure || paired { Recognition::Yes } else { Recognition::Maybe }
}
