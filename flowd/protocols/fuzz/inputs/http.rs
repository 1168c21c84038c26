//! Events of HTTP/1.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::FlowKey,
};
use flowd_protocols::{
    http::{HttpExchange, HttpOptions, HttpTracker, Privacy, Query},
    progress::Progress,
};

/// Two bytes of options, then events: eight bytes of head (who and what, connection, flags, distance of the
/// sequence number, bytes on the wire beyond the copy, pause), a length, and the copied bytes.
pub(crate) fn http(input: &[u8]) {
    let Some(([first, second], mut rest)) = input.split_first_chunk() else { return };
    let query = match first & 3 {
        0 => Query::Drop,
        1 => Query::Keys,
        _ => Query::Keep,
    };
    let privacy = Privacy {
        query,
        redact: vec!["a".to_owned(), "token".to_owned()],
        templates: vec!["/a/{b}".to_owned()],
        template_paths: second & 1 != 0,
        trace_context: second & 2 != 0,
    };
    let options = HttpOptions {
        privacy,
        head_bytes: u32::from(*first >> 2) * 16,
        timeout: 1 << (second & 31),
        max_pending_per_flow: usize::from(second >> 5),
        max_connections: 3,
        max_bytes: 16 << 10,
    };
    let mut tracker = HttpTracker::new(options);
    let (mut now, mut next, mut started, mut told) = (0_u64, [0_u32; 8], 0_usize, 0_usize);
    let mut last = [0_u64; 8];
    let mut numbers = [0_u8; 8];
    while let Some((&[what, whom, flags, s0, s1, more, pause, len], tail)) = rest.split_first_chunk::<8>() {
        let (bytes, after) = tail.split_at(usize::from(len).min(tail.len()));
        rest = after;
        now = now.saturating_add(1 << (pause & 63));
        let mut key = FlowKey::EMPTY;
        key.a_port = 1000 + u16::from(whom & 3);
        key.b_port = 80;
        let (own, peer) = (usize::from(whom & 3) * 2, usize::from(what & 1));
        let (own, peer) = (own + peer, own + (peer ^ 1));
        let (Some(&peer_seq), Some(&peer_last)) = (next.get(peer), last.get(peer)) else { return };
        let (Some(place), Some(own_last)) = (next.get_mut(own), last.get_mut(own)) else { return };
        let Some(number) = numbers.get_mut(own) else { return };
        // Bit 5 of the flags: a copy before it was lost. Bit 6: what it acknowledges is off. Bit 7: not numbered.
        *number = PayloadEvent::number_after(*number);
        if flags & 0x20 != 0 {
            *number = PayloadEvent::number_after(*number);
        }
        let number = if flags & 0x80 != 0 { 0 } else { *number };
        let ack = if flags & 0x40 != 0 { peer_seq.wrapping_sub(u32::from(more)) } else { peer_seq };
        let seq = place.wrapping_add_signed(i32::from(i16::from_le_bytes([s0, s1])));
        let event = PayloadEvent {
            key,
            time: now,
            slot: u32::from(whom >> 6),
            seq,
            payload_len: bytes.len() as u32 + u32::from(more),
            copied: bytes.len() as u16,
            kind: match what >> 1 & 3 {
                0 => PayloadKind::Request,
                1 => PayloadKind::Response,
                2 => PayloadKind::Continuation,
                _ => PayloadKind::End,
            } as u8,
            sender: (what & 1) | number << 1,
            ack,
            tcp_flags: flags & 0x1f,
            app: App::Http as u8,
            retransmits: u16::from(s0) << 8 | u16::from(pause),
            own_last: std::mem::replace(own_last, now),
            peer_last,
        };
        *place = seq.wrapping_add(event.payload_len);
        started += bytes.len();
        let mut sink = |exchange: HttpExchange| {
            told += 1;
            let line = serde_json::to_string(&exchange).unwrap_or_default();
            assert!(line.starts_with('{') && !line.chars().any(char::is_control), "{line}");
            assert!(exchange.target.is_none_or(|target| target.bytes().all(|b| b.is_ascii_graphic())));
        };
        tracker.event(&event, bytes, &mut sink);
        if what & 0x80 != 0 {
            let side = |at: usize| (next.get(at).copied().unwrap_or_default(), now);
            let sides = [side(own & !1), side(own | 1)];
            let progress =
                Progress { key, lives: event.time & 1 == 0, sides, retransmits: event.retransmits };
            tracker.expire(now, &mut |_| (what & 0x40 == 0).then_some(progress), &mut sink);
        }
        assert!(tracker.connections() <= 3);
    }
    tracker.finish(&mut |_| told += 1);
    assert_eq!(tracker.connections(), 0);
    assert!(told <= started, "an exchange takes a byte at least");
}
