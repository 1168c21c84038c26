//! What an input means to each fuzz target, and what must hold whatever it is. Used by the targets, and by a
//! plain test that replays their corpora.

use flow_common::{
    event::{PayloadEvent, PayloadKind},
    key::FlowKey,
};
use std::sync::{Arc, LazyLock};

use flowd::{
    aggregate::{HttpNumbers, Ledger, LedgerOptions},
    capture::Capture,
    clock::WallClock,
    config::Config,
    export::{feed::Feed, prometheus::Board},
    protocol::http::{HttpOptions, HttpTracker, Query},
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
    let options = HttpOptions {
        query,
        head_bytes: u32::from(*first >> 2) * 16,
        timeout: 1 << (second & 31),
        max_pending_per_flow: usize::from(second >> 5),
        max_connections: 3,
    };
    let mut tracker = HttpTracker::new(options);
    let (mut now, mut next, mut started, mut told) = (0_u64, [0_u32; 8], 0_usize, 0_usize);
    while let Some((&[what, whom, flags, s0, s1, more, pause, len], tail)) = rest.split_first_chunk::<8>() {
        let (bytes, after) = tail.split_at(usize::from(len).min(tail.len()));
        rest = after;
        now = now.saturating_add(1 << (pause & 63));
        let mut key = FlowKey::EMPTY;
        key.a_port = 1000 + u16::from(whom & 3);
        key.b_port = 80;
        let Some(place) = next.get_mut(usize::from(whom & 3) * 2 + usize::from(what & 1)) else { return };
        let seq = place.wrapping_add_signed(i32::from(i16::from_le_bytes([s0, s1])));
        let event = PayloadEvent {
            key,
            time: now,
            slot: u32::from(whom >> 6),
            seq,
            payload_len: bytes.len() as u32 + u32::from(more),
            copied: bytes.len() as u16,
            kind: match what >> 1 & 3 {
                0 => PayloadKind::HttpRequest,
                1 => PayloadKind::HttpResponse,
                2 => PayloadKind::Continuation,
                _ => PayloadKind::End,
            } as u8,
            sender: what & 1,
            ack: 0,
            tcp_flags: u16::from(flags & 0x1f),
            reserved: 0,
        };
        *place = seq.wrapping_add(event.payload_len);
        started += bytes.len();
        let mut sink = |_| told += 1;
        tracker.event(&event, bytes, &mut sink);
        if what & 0x80 != 0 {
            tracker.expire(now, &mut sink);
        }
        assert!(tracker.connections() <= 3);
    }
    tracker.finish(&mut |_| told += 1);
    assert_eq!(tracker.connections(), 0);
    assert!(told <= started, "an exchange takes a byte at least");
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
    let options = LedgerOptions { series_limit: 16, conversations: 16, active_timeout: None };
    let ledger = Ledger::new(options, Vec::new(), WallClock::CAPTURE);
    let telemetry = Arc::new(Telemetry::new(Vec::new(), 16));
    let board = Board::new(ledger.numbers().clone(), HttpNumbers::new(16), Arc::clone(&telemetry));
    let http = Arc::new(Feed::new(1, 0, SinkCounters::new("http_stream")));
    State { board: Arc::new(board), live: Arc::clone(ledger.live()), telemetry, http }
}

/// The target of a request where it begins with a slash, else all that a client sends.
pub(crate) fn api(input: &[u8]) {
    static STATE: LazyLock<State> = LazyLock::new(state);
    static RUNTIME: LazyLock<Option<Runtime>> =
        LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().ok());
    let Some(runtime) = &*RUNTIME else { return };
    let target = input.first() == Some(&b'/') && !input.iter().any(u8::is_ascii_whitespace);
    let request = if target {
        [b"GET ", input, b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"].concat()
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
            Some("100" | "200" | "400" | "404" | "405" | "414" | "417" | "431" | "501" | "503" | "505")
        ),
        "{status:?}"
    );
}
