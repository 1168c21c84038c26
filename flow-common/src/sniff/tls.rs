//! TLS by its first record: the handshake message that each side begins with (RFC 8446 sections 4 and 5.1).

use crate::{event::MAX_PAYLOAD, packet::Packet, wire::Be32};

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
/// The first byte of the version, the same since SSL 3.0.
pub(super) const MAJOR: u8 = 3;

/// Bytes of a record before its content, and of a handshake message before its body.
const RECORD_HEAD: u32 = 5;
const MESSAGE_HEAD: u32 = 4;

/// Whether these may be the first bytes of a side; an alert may only answer a hello.
#[inline(always)]
pub(super) const fn begins(first: u8, second: u8, answers: bool) -> bool {
    second == MAJOR && (first == HANDSHAKE || first == ALERT && answers)
}

/// Whether the payload is a ClientHello in the shape of SSL 2.0 that offers later versions (RFC 5246 section E.2): its
/// length with the highest bit set, kind 1, major version. Such a hello comes alone, so the length must be right.
#[inline(always)]
pub(super) const fn is_old_hello(word: [u8; 4], len: u32) -> bool {
    let [high, low, kind, major] = word;
    let said = ((high & 0x7f) as u32) << 8 | low as u32;
    high & 0x80 != 0 && kind == 1 && major == MAJOR && said + 2 == len
}

/// Bytes that the hello takes, its heads included. The most that a copy may have where it lies in several
/// records, or its heads are not there yet.
#[inline(always)]
pub(super) fn window<P: Packet>(packet: &P, offset: u32, len: u32) -> u32 {
    let most = MAX_PAYLOAD as u32;
    if len < RECORD_HEAD + MESSAGE_HEAD {
        return most;
    }
    // Version's low byte, two bytes of the record's length, kind; then the kind again and three of length.
    let (Some(record), Some(message)) =
        (packet.read::<Be32>(offset + 2), packet.read::<Be32>(offset + RECORD_HEAD))
    else {
        return most;
    };
    let (record, message) = (record.get() >> 8 & 0xffff, message.get() & 0x00ff_ffff);
    if message + MESSAGE_HEAD > record { most } else { (RECORD_HEAD + MESSAGE_HEAD + message).min(most) }
}
