//! What an input means to each fuzz target, and what must hold whatever it is. Used by the targets, and by a
//! plain test that replays their corpora.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::{Endpoint, FlowKey, Scope, TunnelKind},
};
use std::sync::{Arc, LazyLock};

use flowd::{
    aggregate::{Ledger, LedgerOptions},
    capture::Capture,
    clock::WallClock,
    config::Config,
    export::feed::{Bounds, Feed},
    numbers::Board,
    protocol::{
        dns::{DnsOptions, DnsTracker},
        http::{HttpExchange, HttpOptions, HttpTracker, Privacy, Query},
        progress::Progress,
        tls::{TlsOptions, TlsTracker},
    },
    telemetry::{SinkCounters, Telemetry},
    web::{self, Guard, State},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::Runtime,
};

/// A capture file.
pub(crate) fn capture(input: &[u8]) {
    let Ok(mut capture) = Capture::open(input, "fuzz".to_owned()) else { return };
    let mut before = capture.offset();
    assert!(before <= input.len() as u64);
    loop {
        match capture.next_packet() {
            Ok(Some(packet)) => {
                assert!(packet.data.len() <= packet.original_len as usize, "{packet:?}");
                assert!(packet.data.len() <= input.len());
                let interface = packet.interface;
                let _ = capture.interface_name(interface);
            }
            Ok(None) => break,
            Err(error) => {
                assert!(error.to_string().contains("fuzz"), "{error} names its file");
                assert!(matches!(capture.next_packet(), Ok(None)), "an error is the end");
                break;
            }
        }
        let offset = capture.offset();
        assert!(before < offset && offset <= input.len() as u64, "every packet takes bytes");
        before = offset;
    }
}

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

/// A copy as [`dns`] and [`tls`] read it from an input: who and when in a byte (side, connection, slot, whether
/// time passes), distance of the sequence number, length, bytes.
struct Copy<'a> {
    who: u8,
    event: PayloadEvent,
    bytes: &'a [u8],
}

/// The copies of an input, of payload of `app` over IP protocol `protocol`.
fn copies(input: &[u8], app: App, protocol: u8) -> impl Iterator<Item = Copy<'_>> {
    let (mut rest, mut now, mut next) = (input, 0_u64, [u32::MAX - 40; 8]);
    std::iter::from_fn(move || {
        let (&[who, step, high, low], tail) = rest.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes([high & 15, low])).min(tail.len());
        let (bytes, after) = tail.split_at(len);
        rest = after;
        now += if who & 0x40 == 0 { 1_000_000 } else { 6_000_000_000 };
        let scope =
            Scope { interface: 1, vlans: 0, protocol, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
        let (client, server) = (Endpoint::v4(1, 1000 + u16::from(who >> 1 & 3)), Endpoint::v4(2, 53));
        let (key, _) = FlowKey::new(client, server, &scope, None);
        let place = next.get_mut(usize::from(who & 7))?;
        let seq = place.wrapping_add_signed(i32::from(step.cast_signed()));
        *place = seq.wrapping_add(bytes.len() as u32);
        let event = PayloadEvent {
            key,
            time: now,
            slot: u32::from(who >> 3 & 1),
            seq,
            payload_len: bytes.len() as u32,
            copied: bytes.len() as u16,
            kind: PayloadKind::Message as u8,
            sender: who & 1,
            ack: 0,
            tcp_flags: who >> 4 & 4,
            app: app as u8,
            retransmits: 0,
            own_last: 0,
            peer_last: 0,
        };
        Some(Copy { who, event, bytes })
    })
}

/// A line is valid JSON of printable ASCII.
fn line(line: &impl serde::Serialize) {
    let text = serde_json::to_string(line).unwrap_or_default();
    assert!(text.starts_with('{') && text.ends_with('}'), "every line is an object");
    assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{text}");
}

/// The transport in a byte, then copies.
pub(crate) fn dns(input: &[u8]) {
    let Some((first, rest)) = input.split_first() else { return };
    let protocol = if first & 1 == 0 { 17 } else { 6 };
    let options = DnsOptions { max_pending: 8, max_connections: 2, ..DnsOptions::default() };
    let (mut tracker, mut bytes, mut told) = (DnsTracker::new(options), 0, 0);
    let mut sink = |exchange| {
        line(&exchange);
        told += 1;
    };
    for copy in copies(rest, App::Dns, protocol) {
        bytes += copy.bytes.len();
        tracker.event(&copy.event, copy.bytes, &mut sink);
        if copy.who & 0x80 != 0 {
            tracker.expire(copy.event.time, &mut sink);
        }
        let (pending, connections) = tracker.held();
        assert!(pending <= 8 && connections <= 2);
    }
    tracker.finish(&mut sink);
    assert_eq!(tracker.held(), (0, 0));
    assert!(told * 5 <= bytes, "a question takes five bytes at least");
}

/// Copies.
pub(crate) fn tls(input: &[u8]) {
    let options = TlsOptions { max_connections: 2, ..TlsOptions::default() };
    let (mut tracker, mut events, mut told) = (TlsTracker::new(options), 0, 0);
    let mut sink = |handshake| {
        line(&handshake);
        told += 1;
    };
    for copy in copies(input, App::Tls, 6) {
        events += 1;
        tracker.event(&copy.event, copy.bytes, &mut sink);
        if copy.who & 0x80 != 0 {
            let end = PayloadEvent { kind: PayloadKind::End as u8, ..copy.event };
            tracker.event(&end, &[], &mut sink);
        }
        assert!(tracker.held() <= 2);
    }
    tracker.finish(&mut sink);
    assert_eq!(tracker.held(), 0);
    assert!(told <= events, "a line takes a copy at least");
}

/// A configuration file.
pub(crate) fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Config::parse("fuzz.toml", text).and_then(|config| config.validate("fuzz.toml").map(|()| config)) {
        Ok(config) => {
            let settings = config.settings();
            assert!(settings.head_bytes <= flow_common::event::MAX_PAYLOAD as u32);
        }
        Err(error) => assert!(error.to_string().contains("fuzz.toml"), "{error} names its file"),
    }
}

/// A daemon without interfaces, and without streams, which would not end.
fn state() -> State {
    let options = LedgerOptions { conversations: 16, active_timeout: None };
    let ledger = Ledger::new(options, Arc::default(), Vec::new(), WallClock::CAPTURE);
    let telemetry = Arc::new(Telemetry::new(Vec::new()));
    let board = Board::new(ledger.numbers().clone(), Vec::new(), Arc::clone(&telemetry));
    let lines = Arc::new(Feed::new(Bounds { keep: [1; 2], clients: 0 }, SinkCounters::new));
    State { board: Arc::new(board), live: Arc::clone(ledger.live()), telemetry, lines }
}

/// The target of a request where it begins with a slash, else all that a client sends.
pub(crate) fn api(input: &[u8]) {
    static STATE: LazyLock<State> = LazyLock::new(state);
    static RUNTIME: LazyLock<Option<Runtime>> =
        LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().ok());
    let Some(runtime) = &*RUNTIME else { return };
    let target = input.first() == Some(&b'/') && !input.iter().any(u8::is_ascii_whitespace);
    let request = if target {
        [b"GET ", input, b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"].concat()
    } else {
        input.to_vec()
    };
    let answer = runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let talk = async {
            // It may be refused before all of it is sent.
            let _ = client.write_all(&request).await;
            let _ = client.shutdown().await;
            let mut answer = Vec::new();
            let _ = client.read_to_end(&mut answer).await;
            answer
        };
        tokio::join!(web::converse(server, STATE.clone(), Guard::default()), talk).1
    });
    if answer.is_empty() {
        assert!(!target, "a request gets an answer");
        return;
    }
    let status = answer.strip_prefix(b"HTTP/1.").and_then(|rest| std::str::from_utf8(rest.get(2..5)?).ok());
    assert!(
        matches!(
            status,
            Some(
                "100" | "200" | "400" | "403" | "404" | "405" | "414" | "417" | "431" | "501" | "503" | "505"
            )
        ),
        "{status:?}"
    );
}
