//! What an HTTP/1.x message begins with, and ends with where it has no body.

use core::hint::black_box;

use super::find::Begun;
use crate::packet::Packet;

/// Request methods by their first four bytes: those that requests to proxies bring, whose targets begin with a scheme or a
/// host, that of HTTP/2's preface, which ends the view, and three that are too long for [`has_request_line`], which finds
/// the others. A word that is no method is sorted out by the reader of the copy.
const METHODS: [[u8; 4]; 15] = [
    *b"GET ", *b"POST", *b"PUT ", *b"HEAD", *b"DELE", *b"OPTI", *b"CONN", *b"TRAC", *b"PATC", *b"PROP",
    *b"PURG", *b"VERS", *b"PRI ", *b"BASE", *b"UPDA",
];

/// What begins like this is HTTP and nothing else. Other methods are also those of RTSP, SIP, ICAP and FTP, whose first
/// lines look the same up to the version behind the target; there the answer tells.
const PROOFS: [Proof; 9] = [
    proof(*b"HTTP/1.\0"),
    proof(*b"ICY 200 "),
    proof(*b"GET /\0\0\0"),
    proof(*b"GET http"),
    proof(*b"POST /\0\0"),
    proof(*b"POST htt"),
    proof(*b"PUT /\0\0\0"),
    proof(*b"HEAD /\0\0"),
    proof(*b"PATCH /\0"),
];

/// The first bytes of HTTP/2's preface (RFC 9113 section 3.4), as they lie in memory.
const PREFACE: u64 = u64::from_ne_bytes(*b"PRI * HT");

/// The first bytes of a message as a little-endian word, and which of them count.
type Proof = (u64, u64);

/// `bytes` without the zeros at their end.
const fn proof(bytes: [u8; 8]) -> Proof {
    let word = u64::from_le_bytes(bytes);
    (word, u64::MAX >> (word.leading_zeros() / u8::BITS * u8::BITS))
}

/// What RTSP, SIP and ICAP answer with, and ICAP's own methods. ICAP carries messages of HTTP (RFC 3507), whose clients
/// are others than those of the connection.
const FOREIGN: [[u8; 4]; 5] = [*b"RTSP", *b"SIP/", *b"ICAP", *b"REQM", *b"RESP"];

/// What a message with these first four bytes (as they lie in memory) at `offset` is.
#[inline(always)]
pub(super) fn classify<P: Packet>(packet: &P, offset: u32, first: u32) -> Option<Begun> {
    let (mut offset, mut first) = (offset, first);
    // Empty lines before a message are to be ignored (RFC 9112 section 2.2).
    let [one, two, ..] = first.to_ne_bytes();
    if [one, two] == *b"\r\n" {
        offset += if first == u32::from_ne_bytes(*b"\r\n\r\n") { 4 } else { 2 };
        first = packet.read(offset).unwrap_or(0);
    }
    if first == u32::from_ne_bytes(*b"HTTP") || first == u32::from_ne_bytes(*b"ICY ") {
        return Some(Begun::Response);
    }
    let mut known = false;
    for method in METHODS {
        known |= first == u32::from_ne_bytes(method);
    }
    let mut foreign = false;
    for word in FOREIGN {
        foreign |= first == u32::from_ne_bytes(word);
    }
    if foreign {
        return Some(Begun::Foreign);
    }
    let [letter, ..] = first.to_ne_bytes();
    (known || letter.is_ascii_alphabetic() && has_request_line(packet, offset)).then_some(Begun::Request)
}

/// Whether the first bytes are one word and, behind a space, the beginning of a path or an asterisk: a method is any
/// token (RFC 9110 section 9.1). The shortest message that has this has 16 bytes.
#[inline(always)]
fn has_request_line<P: Packet>(packet: &P, offset: u32) -> bool {
    let (first, second) = (packet.read(offset).unwrap_or(0), packet.read(offset + 8).unwrap_or(0));
    let (first, second) = (u64::from_le(first), u64::from_le(second));
    let (spaces, more_spaces) = (bytes_that_are(first, b' '), bytes_that_are(second, b' '));
    let targets = bytes_that_are(first, b'/') | bytes_that_are(first, b'*');
    let more_targets = bytes_that_are(second, b'/') | bytes_that_are(second, b'*');
    // The first space alone, and where the byte behind it would be marked.
    let space = spaces & spaces.wrapping_neg();
    let more_space = if spaces == 0 { more_spaces & more_spaces.wrapping_neg() } else { 0 };
    (space << 8) & targets | (space >> 56 | more_space << 8) & more_targets != 0
}

/// The highest bit of every byte of `word` that is `byte`.
#[inline(always)]
const fn bytes_that_are(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let different = word ^ u64::from_ne_bytes([byte; 8]);
    // No byte carries into the next one.
    !(((different & LOW) + LOW) | different | LOW)
}

/// 1 where the payload begins as HTTP/2's preface does, else 0. Worked out and not compared, which
/// the verifier would follow both ways.
#[inline(always)]
pub(super) fn preface<P: Packet>(packet: &P, offset: u32) -> u32 {
    let different = black_box(packet.read(offset).unwrap_or(0) ^ PREFACE);
    // Of a number and its negative at least one has the highest bit, unless both are 0.
    1 ^ (black_box(different | different.wrapping_neg()) >> 63) as u32
}

/// Whether the payload begins as only HTTP does; `or`: something else says so.
#[inline(always)]
pub(super) fn proves<P: Packet>(packet: &P, offset: u32, or: bool) -> bool {
    let word = u64::from_le(packet.read(offset).unwrap_or(0));
    let mut proven = or;
    for (proof, mask) in PROOFS {
        proven |= word & mask == proof;
    }
    proven
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
    if len < 4 {
        return false;
    }
    // Out of the compiler's sight, which would compare the word before it asks whether there is one: verifiers refuse that.
    let tail = black_box(packet.read(offset + len - 4).unwrap_or(0));
    tail == u32::from_ne_bytes(*b"\r\n\r\n")
}
