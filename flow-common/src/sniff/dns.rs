//! DNS by its port: what UDP carries as a whole, and what a TCP stream is made of.

use core::hint::cold_path;

use super::find::{Find, Wanted};
use crate::{
    app::App, dissect::Headers, event::PayloadKind, packet::Packet, record::SharedRecord, wire::Be32,
};

/// Bytes of a message that are copied at least, where so many are there: what resolvers let each other send
/// over UDP by default (DNS flag day 2020).
pub const DNS_BYTES: u32 = 1232;

const PORT: u16 = 53;
/// A message is no shorter than its header (RFC 1035 section 4.1.1).
const HEADER_LEN: u32 = 12;

/// Bytes of a message that are copied, where so many bytes of an HTTP head are.
#[inline(always)]
#[must_use]
pub const fn limit(head_bytes: u32) -> u32 {
    if head_bytes > DNS_BYTES { head_bytes } else { DNS_BYTES }
}

/// Whether one of the ports is that of DNS.
#[inline(always)]
pub(super) const fn port(headers: &Headers) -> bool {
    headers.source.port == PORT || headers.destination.port == PORT
}

/// Whether the payload asks one question, as messages of DNS do but for a few (RFC 9619): where it is a `stream`, the
/// length of the message may stand before it, or have come alone.
#[inline(always)]
pub(super) fn asks<P: Packet>(packet: &P, offset: u32, stream: bool) -> bool {
    /// Bytes of identifier and flags, before the number of questions.
    const QUESTIONS: u32 = 4;
    packet.read::<Be32>(offset + QUESTIONS).is_some_and(|word| {
        let word = word.get();
        word >> 16 == 1 || stream && word & 0xffff == 1
    })
}

/// Looks at a datagram of UDP on the port of DNS.
#[inline(always)]
pub(super) fn message<P: Packet>(
    packet: &P,
    record: &SharedRecord,
    headers: &Headers,
    wanted: Wanted,
) -> Option<Find> {
    if headers.payload_len < HEADER_LEN {
        return None;
    }
    cold_path();
    let app = App::Dns as u8;
    if record.app.get() == 0 && asks(packet, headers.payload_offset, false) {
        record.app.set(app);
    }
    Some(Find { app, kind: PayloadKind::Message, len: headers.payload_len.min(limit(wanted.head_bytes)) })
}
