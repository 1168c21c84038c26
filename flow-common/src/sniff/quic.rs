//! QUIC by the Initial packet that a datagram begins with (RFC 9000 section 17.2.2), on any port: it says its version,
//! which must be one of those whose Initial keys anybody can work out.

use core::hint::cold_path;

use super::find::{Find, show};
use crate::{
    app::App,
    dissect::Headers,
    event::{MAX_PAYLOAD, PayloadKind},
    packet::Packet,
    record::SharedRecord,
};

/// A client's datagrams with Initial packets are no shorter (RFC 9000 section 14.1); its server's may be.
const CLIENT_DATAGRAM: u32 = 1200;

/// A flow is left alone after twelve datagrams that may have Initial packets or four without QUIC, as the misses of one side
/// count: a hello takes two or three datagrams, and what follows can be read by nobody.
const MAX_MISSES: u8 = 12;
const COPIED: u8 = 1;
const FOREIGN: u8 = 3;

/// RFC 9369 section 3.1.
const VERSION_2: u32 = 0x6b33_43cf;

/// Whether it is a version with public keys, or one of the drafts, of which the reader of the copy knows more.
#[inline(always)]
const fn is_known(version: u32) -> bool {
    version == 1 || version == VERSION_2 || version >> 8 == 0x00ff_0000
}

/// Looks at a datagram of UDP. Which kind of packet it is, the reader of the copy tells: they have other numbers in each
/// version (RFC 9369 section 3.2).
#[inline(always)]
pub(super) fn initial<P: Packet>(packet: &P, record: &SharedRecord, headers: &Headers) -> Option<Find> {
    let [looks, _] = record.halves.each_ref().map(|half| &half.tcp.misses);
    let misses = looks.get();
    if misses >= MAX_MISSES {
        return None;
    }
    cold_path();
    let app = App::Quic as u8;
    // The first byte, whose first bit says that the header is long, and four of the version. The bit behind that was always
    // set once, and may be anything (RFC 9287 section 3).
    let word = u64::from_be(packet.read(headers.payload_offset).unwrap_or(0));
    let is_long = word >> 63 == 1 && is_known((word >> 24) as u32);
    if !is_long || record.app.get() != app && headers.payload_len < CLIENT_DATAGRAM {
        looks.set(misses + FOREIGN);
        return None;
    }
    looks.set(misses + COPIED);
    show(record, app);
    Some(Find { app, kind: PayloadKind::Message, len: headers.payload_len.min(MAX_PAYLOAD as u32) })
}
