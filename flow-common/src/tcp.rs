//! TCP quality of one segment: is it new, repeated or late, and what does it say about the path?
//!
//! The rules follow those of tshark's `tcp.analysis`, from what one observation point can know at the
//! moment the segment passes: nothing is ever taken back.

use core::hint::cold_path;

pub mod gaps;
pub mod rtt;
pub mod state;

use crate::{
    dissect::transport::Segment,
    key::Sender,
    packet::recall,
    record::{FlowRecord, Half, seen},
    wire::tcp::flag,
};

/// What a segment is in the order of its sender's sequence space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Order {
    /// Carries nothing that takes sequence space, or repeats the byte before it to stay alive.
    Empty,
    /// Begins where the last one ended, or behind a gap.
    New,
    /// Fills a gap that later segments left, soon enough not to be a repair.
    Late,
    /// Covers sequence space that was sent before.
    Repeat,
    /// The same, but this observation point had not seen those bytes: they were lost on the way here.
    Repair,
}

/// What was found of a segment, in one byte that goes through the record.
///
/// To the verifier all ways meet where it is read again; kept in registers, the ways through the parts of
/// [`track`] would multiply.
#[derive(Clone, Copy)]
struct Verdict(u8);

impl Verdict {
    #[inline(always)]
    const fn new(order: Order, probes: bool, kept_alive: bool, carries: bool) -> Self {
        Self(order as u8 | (probes as u8) << 4 | (kept_alive as u8) << 5 | (carries as u8) << 6)
    }

    #[inline(always)]
    fn recall(own: &Half) -> Self {
        Self(recall(&own.tcp.verdict))
    }

    #[inline(always)]
    const fn order(self) -> Order {
        match self.0 & 0xf {
            0 => Order::Empty,
            1 => Order::New,
            2 => Order::Late,
            3 => Order::Repeat,
            _ => Order::Repair,
        }
    }

    /// Whether the segment asks for a window.
    #[inline(always)]
    const fn probes(self) -> bool {
        self.0 >> 4 & 1 != 0
    }

    /// Whether the segment keeps the connection alive.
    #[inline(always)]
    const fn kept_alive(self) -> bool {
        self.0 >> 5 & 1 != 0
    }

    /// Whether the segment has payload.
    #[inline(always)]
    const fn carries(self) -> bool {
        self.0 >> 6 & 1 != 0
    }
}

/// How long after its successors a segment still counts as late, where no round trip is known, ns.
const LATE_BY_DEFAULT: u64 = 3_000_000;
/// Captures count time in microseconds, ns.
const CAPTURE_STEP: u64 = 1_000;
/// How soon after the acknowledgements that asked for it a repeated segment is a fast retransmit, ns.
const FAST_RETRANSMIT: u64 = 20_000_000;

/// Serial number arithmetic (RFC 1982, RFC 9293 section 3.4): whether `a` comes before `b`.
#[inline(always)]
#[must_use]
pub const fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// Updates the record with one segment of `sender`; `payload_len` in bytes, `now` in ns. `segment_size` is
/// the payload of each segment on the wire where this is a super-packet of several, else 0. `untimed` is
/// [`crate::settings::Thrift::untimed`].
#[inline(always)]
pub fn track(
    record: &mut FlowRecord,
    sender: Sender,
    segment: &Segment,
    payload_len: u32,
    segment_size: u32,
    untimed: u8,
    now: u64,
) -> Order {
    let has = |bits: u16| segment.flags & bits != 0;
    let control = has(flag::SYN | flag::FIN | flag::RST);
    let span = payload_len + u32::from(has(flag::SYN)) + u32::from(has(flag::FIN));
    let end = segment.sequence.wrapping_add(span);
    let before_next = {
        let own = &record.half(sender).tcp;
        own.seen & seen::SEQ != 0 && before(segment.sequence, own.next_seq)
    };
    // Of no use, and on a line of its own, where the segment is in order.
    let late_by = if before_next { late_by(record) } else { 0 };

    let (own, peer) = pair(record, sender);
    let seq_known = own.tcp.seen & seen::SEQ != 0;
    let ack_known = own.tcp.seen & seen::ACK != 0;
    let peer_acks = peer.tcp.seen & seen::ACK != 0;
    let at_next = seq_known && segment.sequence == own.tcp.next_seq;

    // One byte beyond a closed window asks whether it has opened (RFC 9293 section 3.8.6.1).
    let probe = payload_len == 1 && at_next && peer_acks && peer.tcp.window == 0;
    // What was sent as a probe goes out again once the window opens, with the bytes behind it.
    let from_probe = payload_len > 1 && segment.sequence == own.tcp.next_seq.wrapping_sub(1);
    // A keep-alive repeats the last byte, or sends none, from one before the next (RFC 1122 section 4.2.3.6).
    let keep_alive =
        !control && payload_len <= 1 && seq_known && segment.sequence == own.tcp.next_seq.wrapping_sub(1);

    if !probe && segment.window == 0 && !control {
        cold_path();
        own.quality.zero_windows += 1;
    }
    let repeats_ack = payload_len == 0
        && !control
        && has(flag::ACK)
        && ack_known
        && at_next
        && segment.acknowledgement == own.tcp.last_ack
        && segment.window == own.tcp.window
        && segment.window != 0;
    if has(flag::ACK) && ack_known && segment.acknowledgement != own.tcp.last_ack {
        own.tcp.duplicates_in_row = 0;
    }
    if repeats_ack && !Verdict(peer.tcp.verdict).kept_alive() {
        cold_path();
        own.quality.duplicate_acks += 1;
        own.tcp.duplicates_in_row = own.tcp.duplicates_in_row.saturating_add(1);
    }

    let order = if span == 0 || keep_alive {
        Order::Empty
    } else if payload_len != 0 && peer_acks && !before(peer.tcp.last_ack, end) {
        cold_path();
        // The peer has it already: whatever was seen here, it was sent before.
        Order::Repeat
    } else if before_next && !probe && !from_probe {
        cold_path();
        repeated(own, peer, segment.sequence, end, late_by, now)
    } else {
        Order::New
    };
    own.tcp.verdict = Verdict::new(order, probe, keep_alive, payload_len != 0).0;
    let verdict = Verdict::recall(own);
    if matches!(verdict.order(), Order::Repeat | Order::Repair) {
        cold_path();
        let again = sent_again(own, segment.sequence, payload_len, segment_size);
        own.quality.retransmits += on_the_wire(again, segment_size);
        own.quality.retransmitted_bytes += u64::from(again);
        own.quality.syn_retransmits += u32::from(has(flag::SYN));
    } else if matches!(verdict.order(), Order::Late) {
        cold_path();
        own.quality.out_of_order += 1;
    }
    if has(flag::RST) {
        cold_path();
        own.quality.resets += 1;
    }

    rtt::acknowledge(own, peer, segment, now);
    let verdict = Verdict::recall(own);
    if !verdict.probes() {
        let known = recall(&own.tcp.seen) & seen::SEQ != 0;
        advance(own, segment.sequence, end, known, now);
        rtt::time(own, Verdict::recall(own).order(), segment, end, untimed, now);
    }

    let (verdict, flags) = (Verdict::recall(own), recall(&segment.flags));
    if verdict.carries() {
        own.tcp.seen |= seen::DATA;
    }
    if flags & flag::ACK != 0 {
        own.tcp.seen |= seen::ACK;
        own.tcp.last_ack = segment.acknowledgement;
    }
    own.tcp.window = segment.window;
    state::follow(record, sender, segment, verdict.carries(), verdict.order(), now);
    Verdict::recall(record.half_mut(sender)).order()
}

/// Both halves at once: the sender's and the peer's.
///
/// By their place in the array, not by a choice of two: the verifier would walk all that follows once for each.
#[inline(always)]
pub(crate) const fn pair(record: &mut FlowRecord, sender: Sender) -> (&mut Half, &mut Half) {
    let halves = record.halves.as_mut_ptr();
    // SAFETY: a sender is 0 or 1, and there are two halves.
    let own = unsafe { halves.add(sender as usize) };
    // SAFETY: the same.
    let peer = unsafe { halves.add(sender as usize ^ 1) };
    // SAFETY: inside the record that is lent to us, and never the half of the peer.
    let own = unsafe { &mut *own };
    // SAFETY: the same the other way round.
    let peer = unsafe { &mut *peer };
    (own, peer)
}

/// A segment that comes this long after its successors was sent again: a repair takes a round trip.
#[inline(always)]
const fn late_by(record: &FlowRecord) -> u64 {
    if record.handshake_server_rtt != 0 && record.handshake_client_rtt != 0 {
        let whole = record.handshake_server_rtt + record.handshake_client_rtt - 2;
        if whole != 0 { whole } else { LATE_BY_DEFAULT }
    } else {
        LATE_BY_DEFAULT
    }
}

/// Payload bytes of a repeated segment that were sent before. Receive offload merges a repeated segment with
/// the new ones that follow it.
#[inline(always)]
const fn sent_again(own: &Half, sequence: u32, payload_len: u32, segment_size: u32) -> u32 {
    let known = own.tcp.next_seq.wrapping_sub(sequence);
    let merged = segment_size != 0 && own.tcp.seen & seen::SEQ != 0 && before(sequence, own.tcp.next_seq);
    if merged && known < payload_len { known } else { payload_len }
}

/// Segments that carry so many payload bytes, as the kernel that sends a super-packet again counts them.
#[inline(always)]
const fn on_the_wire(payload_len: u32, segment_size: u32) -> u32 {
    if segment_size == 0 || payload_len <= segment_size { 1 } else { payload_len.div_ceil(segment_size) }
}

/// Tells the reasons apart why a segment begins before the highest sequence number sent.
#[inline(always)]
fn repeated(own: &Half, peer: &Half, sequence: u32, end: u32, late_by: u64, now: u64) -> Order {
    let peer_acks = peer.tcp.seen & seen::ACK != 0;
    let missing = gaps::covers(&own.quality.holes, sequence, end);
    let asked_for = peer_acks
        && peer.tcp.duplicates_in_row >= 2
        && peer.tcp.last_ack == sequence
        // All segments acknowledge, but for a first SYN and some that reset (RFC 9293 section 3.1).
        && now.saturating_sub(peer.last) < FAST_RETRANSMIT;
    if asked_for {
        return if missing { Order::Repair } else { Order::Repeat };
    }
    if missing {
        // What ends just where all known bytes end was jumped over by a segment without payload, which shows
        // that its sender had sent it long ago.
        let soon =
            now.saturating_sub(own.tcp.next_seq_time) <= late_by + CAPTURE_STEP && end != own.tcp.next_seq;
        return if soon { Order::Late } else { Order::Repair };
    }
    Order::Repeat
}

/// Moves the highest sequence number, and notes or fills gaps.
#[inline(always)]
fn advance(own: &mut Half, sequence: u32, end: u32, known: bool, now: u64) {
    if !known {
        cold_path();
        own.tcp.seen |= seen::SEQ;
        own.tcp.next_seq = end;
        own.tcp.next_seq_time = now;
        return;
    }
    if before(own.tcp.next_seq, sequence) {
        cold_path();
        let start = own.tcp.next_seq;
        gaps::open(&mut own.quality.holes, start, sequence);
    } else if before(sequence, own.tcp.next_seq) {
        cold_path();
        gaps::fill(&mut own.quality.holes, sequence, end);
    }
    if before(own.tcp.next_seq, end) {
        own.tcp.next_seq = end;
        own.tcp.next_seq_time = now;
    }
}
