//! What an HTTP/1.x message begins with, and ends with where it has no body.

use super::find::Begun;
use crate::packet::Packet;

/// Request methods by their first four bytes: RFC 9110, PATCH, WebDAV, SSDP, and what Microsoft's clients use, and
/// HTTP/2's preface, which ends the view. A word that is no method is sorted out by the reader of the copy.
const METHODS: [[u8; 4]; 33] = [
    *b"GET ", *b"POST", *b"PUT ", *b"HEAD", *b"DELE", *b"OPTI", *b"CONN", *b"TRAC", *b"PATC", *b"PROP",
    *b"MKCO", *b"COPY", *b"MOVE", *b"LOCK", *b"UNLO", *b"REPO", *b"SEAR", *b"MERG", *b"NOTI", *b"SUBS",
    *b"UNSU", *b"PURG", *b"M-SE", *b"BIND", *b"CCM_", *b"RPC_", *b"BITS", *b"VERS", *b"MKAC", *b"QUER",
    *b"POLL", *b"LINK", *b"PRI ",
];

/// What a message with these first four bytes (as they lie in memory) is.
#[inline(always)]
pub(super) fn classify(first: u32) -> Option<Begun> {
    if first == u32::from_ne_bytes(*b"HTTP") {
        return Some(Begun::Response);
    }
    let mut known = false;
    for method in METHODS {
        known |= first == u32::from_ne_bytes(method);
    }
    known.then_some(Begun::Request)
}

/// One to three bytes that may become a method or a version are enough: what follows is copied in any case,
/// and the reader sorts it out.
#[inline(always)]
pub(super) fn classify_short(first: u8, second: Option<u8>) -> Option<Begun> {
    if let Some(second) = second {
        if !(second.is_ascii_uppercase() || second == b'-') {
            return None;
        }
        if [first, second] == *b"HT" {
            return Some(Begun::Response);
        }
    }
    // An H alone may become HEAD or HTTP; the reader of the copy decides.
    first.is_ascii_uppercase().then_some(Begun::Request)
}

/// Whether the payload ends with an empty line, as a message without a body does.
#[inline(always)]
pub(super) fn ends_head<P: Packet>(packet: &P, offset: u32, len: u32) -> bool {
    len >= 4 && packet.read::<u32>(offset + len - 4) == Some(u32::from_ne_bytes(*b"\r\n\r\n"))
}
