//! What an input means to each fuzz target, and what must hold whatever it is. Used by the targets, and by a
//! plain test that replays their corpora.

use flow_common::{
    app::{App, Apps},
    counter::Tally,
    dissect::{Headers, Link, NO_TAG, Segment, Start, dissect as read_headers, tunnel},
    event::MAX_PAYLOAD,
    key::{Direction, Endpoint, FlowKey, Scope, Sender, TunnelKind},
    offload::{self, Frame, Offload},
    packet::Captured,
    record::{FlowRecord, HOLES},
    settings::Omissions,
    shared::Share as _,
    sniff::{self as payload, Wanted},
    tcp::{Payload, before},
    workspace::Arrival,
};

use support::{World, track};

#[path = "../tests/support/mod.rs"]
mod support;

const LINKS: [Link; 8] =
    [Link::Ethernet, Link::Ip, Link::Sll, Link::Sll2, Link::Null, Link::Ppp, Link::CiscoHdlc, Link::Nflog];

/// First byte: the link layer, and whether the capture cut the frame; the second: segments of an offload.
/// The rest is the frame.
pub(crate) fn dissect(input: &[u8]) {
    let [how, segments, data @ ..] = input else { return };
    let Some(&link) = LINKS.get(usize::from(how & 7)) else { return };
    let cut = u32::from(how >> 3) * 40;
    let packet = Captured { data, original_len: data.len() as u32 + cut };
    let moved_tag = if segments & 0x80 == 0 { NO_TAG } else { 100 };
    let offload =
        Offload { segments: u32::from(segments >> 4 & 7), segment_size: u32::from(segments & 15) * 99 };

    let mut headers = Headers::NONE;
    let mut start = Start { offset: 0, link, moved_tag };
    for _ in 0..4 {
        if read_headers(&packet, &start, &mut headers).is_err() {
            break;
        }
        assert!(headers.payload_len <= headers.ip_len, "{headers:?}");
        assert!(headers.payload_offset >= headers.ip_offset, "{headers:?}");
        let frame = Frame { start: start.offset, len: packet.original_len, tag_len: 0 };
        let (volume, _) = offload::measure(&headers, headers.payload(), offload, &frame);
        assert!(volume.packets >= 1 && volume.payload_bytes <= volume.ip_bytes, "{headers:?} {volume:?}");
        let Some(inner) = tunnel::inner(&packet, &headers) else { break };
        assert!(inner.start.offset > start.offset, "every layer takes bytes");
        start = inner.start;
    }

    // Nothing is lost, or it is named; twice, so that the second meets a flow of its own.
    let mut world = World::new(usize::from(how & 3));
    let arrival = Arrival {
        interface: 1,
        link,
        hook: Direction::Ingress,
        one_point: true,
        omissions: Omissions::NONE,
        moved_tag,
        offload,
    };
    world.feed_cut(&packet, arrival);
    world.feed_cut(&packet, arrival);
    let (direct, seen, skipped) = (world.direct_volume(), world.seen(), world.skipped());
    let sum = Tally {
        packets: direct.packets + skipped.packets,
        bytes: direct.frame_bytes + skipped.bytes,
        skb_packets: direct.skb_packets + skipped.skb_packets,
        skb_bytes: seen.skb_bytes,
    };
    assert_eq!(sum, seen);
    assert_eq!(seen.skb_packets, 2);
}

/// Sixteen bytes a segment: sender and pause, flags, length, sequence and acknowledgement near or far from
/// what was sent, window, timestamp.
fn segments(input: &[u8]) -> impl Iterator<Item = (Sender, u64, Segment, u32)> {
    // Where each side's numbers are: most segments should be near them.
    let mut next = [0xffff_ff00_u32, 1_000];
    input.chunks_exact(16).map_while(move |chunk| {
        let [who, pause, flags, high, l0, l1, s0, s1, a0, a1, w0, w1, t0, t1, e0, e1] = *chunk else {
            return None;
        };
        let (sender, own, peer) =
            if who & 1 == 0 { (Sender::A, next[0], next[1]) } else { (Sender::B, next[1], next[0]) };
        let near = |base: u32, offset: [u8; 2], far: bool| {
            let step = i32::from(i16::from_le_bytes(offset));
            base.wrapping_add_signed(if far { step << 16 } else { step })
        };
        let len = u32::from(u16::from_le_bytes([l0, l1]) % 3000);
        let segment = Segment {
            sequence: near(own, [s0, s1], who & 2 != 0),
            acknowledgement: near(peer, [a0, a1], who & 4 != 0),
            window: u16::from_le_bytes([w0, w1]),
            flags: u16::from_le_bytes([flags, high & 1]),
            timestamp: u32::from(u16::from_le_bytes([t0, t1])),
            echo: u32::from(u16::from_le_bytes([e0, e1])),
        };
        if let Some(place) = next.get_mut(usize::from(who & 1)) {
            *place = segment.sequence.wrapping_add(len);
        }
        Some((sender, u64::from(pause) << (who >> 4) << 10, segment, len))
    })
}

fn blank() -> FlowRecord {
    let scope =
        Scope { interface: 1, vlans: 0, protocol: 6, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
    let (key, _) = FlowKey::new(Endpoint::v4(1, 1000), Endpoint::v4(2, 80), &scope, None);
    FlowRecord::new(&key, 1)
}

/// A conversation.
pub(crate) fn tcp(input: &[u8]) {
    let mut record = blank();
    let (mut now, mut sent) = (1, [0_u32; 2]);
    for (sender, pause, segment, len) in segments(input) {
        now += pause;
        let [a, b] = &mut sent;
        *(if matches!(sender, Sender::A) { a } else { b }) += 1;
        let payload = Payload { len, segment_size: 0 };
        track(FlowRecord::shared(&mut record), sender, &segment, payload, 7, now);
        check(&record, sent, now);
    }
}

/// What holds after every segment.
fn check(record: &FlowRecord, sent: [u32; 2], now: u64) {
    assert!(usize::from(record.history_len) <= record.history.len());
    assert!(record.handshake_server_rtt <= now + 1 && record.handshake_client_rtt <= now + 1);
    for (half, sent) in record.halves.iter().zip(sent) {
        let quality = &half.quality;
        assert!(quality.retransmits + quality.out_of_order <= sent);
        assert!(quality.syn_retransmits <= quality.retransmits);
        assert!(quality.duplicate_acks <= sent && quality.zero_windows <= sent && quality.resets <= sent);
        assert_eq!(half.rtt.buckets.iter().sum::<u32>(), half.rtt.count);
        assert!(half.rtt.count == 0 || half.rtt.min <= half.rtt.max && half.rtt.max <= half.rtt.sum);
        assert!(half.rtt.max <= now);
        let open = |at: usize| quality.holes.get(at).filter(|hole| hole.start != hole.end);
        for hole in (0..HOLES).filter_map(open) {
            assert!(before(hole.start, hole.end), "{hole:?}");
        }
    }
}

/// A head size, then messages: length and sender in a byte, flags in another, then the payload.
pub(crate) fn sniff(input: &[u8]) {
    let Some((head_bytes, mut rest)) = input.split_first() else { return };
    let head_bytes = u32::from(*head_bytes) * 16;
    let mut record = blank();
    let mut next = [u32::MAX - 40, 7];
    while let [who, flags, tail @ ..] = rest {
        let len = usize::from(who >> 1).min(tail.len());
        let (bytes, after) = tail.split_at(len);
        rest = after;
        let (sender, own) = if who & 1 == 0 { (Sender::A, 0) } else { (Sender::B, 1) };
        let Some(place) = next.get_mut(own) else { return };
        let sequence = if flags & 0x80 == 0 { *place } else { place.wrapping_sub(20) };
        let segment = Segment { sequence, window: 1, flags: u16::from(flags & 0x1f), ..Segment::NONE };
        *place = sequence.wrapping_add(len as u32);
        let talker = record.last_talker;
        let payload = Payload { len: len as u32, segment_size: 0 };
        let order = track(FlowRecord::shared(&mut record), sender, &segment, payload, 0, 1);
        let mut headers = Headers { segment, payload_len: len as u32, ..Headers::NONE };
        // The first bit of the head size says whether this is the port of DNS.
        headers.source.port = if head_bytes & 16 == 0 { 80 } else { 53 };
        let wanted = Wanted { apps: Apps::ALL, conversations: true, head_bytes };
        if let Some(find) =
            payload::sniff(&bytes, FlowRecord::shared(&mut record), sender, &headers, order, talker, wanted)
        {
            let most = match App::from_number(find.app) {
                Some(App::Dns) => payload::dns_limit(head_bytes),
                Some(App::Tls) => MAX_PAYLOAD as u32,
                _ => head_bytes,
            };
            assert!(find.len <= len as u32 && find.len <= most, "{find:?}");
        }
    }
}
