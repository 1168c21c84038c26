//! TCP quality of one segment: is it new, repeated or late, and what does it say about the path?
//!
//! The rules follow those of tshark's `tcp.analysis`, from what one observation point can know at the
//! moment the segment passes: nothing is ever taken back.

use core::hint::cold_path;

pub mod gaps;
pub mod rtt;
mod sequence;
pub mod state;

use sequence::Verdict;
pub use sequence::{SegmentKind, before};
pub use state::only_reset;

use crate::{
    clock::{Clock, Time},
    dissect::Segment,
    key::Sender,
    record::{SharedHalf, SharedRecord, seen},
    verifier::{launder, reload},
    wire::tcp::flag,
};

/// How long after its successors a segment still counts as late, where no round trip is known, ns.
const LATE_BY_DEFAULT: u64 = 3_000_000;
/// Captures count time in microseconds, ns.
const CAPTURE_STEP: u64 = 1_000;
/// How soon after the acknowledgements that asked for it a repeated segment is a fast retransmit, ns.
const FAST_RETRANSMIT: u64 = 20_000_000;

/// Payload of a segment, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Payload {
    pub len: u32,
    /// Of each segment on the wire where this is a super-packet of several, else 0.
    pub segment_size: u32,
}

/// Updates the record with one segment of `sender`. `untimed` is
/// [`crate::settings::Omissions::untimed`]. `place` is a byte of this CPU alone, whatever is in it.
#[inline(always)]
pub fn track<C: Clock>(
    record: &SharedRecord,
    sender: Sender,
    segment: &Segment,
    payload: Payload,
    untimed: u8,
    time: &mut Time<'_, C>,
    place: &mut u8,
) -> SegmentKind {
    let Payload { len: payload_len, segment_size } = payload;
    let has = |bits: u16| segment.flags & bits != 0;
    let control = has(flag::SYN | flag::FIN | flag::RST);
    let span = payload_len + u32::from(has(flag::SYN)) + u32::from(has(flag::FIN));
    let end = segment.sequence.wrapping_add(span);
    let (own, peer) = record.pair(sender);
    let (known, next_seq) = (own.tcp.seen.get(), own.tcp.next_seq.get());
    let seq_known = known & seen::SEQ != 0;
    let ack_known = known & seen::ACK != 0;
    let before_next = seq_known && before(segment.sequence, next_seq);
    // Of no use, and on a line of its own, where the segment is in order.
    let late_by = if before_next { late_by(record) } else { 0 };
    let peer_acks = peer.tcp.seen.get() & seen::ACK != 0;
    let at_next = seq_known && segment.sequence == next_seq;
    // Spans of time are measured from here, or to here.
    let mut now = time.now();
    if control || seq_known && !at_next || record.awaits_ack.get() != 0 {
        cold_path();
        now = time.exact();
    }

    // One byte beyond a closed window asks whether it has opened (RFC 9293 section 3.8.6.1).
    let probe = payload_len == 1 && at_next && peer_acks && peer.tcp.window.get() == 0;
    // What was sent as a probe goes out again once the window opens, with the bytes behind it.
    let from_probe = payload_len > 1 && segment.sequence == next_seq.wrapping_sub(1);
    // A keep-alive repeats the last byte, or sends none, from one before the next (RFC 1122 section 4.2.3.6).
    let keep_alive =
        !control && payload_len <= 1 && seq_known && segment.sequence == next_seq.wrapping_sub(1);

    if !probe && segment.window == 0 && !control {
        cold_path();
        own.quality.zero_windows.add(1);
    }
    let last_ack = own.tcp.last_ack.get();
    let repeats_ack = payload_len == 0
        && !control
        && has(flag::ACK)
        && ack_known
        && at_next
        && segment.acknowledgement == last_ack
        && segment.window == own.tcp.window.get()
        && segment.window != 0;
    if has(flag::ACK) && ack_known && segment.acknowledgement != last_ack {
        own.tcp.duplicates_in_row.set(0);
    }
    if repeats_ack && peer.tcp.kept_alive.get() == 0 {
        cold_path();
        own.quality.duplicate_acks.add(1);
        own.tcp.duplicates_in_row.set(own.tcp.duplicates_in_row.get().saturating_add(1));
    }

    let kind = if span == 0 || keep_alive {
        SegmentKind::Empty
    } else if payload_len != 0 && peer_acks && !before(peer.tcp.last_ack.get(), end) {
        cold_path();
        now = time.exact();
        if before_next || now.saturating_sub(peer.last.get()) > LATE_BY_DEFAULT {
            // The peer has it already: whatever was seen here, it was sent before.
            SegmentKind::Repeat
        } else {
            // A capture of several queues may show an acknowledgement ahead of what it acknowledges.
            SegmentKind::Answered
        }
    } else if before_next && !probe && !from_probe {
        cold_path();
        if has(flag::SYN) && !state::noted(record, sender, state::ANY_SYN) {
            // Its only one: a capture of several queues shows it behind what followed it.
            SegmentKind::Late
        } else {
            repeated(own, peer, segment.sequence, end, late_by, now)
        }
    } else {
        SegmentKind::New
    };
    own.tcp.kept_alive.set(u8::from(keep_alive));
    let verdict = Verdict(launder(place, Verdict::new(kind, probe, payload_len != 0).0));
    if matches!(verdict.kind(), SegmentKind::Repeat | SegmentKind::Repair) {
        cold_path();
        let again = sent_again(own, segment.sequence, payload_len);
        own.quality.retransmits.add(on_the_wire(again, segment_size));
        own.quality.retransmitted_bytes.add(u64::from(again));
        own.quality.syn_retransmits.add(u32::from(has(flag::SYN)));
    } else if matches!(verdict.kind(), SegmentKind::Late) {
        cold_path();
        own.quality.out_of_order.add(1);
    }
    if has(flag::RST) {
        cold_path();
        own.quality.resets.add(1);
    }

    rtt::acknowledge(own, peer, segment, time);
    let verdict = Verdict(reload(place));
    if !verdict.probes() {
        let known = own.tcp.seen.get() & seen::SEQ != 0;
        advance(own, segment.sequence, end, known, now);
        rtt::time(own, Verdict(reload(place)).kind(), segment, end, untimed, time.is_due(), now);
    }

    let (verdict, flags) = (Verdict(reload(place)), reload(&segment.flags));
    if verdict.carries() {
        own.tcp.seen.set_bits(seen::DATA);
    }
    if flags & flag::ACK != 0 {
        own.tcp.seen.set_bits(seen::ACK);
        own.tcp.last_ack.set(segment.acknowledgement);
    }
    own.tcp.window.set(segment.window);
    state::update(record, sender, segment, verdict.carries(), verdict.kind(), now);
    Verdict(reload(place)).kind()
}

/// A segment that comes this long after its successors was sent again: a repair takes a round trip.
#[inline(always)]
fn late_by(record: &SharedRecord) -> u64 {
    let (server, client) = (record.handshake_server_rtt.get(), record.handshake_client_rtt.get());
    if server != 0 && client != 0 {
        let whole = server + client - 2;
        if whole != 0 { whole } else { LATE_BY_DEFAULT }
    } else {
        LATE_BY_DEFAULT
    }
}

/// Payload bytes of a repeated segment that were sent before. Its sender may fill it up with new ones (RFC 9293
/// section 3.8.1), and receive offload merges it with those that follow.
#[inline(always)]
fn sent_again(own: &SharedHalf, sequence: u32, payload_len: u32) -> u32 {
    let next_seq = own.tcp.next_seq.get();
    let known = next_seq.wrapping_sub(sequence);
    let overlaps = own.tcp.seen.get() & seen::SEQ != 0 && before(sequence, next_seq);
    if overlaps && known < payload_len { known } else { payload_len }
}

/// Segments that carry so many payload bytes, as the kernel that sends a super-packet again counts them.
#[inline(always)]
const fn on_the_wire(payload_len: u32, segment_size: u32) -> u32 {
    if segment_size == 0 || payload_len <= segment_size { 1 } else { payload_len.div_ceil(segment_size) }
}

/// Tells the reasons apart why a segment begins before the highest sequence number sent.
#[inline(always)]
fn repeated(
    own: &SharedHalf,
    peer: &SharedHalf,
    sequence: u32,
    end: u32,
    late_by: u64,
    now: u64,
) -> SegmentKind {
    let peer_acks = peer.tcp.seen.get() & seen::ACK != 0;
    let missing = gaps::covers(&own.quality.holes, sequence, end);
    let asked_for = peer_acks
        && peer.tcp.duplicates_in_row.get() >= 2
        && peer.tcp.last_ack.get() == sequence
        // All segments acknowledge, but for a first SYN and some that reset (RFC 9293 section 3.1).
        && now.saturating_sub(peer.last.get()) < FAST_RETRANSMIT;
    if asked_for {
        return if missing { SegmentKind::Repair } else { SegmentKind::Repeat };
    }
    if missing {
        // What ends just where all known bytes end was jumped over by a segment without payload, which shows
        // that its sender had sent it long ago.
        let soon = now.saturating_sub(own.tcp.next_seq_time.get()) <= late_by + CAPTURE_STEP
            && end != own.tcp.next_seq.get();
        return if soon { SegmentKind::Late } else { SegmentKind::Repair };
    }
    SegmentKind::Repeat
}

/// Moves the highest sequence number, and notes or fills gaps.
#[inline(always)]
fn advance(own: &SharedHalf, sequence: u32, end: u32, known: bool, now: u64) {
    let next_seq = own.tcp.next_seq.get();
    if !known {
        cold_path();
        own.tcp.seen.set_bits(seen::SEQ);
        own.tcp.next_seq.set(end);
        own.tcp.next_seq_time.set(now);
        return;
    }
    if before(next_seq, sequence) {
        cold_path();
        gaps::open(&own.quality.holes, next_seq, sequence);
    } else if before(sequence, next_seq) {
        cold_path();
        gaps::fill(&own.quality.holes, sequence, end);
    }
    if before(next_seq, end) {
        own.tcp.next_seq.set(end);
        own.tcp.next_seq_time.set(now);
    }
}
