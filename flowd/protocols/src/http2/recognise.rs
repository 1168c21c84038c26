//! Whether bytes are HTTP/2.

use super::{
    frame::{Frame, HEADER, PREFACE, USUAL, kind},
    hpack::Decoder,
    name::Name,
    opening::{HEAD_END, HTTP_1, is_text, place},
};
use crate::conversation::{Recognition, Side};

/// Fields that every request has at least: method, scheme and path (RFC 9113 section 8.3.1).
const LEAST_FIELDS: usize = 3;

/// Frames, one after the other.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    /// Headers of frames that are there.
    frames: usize,
    /// One of them has a request's head.
    asks: bool,
    /// One of them has a response's head.
    answers: bool,
}

/// Says whether the bytes are HTTP/2: the client's preface is, and so are frames from the middle of a connection where
/// one is a header block that reads well.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    if !may_answer(server) {
        return Recognition::No;
    }
    if client.starts_with(PREFACE) {
        return Recognition::Yes;
    }
    if PREFACE.starts_with(client) && !client.is_empty() {
        return Recognition::Maybe;
    }
    if is_text(client) {
        return upgrade(client);
    }
    let Some(asked) = run(Side::Client, client) else { return Recognition::No };
    if asked.asks {
        return Recognition::Yes;
    }
    let answers = run(Side::Server, server).is_some_and(|answered| answered.answers);
    if answers && asked.frames > 0 { Recognition::Yes } else { Recognition::Maybe }
}

/// Whether a server may say this: frames, or before them a response of HTTP/1.1.
fn may_answer(server: &[u8]) -> bool {
    server.starts_with(HTTP_1) || HTTP_1.starts_with(server) || run(Side::Server, server).is_some()
}

/// Whether `bytes`, the beginning of a segment of `side`, begin with a frame.
pub(super) fn looks_like_frames(side: Side, bytes: &[u8]) -> bool {
    run(side, bytes).is_some_and(|run| run.frames > 0)
}

/// A request of HTTP/1.1 that asks for HTTP/2 in clear text: the preface follows it where the server agrees.
fn upgrade(client: &[u8]) -> Recognition {
    let line = client.split(|&b| b == b'\n').next().unwrap_or_default();
    let is_line = line.iter().all(|b| b.is_ascii_graphic() || b" \t\r".contains(b));
    if !is_line || line.len() < client.len() && !line.trim_ascii_end().ends_with(b" HTTP/1.1") {
        return Recognition::No;
    }
    let end = place(client, HEAD_END);
    let head = end.and_then(|end| client.get(..end)).unwrap_or(client);
    let asks = head.windows(3).any(|word| word.eq_ignore_ascii_case(b"h2c"));
    match (asks, place(client, PREFACE), end) {
        (true, Some(_), _) => Recognition::Yes,
        (false, _, Some(_)) => Recognition::No,
        _ => Recognition::Maybe,
    }
}

/// The frames of `side` that `bytes` are, the last one perhaps cut; `None` where they are none.
fn run(side: Side, bytes: &[u8]) -> Option<Run> {
    let (mut run, mut rest) = (Run::default(), bytes);
    while !rest.is_empty() {
        let Some(frame) = Frame::of(rest) else {
            return may_begin(side, rest).then_some(run);
        };
        if !frame.is_sure(side) {
            return None;
        }
        run.frames += 1;
        if frame.kind == kind::HEADERS
            && frame.ends_block()
            && let Some(payload) = rest.get(HEADER..frame.size())
        {
            run.read(side, frame.fragment(payload))?;
        }
        rest = rest.get(frame.size()..).unwrap_or_default();
    }
    Some(run)
}

impl Run {
    /// Takes a header block, of whose table nothing is known. `None` where it is none.
    fn read(&mut self, side: Side, block: &[u8]) -> Option<()> {
        let (mut fields, mut of_request, mut has_status) = (0, 0, false);
        let mut decoder = Decoder::new();
        let read = decoder.read(block, &mut |name, _| {
            fields += 1;
            match name {
                Name::Method | Name::Path | Name::Authority | Name::Scheme => of_request += 1,
                Name::Status => has_status = true,
                _ => {}
            }
        });
        if read < block.len() || fields == 0 {
            return None;
        }
        match side {
            Side::Client if has_status => return None,
            Side::Server if of_request > 0 => return None,
            Side::Client => self.asks |= of_request >= 2 && fields >= LEAST_FIELDS,
            Side::Server => self.answers |= has_status,
        }
        Some(())
    }
}

/// Whether the first bytes of a frame's header may be these.
fn may_begin(side: Side, bytes: &[u8]) -> bool {
    let [_, most @ .., _] = (USUAL as u32).to_be_bytes();
    if bytes.get(..2).unwrap_or(bytes) > most.as_slice() {
        return false;
    }
    // With its flags the rest is the stream's number, of the connection or of a stream of the client's.
    bytes.len() < 5
        || [0, 1].into_iter().any(|last| {
            let mut header = [0, 0, 0, 0, 0, 0, 0, 0, last];
            header.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            Frame::of(&header).is_some_and(|frame| frame.is_sure(side))
        })
}
