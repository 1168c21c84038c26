//! Where a connection stands: handshake times, both ends' states and the history letters, as Zeek has them.

use core::hint::cold_path;

use super::sequence::SegmentKind;
use crate::{
    dissect::Segment,
    key::Sender,
    record::{Ended, SharedRecord, TcpEnd},
    wire::tcp::flag,
};

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
    if has(flag::SYN) {
        cold_path();
        handshake(record, sender, has(flag::ACK), now);
    } else if record.awaits_ack.get() != 0
        && has(flag::ACK)
        && sender as u8 == record.client.get()
        && !has(flag::RST)
    {
        cold_path();
        record.awaits_ack.set(0);
        record.handshake_client_rtt.set(now.saturating_sub(record.syn_ack_time.get()) + 1);
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

/// Times of the handshake: from the last SYN before the SYN-ACK, to the first SYN-ACK. Either side may send
/// the SYN-ACK (simultaneous open, RFC 9293 section 3.5), and a capture of several queues may show it first.
#[inline(always)]
fn handshake(record: &SharedRecord, sender: Sender, ack: bool, now: u64) {
    let (syn, syn_ack) = (record.syn_time.get(), record.syn_ack_time.get());
    if ack {
        if syn_ack != 0 {
            return;
        }
        record.syn_ack_time.set(now);
        record.awaits_ack.set(1);
        if syn != 0 {
            record.handshake_server_rtt.set(now.saturating_sub(syn) + 1);
        }
    } else if sender as u8 == record.client.get() {
        if syn_ack == 0 {
            record.syn_time.set(now);
        } else if syn == 0 && now <= syn_ack {
            record.syn_time.set(now);
            record.handshake_server_rtt.set(syn_ack - now + 1);
        }
    }
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
