//! Where a connection stands: handshake times, both ends' states and the history letters, as Zeek has them.

use core::hint::cold_path;

use super::sequence::SegmentKind;
use crate::{
    dissect::Segment,
    key::Sender,
    record::{Ended, SharedRecord, TcpEnd},
    wire::tcp::flag,
};

/// So soon a mirror's copy of a packet comes, ns; what its sender sends again comes later.
const COPIED: u64 = 1_000_000;

/// History letters in the order of their bits: SYN, SYN-ACK, pure ACK, data, FIN, RST, repeated payload,
/// zero window, inconsistent flags, SYN with FIN or RST.
const LETTERS: [u8; 10] = *b"shadfrtwiq";

#[inline(always)]
pub(super) fn update(
    record: &SharedRecord,
    sender: Sender,
    segment: &Segment,
    carries: bool,
    kind: SegmentKind,
    now: u64,
) {
    let has = |bits: u16| segment.flags & bits != 0;
    if record.awaits_ack.get() != 0
        && has(flag::ACK)
        && sender as u8 == record.client.get()
        && !has(flag::RST)
    {
        cold_path();
        record.awaits_ack.set(0);
        record.handshake_client_rtt.set(now.saturating_sub(record.opened.get()) + 1);
    }
    if has(flag::SYN) {
        cold_path();
        handshake(record, sender, has(flag::ACK), now);
    }
    ends(record, sender, segment.flags, carries);

    if segment.flags & (flag::SYN | flag::FIN | flag::RST) == 0 {
        if !carries {
            note(record, sender, 2);
        } else {
            note(record, sender, 3);
            if matches!(kind, SegmentKind::Repeat) {
                note(record, sender, 6);
            }
        }
        if segment.window == 0 {
            note(record, sender, 7);
        }
        return;
    }
    cold_path();
    match segment.flags & (flag::SYN | flag::FIN | flag::RST) {
        flag::SYN if has(flag::ACK) => note(record, sender, 1),
        flag::SYN => note(record, sender, 0),
        flag::FIN | flag::RST => note(record, sender, if has(flag::FIN) { 4 } else { 5 }),
        bits if bits & flag::SYN == 0 => note(record, sender, 8),
        _ => note(record, sender, 9),
    }
}

/// Times of the handshake: from the client's last SYN before the SYN-ACK to that, and from there to the client's first
/// acknowledgement. Where the SYN-ACK came twice, other than as a mirror's copy, nobody knows which one the client
/// answered (Karn). In a simultaneous open (RFC 9293 section 3.5) each SYN has its SYN-ACK: what the client answers is
/// the server's SYN.
#[inline(always)]
fn handshake(record: &SharedRecord, sender: Sender, ack: bool, now: u64) {
    let (syn, opened) = (record.syn_time.get(), record.opened.get());
    let from_client = sender as u8 == record.client.get();
    let answered = noted(record, Sender::A, SYN_ACK | SYN_ACK << 1);
    if from_client && !ack {
        if !answered {
            record.syn_time.set(now);
        } else if syn == 0 && now <= opened {
            // A capture of several queues may show the SYN-ACK first.
            record.syn_time.set(now);
            record.handshake_server_rtt.set(opened - now + 1);
        }
        return;
    }
    if from_client && answered {
        return;
    }
    if noted(record, sender, SYN_ACK) {
        if now.saturating_sub(opened) > COPIED {
            record.awaits_ack.set(0);
        }
        return;
    }
    if ack && syn != 0 {
        record.handshake_server_rtt.set(now.saturating_sub(syn) + 1);
    }
    if opened == 0 || from_client {
        record.opened.set(now);
        record.awaits_ack.set(1);
    } else if answered {
        record.awaits_ack.set(0);
    }
}

/// Bits of [`SharedRecord`]'s `history_seen`, for sender A.
const SYN_ACK: u32 = 1 << 2;
pub(super) const ANY_SYN: u32 = 1 | SYN_ACK;
/// The letters before those of a reset.
const BEFORE_RESET: u32 = 0x155;

/// Whether nothing of `sender` was noted but resets.
#[inline(always)]
pub fn only_reset(record: &SharedRecord, sender: Sender) -> bool {
    !noted(record, sender, BEFORE_RESET)
}

/// Whether one of these letters was noted for `sender`.
#[inline(always)]
pub(super) fn noted(record: &SharedRecord, sender: Sender, letters: u32) -> bool {
    record.history_seen.get() & letters << sender as u32 != 0
}

/// Both ends' states.
#[inline(always)]
fn ends(record: &SharedRecord, sender: Sender, flags: u16, carries: bool) {
    const INACTIVE: u8 = TcpEnd::Inactive as u8;
    const SYN_SENT: u8 = TcpEnd::SynSent as u8;
    const SYN_ACK_SENT: u8 = TcpEnd::SynAckSent as u8;
    const PARTIAL: u8 = TcpEnd::Partial as u8;
    const ESTABLISHED: u8 = TcpEnd::Established as u8;
    const CLOSED: u8 = TcpEnd::Closed as u8;
    const RESET: u8 = TcpEnd::Reset as u8;

    let (own, peer) = record.pair(sender);
    let (was, other) = (own.tcp.state.get(), peer.tcp.state.get());
    let mut state = was;
    if flags & flag::RST != 0 {
        cold_path();
        if !(was == CLOSED && other == CLOSED) {
            state = RESET;
        }
    } else if flags & flag::FIN != 0 {
        cold_path();
        if was != RESET {
            state = CLOSED;
        }
    } else if flags & flag::SYN != 0 {
        cold_path();
        if was == INACTIVE {
            // A SYN that meets the peer's opens the connection from both ends (RFC 9293 section 3.5).
            state = if other == SYN_SENT || other != INACTIVE && flags & flag::ACK != 0 {
                ESTABLISHED
            } else if flags & flag::ACK == 0 {
                SYN_SENT
            } else {
                SYN_ACK_SENT
            };
        }
        if state == ESTABLISHED && other == SYN_SENT {
            peer.tcp.state.set(ESTABLISHED);
        }
    } else if was == INACTIVE {
        // A bare ACK before the SYN of its own (a split handshake) is no start in the middle.
        if other != SYN_SENT || carries {
            state = PARTIAL;
        }
    } else if (was == SYN_SENT || was == PARTIAL) && (other == SYN_ACK_SENT || other == ESTABLISHED) {
        state = ESTABLISHED;
        if other == SYN_ACK_SENT {
            peer.tcp.state.set(ESTABLISHED);
        }
    }
    if state != was {
        cold_path();
        own.tcp.state.set(state);
        if state == RESET {
            record.ended.set(Ended::Rst as u8);
        } else if state == CLOSED && peer.tcp.state.get() == CLOSED {
            record.ended.set(Ended::Fin as u8);
        }
    }
}

/// Adds letter `index` of [`LETTERS`] for `sender`, once.
#[inline(always)]
fn note(record: &SharedRecord, sender: Sender, index: usize) {
    let bit = 1_u32 << (2 * index as u32 + sender as u32);
    if record.history_seen.get() & bit != 0 {
        return;
    }
    cold_path();
    record.history_seen.set_bits(bit);
    let Some(letter) = LETTERS.get(index) else { return };
    let letter = if sender as u8 == record.client.get() { letter.to_ascii_uppercase() } else { *letter };
    let len = record.history_len.get();
    if let Some(place) = record.history.get(usize::from(len)) {
        place.set(letter);
        record.history_len.set(len + 1);
    }
}
