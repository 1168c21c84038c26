//! Where a connection stands: handshake times, both ends' states and the history letters, as Zeek has them.

use core::hint::cold_path;

use super::Order;
use crate::{
    dissect::transport::Segment,
    key::Sender,
    record::{Ended, FlowRecord, TcpEnd},
    wire::tcp::flag,
};

/// History letters in the order of their bits: SYN, SYN-ACK, pure ACK, data, FIN, RST, repeated payload,
/// zero window, inconsistent flags, SYN with FIN or RST.
const LETTERS: [u8; 10] = *b"shadfrtwiq";

#[inline(always)]
pub(super) fn follow(
    record: &mut FlowRecord,
    sender: Sender,
    segment: &Segment,
    carries: bool,
    order: Order,
    now: u64,
) {
    let has = |bits: u16| segment.flags & bits != 0;
    if has(flag::SYN) {
        cold_path();
        handshake(record, sender, has(flag::ACK), now);
    } else if record.awaits_ack != 0 && has(flag::ACK) && sender as u8 == record.client && !has(flag::RST) {
        cold_path();
        record.awaits_ack = 0;
        record.handshake_client_rtt = now.saturating_sub(record.syn_ack_time) + 1;
    }
    ends(record, sender, segment.flags, carries);

    if segment.flags & (flag::SYN | flag::FIN | flag::RST) == 0 {
        if !carries {
            note(record, sender, 2);
        } else {
            note(record, sender, 3);
            if matches!(order, Order::Repeat) {
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
fn handshake(record: &mut FlowRecord, sender: Sender, ack: bool, now: u64) {
    if ack {
        if record.syn_ack_time != 0 {
            return;
        }
        record.syn_ack_time = now;
        record.awaits_ack = 1;
        if record.syn_time != 0 {
            record.handshake_server_rtt = now.saturating_sub(record.syn_time) + 1;
        }
    } else if sender as u8 == record.client {
        if record.syn_ack_time == 0 {
            record.syn_time = now;
        } else if record.syn_time == 0 && now <= record.syn_ack_time {
            record.syn_time = now;
            record.handshake_server_rtt = record.syn_ack_time - now + 1;
        }
    }
}

/// Both ends' states.
#[inline(always)]
fn ends(record: &mut FlowRecord, sender: Sender, flags: u16, carries: bool) {
    const INACTIVE: u8 = TcpEnd::Inactive as u8;
    const SYN_SENT: u8 = TcpEnd::SynSent as u8;
    const SYN_ACK_SENT: u8 = TcpEnd::SynAckSent as u8;
    const PARTIAL: u8 = TcpEnd::Partial as u8;
    const ESTABLISHED: u8 = TcpEnd::Established as u8;
    const CLOSED: u8 = TcpEnd::Closed as u8;
    const RESET: u8 = TcpEnd::Reset as u8;

    let (own, peer) = super::pair(record, sender);
    let (was, other) = (own.tcp.state, peer.tcp.state);
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
            peer.tcp.state = ESTABLISHED;
        }
    } else if was == INACTIVE {
        // A bare ACK before the SYN of its own (a split handshake) is no start in the middle.
        if other != SYN_SENT || carries {
            state = PARTIAL;
        }
    } else if (was == SYN_SENT || was == PARTIAL) && (other == SYN_ACK_SENT || other == ESTABLISHED) {
        state = ESTABLISHED;
        if other == SYN_ACK_SENT {
            peer.tcp.state = ESTABLISHED;
        }
    }
    if state != was {
        cold_path();
        own.tcp.state = state;
        let peer_state = peer.tcp.state;
        if state == RESET {
            record.ended = Ended::Rst as u8;
        } else if state == CLOSED && peer_state == CLOSED {
            record.ended = Ended::Fin as u8;
        }
    }
}

/// Adds letter `index` of [`LETTERS`] for `sender`, once.
#[inline(always)]
fn note(record: &mut FlowRecord, sender: Sender, index: usize) {
    let bit = 1_u32 << (2 * index as u32 + sender as u32);
    if record.history_seen & bit != 0 {
        return;
    }
    cold_path();
    record.history_seen |= bit;
    let Some(letter) = LETTERS.get(index) else { return };
    let letter = if sender as u8 == record.client { letter.to_ascii_uppercase() } else { *letter };
    if let Some(place) = record.history.get_mut(usize::from(record.history_len)) {
        *place = letter;
        record.history_len += 1;
    }
}
