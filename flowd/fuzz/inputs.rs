//! What an input means to each fuzz target, and what must hold whatever it is. Used by the targets, and by a
//! plain test that replays their corpora.

use std::sync::{Arc, LazyLock};

use flowd::{
    aggregate::{Ledger, LedgerOptions},
    capture::Capture,
    clock::WallClock,
    config::Config,
    export::feed::{Bounds, Feed},
    numbers::Board,
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
