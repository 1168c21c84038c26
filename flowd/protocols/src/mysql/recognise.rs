//! Whether both sides speak MySQL's protocol.

use super::{
    command::{self, Reply, number_of, statement},
    frame,
    login::login,
    packet::{HEAD, Kind, head, kind},
    words::OPERATIONS,
};
use crate::conversation::{
    Input, Recognition, Side,
    sql::{self, Flavour},
};

/// Bytes of a side that tell packets from frames.
const TOLD: usize = 24;

/// So much of a statement is enough.
const MUCH: usize = 16;

/// Numbers of errors: the manual's "Error Message Reference".
const ERRORS: std::ops::Range<u16> = 1_000..20_000;

pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    use Recognition::{Maybe, No, Yes};
    match (asks(client), answers(server)) {
        (No, _) | (_, No) => No,
        (Yes, _) | (_, Yes) => Yes,
        (Maybe, Maybe) if is_request(client) && is_answer(server) => Yes,
        (Maybe, Maybe) => Maybe,
    }
}

/// What the client's bytes say alone.
fn asks(bytes: &[u8]) -> Recognition {
    let (mut rest, mut asked) = (bytes, false);
    while !rest.is_empty() {
        let Some(head) = head(rest) else { return Recognition::Maybe };
        let payload = payload(rest, head.len);
        let seen = payload.len() == head.len;
        match head.number {
            1 if let Some(login) = login(payload, head.len) => {
                return if login.is_new() { Recognition::Yes } else { Recognition::Maybe };
            }
            // As much as it takes to see that it is none.
            1 if payload.len() < 33.min(head.len) && (5..4_096).contains(&head.len) => {
                return Recognition::Maybe;
            }
            0 if payload.is_empty() && head.len > 0 => return Recognition::Maybe,
            0 if command::fits(payload, head.len) => {
                asked = true;
                if tells(payload, seen) {
                    return Recognition::Yes;
                }
            }
            // A file, or steps of a login: whole or not, as what was refused stays refused.
            2.. if asked => {}
            0 => return asks_compressed(bytes),
            _ => return Recognition::No,
        }
        rest = rest.get(HEAD + head.len..).unwrap_or_default();
    }
    Recognition::Maybe
}

/// Whether a command is enough alone: a statement whose first word is known, or an execution.
fn tells(payload: &[u8], seen: bool) -> bool {
    match payload {
        [number_of::QUERY | number_of::PREPARE, body @ ..] => {
            let text = statement(body, None);
            let word = sql::operation(text, Flavour::MYSQL, OPERATIONS);
            (seen || text.len() >= MUCH) && word != sql::EMPTY && OPERATIONS.contains(&&*word)
        }
        [number_of::EXECUTE, ..] => payload.len() >= 10,
        _ => false,
    }
}

/// The same of frames.
fn asks_compressed(bytes: &[u8]) -> Recognition {
    let Some(head) = frame::head(bytes) else { return Recognition::Maybe };
    if !is_compressed(Side::Client, bytes) {
        // As much as it takes to see that it is none.
        let enough = frame::HEAD + if head.inflates { 2 } else { HEAD + 1 };
        return if bytes.len() < enough { Recognition::Maybe } else { Recognition::No };
    }
    let content = frame::content(head, bytes.get(frame::HEAD..).unwrap_or_default());
    let payload = content.get(HEAD..).unwrap_or_default();
    if tells(payload, payload.len() + HEAD == head.holds) { Recognition::Yes } else { Recognition::Maybe }
}

/// What the server's bytes say alone.
fn answers(bytes: &[u8]) -> Recognition {
    let Some(head) = head(bytes) else { return Recognition::Maybe };
    let payload = payload(bytes, head.len);
    match (head.number, payload.first()) {
        (_, None) if head.len > 0 => Recognition::Maybe,
        (0, Some(10)) => greeting(payload, head.len),
        (0, Some(0xff)) if (9..1_024).contains(&head.len) => Recognition::Maybe,
        (0, _) | (_, None) => Recognition::No,
        (1, _) if columns_follow(bytes) => Recognition::Yes,
        (1, _) if is_answer(bytes) || begins_answer(payload, head.len) => Recognition::Maybe,
        (1, _) if kind(payload, head.len) == Kind::Column && may_chain(bytes) => Recognition::Maybe,
        (1, _) if payload.len() == head.len => Recognition::No,
        _ if may_chain(bytes) => Recognition::Maybe,
        _ => Recognition::No,
    }
}

/// The manual's "Protocol::HandshakeV10".
fn greeting(payload: &[u8], len: usize) -> Recognition {
    if !(40..1_024).contains(&len) {
        return Recognition::No;
    }
    let text = payload.get(1..).unwrap_or_default();
    let Some(end) = text.iter().position(|byte| *byte < b' ') else { return Recognition::Maybe };
    let (version, rest) = text.split_at_checked(end).unwrap_or_default();
    if !version.first().is_some_and(u8::is_ascii_digit) || rest.first() != Some(&0) {
        return Recognition::No;
    }
    // A thread's number, 8 bytes of a challenge, a zero; capabilities, a character set, a status, capabilities, a length;
    // then 10 zeros, of which MariaDB uses the last four.
    match (rest.get(13), rest.get(22..28)) {
        (Some(0), Some(zeros)) if zeros.iter().all(|byte| *byte == 0) => Recognition::Yes,
        (Some(0) | None, None) if payload.len() < len => Recognition::Maybe,
        _ => Recognition::No,
    }
}

/// Whether a whole command that is answered stands at the front.
fn is_request(bytes: &[u8]) -> bool {
    head(bytes).is_some_and(|head| {
        let payload = payload(bytes, head.len);
        let answered = payload.first().and_then(|first| command::reply(*first));
        head.number == 0
            && payload.len() == head.len
            && answered.is_some_and(|reply| reply != Reply::Nothing)
            && command::fits(payload, head.len)
    })
}

/// Whether the first packet of an answer stands at the front.
fn is_answer(bytes: &[u8]) -> bool {
    let Some(head) = head(bytes) else { return false };
    let payload = payload(bytes, head.len);
    let text = || payload.iter().all(|byte| (b' '..0x7f).contains(byte));
    head.number == 1
        && payload.len() == head.len
        && match kind(payload, head.len) {
            Kind::Ok(_) => head.len < 1_024,
            Kind::Eof(_) => true,
            Kind::Error(number) => ERRORS.contains(&number) && payload.get(3) == Some(&b'#'),
            Kind::Other => columns_follow(bytes) || head.len > 20 && text(),
            Kind::Column => chain(bytes),
            Kind::EndOk(_) | Kind::Progress | Kind::File => false,
        }
}

/// Whether the first packet of an answer may begin with these bytes, of `len`; a number of columns stands alone perhaps.
fn begins_answer(payload: &[u8], len: usize) -> bool {
    let cut = payload.len() < len;
    match kind(payload, len) {
        _ if len <= 3 => true,
        _ if cut && payload.len() < 3 => len < 1 << 16,
        Kind::Ok(_) => cut && len < 1_024,
        Kind::Error(number) => cut && ERRORS.contains(&number),
        Kind::Column => cut,
        _ => false,
    }
}

/// Whether a number of columns stands at the front, and the definition of one behind it.
fn columns_follow(bytes: &[u8]) -> bool {
    let Some(first) = head(bytes).filter(|head| (1..=3).contains(&head.len)) else { return false };
    let rest = bytes.get(HEAD + first.len..).unwrap_or_default();
    let Some(second) = head(rest) else { return false };
    second.number == first.number.wrapping_add(1)
        && kind(payload(rest, second.len), second.len) == Kind::Column
}

/// Packets whose numbers follow each other, as far as bytes go: how many, and how the bytes end. `None` where one does
/// not follow.
fn chained(bytes: &[u8]) -> Option<(usize, End)> {
    let (mut rest, mut before, mut count) = (bytes, None, 0);
    while let Some(head) = head(rest) {
        if head.len == 0 || before.is_some_and(|before: u8| before.wrapping_add(1) != head.number) {
            return None;
        }
        (before, count) = (Some(head.number), count + 1);
        let Some(behind) = rest.get(HEAD + head.len..) else { return Some((count, End::Inside(head.len))) };
        rest = behind;
    }
    Some((count, if rest.is_empty() { End::Behind } else { End::InHead }))
}

/// Where bytes end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Behind a packet.
    Behind,
    InHead,
    /// Inside of a packet with a payload of this length.
    Inside(usize),
}

/// Whether packets whose numbers follow each other stand at the front, at least two or one to the end.
fn chain(bytes: &[u8]) -> bool {
    chained(bytes).is_some_and(|(count, end)| count > 1 || count == 1 && end == End::Behind)
}

/// Whether more bytes may make that of these.
fn may_chain(bytes: &[u8]) -> bool {
    chained(bytes).is_some_and(|(count, end)| match end {
        End::Inside(len) => count > 1 || len < 1 << 16,
        End::Behind | End::InHead => true,
    })
}

/// Whether packets of `side` stand at the beginning of a segment.
pub(super) fn resumes(side: Side, bytes: &[u8]) -> bool {
    match side {
        Side::Server => chain(bytes),
        Side::Client => {
            let mut rest = bytes;
            while let Some(head) = head(rest) {
                if head.number != 0 || !command::fits(payload(rest, head.len), head.len) {
                    return false;
                }
                rest = rest.get(HEAD + head.len..).unwrap_or_default();
            }
            rest.is_empty() && !bytes.is_empty()
        }
    }
}

/// Whether the packet of `side` at the front, which says that its payload has `len` bytes, is in a frame; or how many bytes
/// tell that. They alone are looked at: more may have come with them, or not.
pub(super) fn form(side: Side, len: usize, input: Input<'_>) -> Result<bool, usize> {
    let front = |need: usize| match input.bytes.get(..need) {
        Some(front) => Ok(front),
        None if input.cut => Ok(input.bytes),
        None => Err(need),
    };
    let packet = front((HEAD + len).min(TOLD))?;
    match side {
        Side::Client if is_plain(packet) => Ok(false),
        // A frame of this length is longer by its head than the packet would be.
        Side::Client => Ok(is_compressed(side, front((frame::HEAD + len).min(TOLD))?)),
        // The end of a packet may be the last that the server says: nothing behind it is waited for.
        Side::Server => Ok(is_compressed(side, packet)),
    }
}

/// Whether a client's packet that is not in a frame stands at the front, as far as can be told.
fn is_plain(bytes: &[u8]) -> bool {
    head(bytes).is_some_and(|head| head.number > 0 || command::fits(payload(bytes, head.len), head.len))
}

/// Whether frames with packets of `side` stand at the front.
pub(super) fn is_compressed(side: Side, bytes: &[u8]) -> bool {
    let Some(frame) = frame::head(bytes).filter(|frame| frame.len > HEAD) else { return false };
    let within = bytes.get(frame::HEAD..).unwrap_or_default();
    // RFC 1950 section 2.2: the method and a checksum.
    let zlib = matches!(within, [0x78, flags, ..] if (0x7800 + u16::from(*flags)) % 31 == 0);
    if frame.inflates && !(zlib && frame.holds > frame.len) {
        return false;
    }
    let content = frame::content(frame, within);
    let Some(packet) = head(&content) else { return frame.inflates };
    let payload = payload(&content, packet.len);
    let number = bytes.get(3).copied().unwrap_or_default();
    match side {
        Side::Client => {
            number == 0
                && packet.number == 0
                && (payload.is_empty() || command::fits(payload, packet.len))
                && packet.len + HEAD >= frame.holds
        }
        // Only requests begin with 0: where an OK packet looks like a frame, that is part of its warnings' count.
        Side::Server => number > 0 && packet.number > 0 && packet.len > 0 && packet.len + HEAD <= frame.holds,
    }
}

/// What is there of a payload of this length.
fn payload(bytes: &[u8], len: usize) -> &[u8] {
    bytes.get(HEAD..HEAD + len).or_else(|| bytes.get(HEAD..)).unwrap_or_default()
}
