//! Elements of replies: RESP2 and RESP3.

use crate::conversation::lines::{line, number};

/// Bytes of a line at most: simple strings and errors have no limit of their own, big numbers neither.
const LINE: usize = 16 << 10;

/// Bytes of a length with its end, at most.
const LENGTH: usize = 24;

/// Bytes of a bulk string and elements of an aggregate, at most.
const MOST: u64 = 1 << 30;

/// Elements within one another.
const MOST_DEPTH: usize = 32;

/// Bytes of a word that matters: the kind of a push, or the code of an error.
pub(super) const WORD: usize = 32;

/// What an element's first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// The type: the first byte.
    pub(super) kind: u8,
    /// What stands behind it on its line.
    pub(super) text: &'a [u8],
    /// Bytes of the line.
    pub(super) read: usize,
    /// Bytes behind the line that are the element's as well: a bulk string with its end.
    pub(super) bulk: u64,
    /// Elements behind it that are inside.
    pub(super) inside: u64,
}

/// Why there is no element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Need(usize),
    Wrong,
}

/// Parses the line that an element begins with. Streamed strings and aggregates, which no server sends, are wrong.
pub(super) fn element(bytes: &[u8]) -> Result<Element<'_>, Stop> {
    let Some(kind) = bytes.first().copied() else { return Err(Stop::Need(1)) };
    let most = match kind {
        b'+' | b'-' | b'(' => LINE,
        b':' | b'$' | b'*' | b'_' | b'#' | b'=' | b'!' | b'%' | b'~' | b'>' | b'|' => LENGTH,
        b',' => 2 * LENGTH,
        _ => return Err(Stop::Wrong),
    };
    let whole = line(bytes);
    // A line of a length or a number holds little else than digits.
    let mut seen = whole.map_or(bytes, |(text, _)| text).iter().skip(1);
    let well = most == LINE || seen.all(|byte| byte.is_ascii_alphanumeric() || b"+-.\r".contains(byte));
    let Some((text, read)) = whole.filter(|_| well) else {
        return Err(if well && bytes.len() < most { Stop::Need(bytes.len() + 1) } else { Stop::Wrong });
    };
    if read > most || text.len() + 2 != read {
        return Err(Stop::Wrong);
    }
    let text = text.get(1..).unwrap_or_default();
    let mut element = Element { kind, text, read, bulk: 0, inside: 0 };
    let missing = text == b"-1" && matches!(kind, b'$' | b'*');
    let count = || number(text).filter(|count| *count <= MOST).ok_or(Stop::Wrong);
    match kind {
        _ if missing => {}
        b'$' | b'=' | b'!' => element.bulk = count()? + 2,
        b'*' | b'~' | b'>' => element.inside = count()?,
        b'%' | b'|' => element.inside = 2 * count()?,
        b':' if number(text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text)).is_none() => {
            return Err(Stop::Wrong);
        }
        b'_' if !text.is_empty() => return Err(Stop::Wrong),
        b'#' if !matches!(text, b"t" | b"f") => return Err(Stop::Wrong),
        _ => {}
    }
    Ok(element)
}

/// The prefix of an error, where it has one: the word in capitals that it begins with (redis.io, "Simple errors"). What
/// scripts fail with may begin with anything, which is no code.
pub(super) fn prefix(bytes: &[u8]) -> Option<&str> {
    let end = bytes.iter().take(WORD).position(|byte| matches!(byte, b' ' | b'\r'))?;
    let is_capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let word = bytes.get(..end).filter(|word| !word.is_empty() && word.iter().all(is_capital))?;
    std::str::from_utf8(word).ok()
}

/// The first element of an aggregate at `at`, where it is a short bulk string: its text.
pub(super) fn first_bulk(bytes: &[u8], at: usize) -> Result<Option<&[u8]>, Stop> {
    let inner = match element(bytes.get(at..).unwrap_or_default()) {
        Ok(inner) => inner,
        Err(Stop::Need(more)) => return Err(Stop::Need(at + more)),
        Err(Stop::Wrong) => return Err(Stop::Wrong),
    };
    if inner.kind != b'$' || !(2..=WORD as u64 + 2).contains(&inner.bulk) {
        return Ok(None);
    }
    let begin = at + inner.read;
    let end = begin + inner.bulk as usize;
    bytes.get(begin..end - 2).filter(|_| bytes.len() >= end).map(Some).ok_or(Stop::Need(end))
}

/// How deep within a reply the next element is: elements that are still to come, of each aggregate.
#[derive(Debug, Default)]
pub(super) struct Nest(Vec<u64>);

impl Nest {
    /// Whether the next element begins a reply.
    pub(super) const fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// `inside` elements are to come within the one before; false where that is too deep.
    pub(super) fn enter(&mut self, inside: u64) -> bool {
        if inside > 0 {
            self.0.push(inside);
        }
        self.0.len() <= MOST_DEPTH
    }

    /// Passes over the elements in `bytes`: how many bytes they have, whether there or not.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Result<usize, Stop> {
        let mut at = 0;
        while at < bytes.len() {
            let Some(left) = self.0.last_mut() else { break };
            let element = match element(bytes.get(at..).unwrap_or_default()) {
                Ok(element) => element,
                Err(Stop::Need(_)) if at > 0 => break,
                Err(stop) => return Err(stop),
            };
            // An attribute stands before the element that it belongs to.
            if element.kind != b'|' {
                *left = left.saturating_sub(1);
            }
            at = at.saturating_add(element.read).saturating_add(element.bulk as usize);
            if !self.enter(element.inside) {
                return Err(Stop::Wrong);
            }
            while self.0.last() == Some(&0) {
                self.0.pop();
            }
        }
        Ok(at)
    }

    /// Nothing is known of a reply under way.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
