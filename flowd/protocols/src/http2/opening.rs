//! What comes before the first frame: the client's preface (RFC 9113 section 3.4), and the request and response of
//! HTTP/1.1 that lead to it by `Upgrade: h2c` (RFC 7540 section 3.2).

use super::frame::PREFACE;
use crate::conversation::{Side, Step};

/// The end of a head of HTTP/1.
pub(super) const HEAD_END: &[u8] = b"\r\n\r\n";

/// What a status line begins with.
pub(super) const HTTP_1: &[u8] = b"HTTP/1.";

/// What a side begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// Something before the first frame.
    Step(Step),
    /// The preface; frames follow it.
    Preface,
    /// A frame, as far as can be told.
    Frame,
}

/// Reads the beginning of a side, as often as something comes before its first frame.
pub(super) fn read(side: Side, bytes: &[u8]) -> Opening {
    match side {
        Side::Client if bytes.starts_with(PREFACE) => Opening::Preface,
        Side::Client if PREFACE.starts_with(bytes) => Opening::Step(Step::Need(PREFACE.len())),
        Side::Client if is_text(bytes) => Opening::Step(match place(bytes, PREFACE) {
            Some(at) => Step::Take(at),
            // Frames follow the preface at once, so waiting for this much costs nothing.
            None => Step::Need(bytes.len() + PREFACE.len()),
        }),
        Side::Server if bytes.starts_with(HTTP_1) => Opening::Step(match place(bytes, HEAD_END) {
            Some(at) => Step::Take(at + HEAD_END.len()),
            None => Step::Need(bytes.len() + 1),
        }),
        Side::Server if HTTP_1.starts_with(bytes) => Opening::Step(Step::Need(HTTP_1.len())),
        Side::Client | Side::Server => Opening::Frame,
    }
}

/// Whether a side whose beginning was not seen may begin with `bytes`.
pub(super) fn may_be(side: Side, bytes: &[u8]) -> bool {
    match side {
        Side::Client => bytes.starts_with(PREFACE) || is_text(bytes) && place(bytes, PREFACE).is_some(),
        Side::Server => bytes.starts_with(b"HTTP/1.1 101 "),
    }
}

/// Whether a request line of HTTP/1 may begin like this. A frame would have more than 4 MiB.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_uppercase)
}

/// Where `wanted` begins in `bytes`.
pub(super) fn place(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
