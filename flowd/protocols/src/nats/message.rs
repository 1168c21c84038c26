//! Messages of both sides: a line, with a payload behind some.

use crate::conversation::lines::{line, listed, number, words};

/// Bytes of a line, at most. Servers allow 4 KiB (`max_control_line`), and more for what CONNECT and INFO say.
pub(super) const LINE: usize = 16 << 10;

/// Bytes of a payload, at most: what servers may be told to take (`max_payload`).
const PAYLOAD: u64 = 64 << 20;

/// What clients ask for.
pub(super) const OPERATIONS: &[&str] = &["CONNECT", "HPUB", "PING", "PUB", "SUB", "UNSUB"];

/// All that clients send, and all that servers send.
pub(super) const OF_CLIENTS: &[&str] = &["CONNECT", "HPUB", "PING", "PONG", "PUB", "SUB", "UNSUB"];
pub(super) const OF_SERVERS: &[&str] = &["+OK", "-ERR", "HMSG", "INFO", "MSG", "PING", "PONG"];

/// A message as far as its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// In capitals.
    pub(super) word: &'static str,
    /// What stands behind the word.
    pub(super) rest: &'a [u8],
    /// Bytes of the line, and of the payload with its end.
    pub(super) read: usize,
    pub(super) payload: usize,
}

/// The message of a client in the first line of `bytes`, which is whole. `None` for none that is well-formed.
pub(super) fn of_client(bytes: &[u8]) -> Option<Message<'_>> {
    let message = parse(bytes, OF_CLIENTS)?;
    let count = words(message.rest).count();
    let well = match message.word {
        "CONNECT" => is_object(message.rest),
        "PUB" => (2..=3).contains(&count) && message.payload > 0,
        "HPUB" => (3..=4).contains(&count) && message.payload > 0,
        "SUB" => (2..=3).contains(&count),
        "UNSUB" => {
            (1..=2).contains(&count) && words(message.rest).nth(1).is_none_or(|most| number(most).is_some())
        }
        _ => count == 0,
    };
    well.then_some(message)
}

/// The message of a server in the first line of `bytes`, which is whole. `None` for none that is well-formed.
pub(super) fn of_server(bytes: &[u8]) -> Option<Message<'_>> {
    let message = parse(bytes, OF_SERVERS)?;
    let count = words(message.rest).count();
    let well = match message.word {
        "INFO" => is_object(message.rest),
        "MSG" => (3..=4).contains(&count) && message.payload > 0,
        "HMSG" => (4..=5).contains(&count) && message.payload > 0,
        "-ERR" => message.rest.first().is_none_or(|byte| *byte == b'\''),
        _ => count == 0,
    };
    well.then_some(message)
}

fn parse<'a>(bytes: &'a [u8], list: &'static [&'static str]) -> Option<Message<'a>> {
    let (text, read) = line(bytes)?;
    let first = words(text).next()?;
    let word = listed(list, first)?;
    let rest = text.get(first.len()..).unwrap_or_default().trim_ascii();
    let payload = match word {
        "PUB" | "HPUB" | "MSG" | "HMSG" => {
            let len = words(rest).last().and_then(number).filter(|len| *len <= PAYLOAD)?;
            usize::try_from(len).ok()? + 2
        }
        _ => 0,
    };
    Some(Message { word, rest, read, payload })
}

fn is_object(text: &[u8]) -> bool {
    text.starts_with(b"{") && text.ends_with(b"}")
}

/// What the object of CONNECT or INFO says of a key that is true or false. A string is a key only where a colon follows
/// it: values may read the same.
pub(super) fn says(object: &[u8], key: &str) -> Option<bool> {
    let mut rest = object;
    loop {
        let begin = rest.iter().position(|byte| *byte == b'"')?;
        let (text, behind) = quoted(rest.get(begin + 1..)?)?;
        rest = behind.trim_ascii_start();
        if text == key.as_bytes()
            && let Some(value) = rest.strip_prefix(b":")
        {
            return match value.trim_ascii_start() {
                value if value.starts_with(b"true") => Some(true),
                value if value.starts_with(b"false") => Some(false),
                _ => None,
            };
        }
    }
}

/// A string behind its first quote, with its escapes (RFC 8259, section 7), and what stands behind its last one.
fn quoted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = bytes.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}
