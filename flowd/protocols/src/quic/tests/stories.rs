use super::kit::{
    ANSWER, CLIENT, FIRST, ORIGIN, Packet, SECOND, SERVER, Story, VERSION_2, close, crypto, sealed,
};
use crate::{
    quic::QuicOptions,
    tls::{
        TlsOutcome,
        tests::kit::{client_hello, modern},
    },
};

/// An ACK frame of the first packet.
const ACK: [u8; 5] = [2, 0, 0, 0, 0];

#[test]
fn a_handshake_is_one_line() {
    let mut story = Story::new();
    story.client(&FIRST.around(&crypto(0, &client_hello("www.example.org", 40)))).pause(20_000_000);
    let hello = ANSWER.around(&[&ACK[..], &crypto(0, &modern())].concat());
    story.server(&[&hello[..], &sealed(1, 2, [CLIENT, SERVER])].concat());
    assert_eq!(story.out.len(), 1, "nothing more is awaited");
    let line = serde_json::to_value(story.only()).unwrap();
    assert_eq!((&line["type"], &line["sni"]), (&"tls".into(), &"www.example.org".into()));
    assert_eq!((&line["transport"], &line["quic_version"]), (&"quic".into(), &"1".into()));
    assert_eq!(line["alpn"], serde_json::json!(["h2", "http/1.1"]));
    assert_eq!((&line["version"], &line["cipher"]), (&"1.3".into(), &"TLS_AES_128_GCM_SHA256".into()));
    assert_eq!(line["ja4"], "q13d0305h2_5559582ccdc4_7a92526c31dc");
    assert_eq!((&line["handshake_time_us"], &line["outcome"]), (&20_000.0.into(), &"complete".into()));
    assert_eq!((&line["client"]["port"], &line["server"]["port"]), (&40_000.into(), &443.into()));
    assert!(line["alpn_chosen"].is_null() && line["alert"].is_null() && line["partial"] == false);
}

#[test]
fn every_version_with_public_keys() {
    for (version, name) in [
        (1, "1"),
        (VERSION_2, "2"),
        (0xff00_0016, "draft-22"),
        (0xff00_001b, "draft-27"),
        (0xff00_001d, "draft-29"),
        (0xff00_0022, "draft-34"),
    ] {
        let mut story = Story::new();
        let client = Packet { version, ..FIRST };
        story.client(&client.around(&crypto(0, &client_hello("a", 0))));
        story.server(&Packet { version, ..ANSWER }.around(&crypto(0, &modern())));
        let line = serde_json::to_value(story.only()).unwrap();
        assert_eq!((&line["quic_version"], &line["outcome"]), (&name.into(), &"complete".into()));
    }
    // Of a version that nobody knows nothing can be read.
    let mut story = Story::new();
    let mut unknown = FIRST.around(&crypto(0, &client_hello("a", 0)));
    unknown[1..5].copy_from_slice(&0x1a2a_3a4a_u32.to_be_bytes());
    assert!(story.client(&unknown).finish().is_empty());
}

/// Browsers cut their ClientHello into pieces and send them in any order, over several datagrams.
#[test]
fn a_hello_in_pieces() {
    let hello = client_hello("pq.example.org", 1_500);
    let piece = |range: std::ops::Range<usize>| crypto(range.start, &hello[range]);
    let len = hello.len();
    let datagrams = [
        [piece(900..len), vec![1], piece(0..20), vec![0; 30]].concat(),
        [piece(400..900), piece(30..400)].concat(),
        [vec![0; 300], piece(15..31)].concat(),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let mut story = Story::new();
        for (index, number) in order.into_iter().zip(0..) {
            let packet = Packet { number, ..FIRST };
            story.client(&packet.around(&datagrams[index]));
        }
        story.server(&ANSWER.around(&crypto(0, &modern())));
        let line = story.only();
        assert_eq!((line.sni.as_deref(), line.partial), (Some("pq.example.org"), false), "{order:?}");
        assert!(line.ja4.is_some());
    }
    // Where one is missing, the line says what is there.
    let mut story = Story::new();
    story.client(&FIRST.around(&crypto(0, &hello[..200])));
    story.server(&ANSWER.around(&crypto(0, &modern())));
    let line = story.only();
    assert_eq!((line.sni.as_deref(), line.partial, line.ja4), (Some("pq.example.org"), true, None));
    let mut story = Story::new();
    story.client(&FIRST.around(&crypto(900, &hello[900..])));
    story.server(&ANSWER.around(&crypto(0, &modern())));
    let line = story.only();
    assert_eq!((line.outcome, line.partial, line.alpn), (TlsOutcome::NoClientHello, true, None));
}

/// The second part goes to the id that the server has chosen meanwhile; the keys stay.
#[test]
fn a_hello_to_two_ids() {
    let hello = client_hello("a", 900);
    let mut story = Story::new();
    story.client(&FIRST.around(&crypto(0, &hello[..700]))).server(&ANSWER.around(&ACK));
    assert!(story.out.is_empty());
    story.client(&Packet { ids: [SERVER, CLIENT], ..FIRST }.around(&crypto(700, &hello[700..])));
    story.pause(5_000_000).server(&ANSWER.around(&crypto(0, &modern())));
    let line = story.only();
    assert_eq!((line.outcome, line.partial), (TlsOutcome::Complete, false));
    assert_eq!(line.handshake_time, Some(5_000_000), "an acknowledgement says nothing");
}

#[test]
fn a_retry_is_the_same_handshake() {
    let hello = crypto(0, &client_hello("a", 0));
    let after = |origin, token| Packet { origin, ids: [origin, CLIENT], token, ..FIRST };
    for (first, second) in [(&b""[..], &b"token"[..]), (b"of before", b"token")] {
        let mut story = Story::new();
        story.client(&Packet { token: first, ..FIRST }.around(&hello)).pause(1_000_000);
        story.client(&after(SERVER, second).around(&hello)).pause(1_000_000);
        story.server(&Packet { origin: SERVER, ..ANSWER }.around(&crypto(0, &modern())));
        let line = story.only();
        assert_eq!((line.outcome, line.handshake_time), (TlsOutcome::Complete, Some(2_000_000)));
        assert_eq!((line.head.time, line.partial), (SECOND, false));
    }
}

#[test]
fn a_negotiated_version_is_the_same_handshake() {
    // By a Version Negotiation packet: from the begin, to the same id or to another.
    let [old, new] = [client_hello("a", 0), client_hello("b", 0)].map(|hello| crypto(0, &hello));
    for origin in [ORIGIN, SERVER] {
        let mut story = Story::new();
        story.client(&Packet { version: 0xff00_001d, ..FIRST }.around(&old));
        let next = Packet { origin, ids: [origin, &[6, 6]], ..FIRST };
        story.client(
            &Packet { ids: if origin == ORIGIN { FIRST.ids } else { next.ids }, ..next }.around(&new),
        );
        let to: &[u8] = if origin == ORIGIN { CLIENT } else { &[6, 6] };
        story.server(&Packet { origin, ids: [to, SERVER], ..ANSWER }.around(&crypto(0, &modern())));
        let line = story.only();
        assert_eq!((line.sni.as_deref(), line.quic_version), (Some("b"), Some(1)));
        assert_eq!(line.outcome, TlsOutcome::Complete);
    }
    // By the server's choice of one that is compatible: it goes on with the other.
    let mut story = Story::new();
    story.client(&FIRST.around(&old));
    story.server(&Packet { version: VERSION_2, ..ANSWER }.around(&crypto(0, &modern())));
    let line = story.only();
    assert_eq!((line.sni.as_deref(), line.quic_version), (Some("a"), Some(VERSION_2)));
}

#[test]
fn late_packets_make_no_line() {
    let first = FIRST.around(&crypto(0, &client_hello("a", 0)));
    let answer = ANSWER.around(&crypto(0, &modern()));
    let mut story = Story::new();
    story.client(&first).server(&answer);
    assert_eq!(story.out.len(), 1);
    story.pause(9 * SECOND).client(&first).server(&answer);
    let acknowledged = Packet { ids: [SERVER, CLIENT], number: 1, ..FIRST };
    story.pause(9 * SECOND).client(&acknowledged.around(&ACK));
    assert_eq!((story.out.len(), story.tracker.losses().malformed), (1, 0));
    story.pause(10 * SECOND);
    assert_eq!(story.tracker.held(), 0);
    assert_eq!(story.finish().len(), 1);
}

/// Several connections may have the same addresses and ports: one after the other, and told apart by the client's ids
/// also at the same time.
#[test]
fn connections_of_one_flow() {
    let hello = |name| crypto(0, &client_hello(name, 0));
    let answer = crypto(0, &modern());
    let mut story = Story::new();
    let second = [0x42; 8];
    story.client(&FIRST.around(&hello("a"))).server(&ANSWER.around(&answer));
    let again = Packet { origin: &second, ids: [&second, CLIENT], ..FIRST };
    story.client(&again.around(&hello("b")));
    story.server(&Packet { origin: &second, ..ANSWER }.around(&answer));
    let lines = story.finish();
    assert_eq!(lines.iter().map(|line| line.sni.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("b")]);

    let mut story = Story::new();
    let other = Packet { origin: &second, ids: [&second, &[5; 4]], ..FIRST };
    story.client(&FIRST.around(&hello("a"))).client(&other.around(&hello("b")));
    story.server(&Packet { origin: &second, ids: [&[5; 4], SERVER], ..ANSWER }.around(&answer));
    story.server(&ANSWER.around(&answer));
    let lines = story.finish();
    assert!(lines.iter().all(|line| line.outcome == TlsOutcome::Complete), "{lines:?}");
    assert_eq!(lines.iter().map(|line| line.sni.as_deref()).collect::<Vec<_>>(), [Some("b"), Some("a")]);

    // The client gave the first up.
    let mut story = Story::new();
    story.client(&FIRST.around(&hello("a"))).client(&again.around(&hello("b")));
    let lines = story.finish();
    assert_eq!(lines.iter().map(|line| line.sni.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
}

#[test]
fn handshakes_that_do_not_come_about() {
    let hello = FIRST.around(&crypto(0, &client_hello("a", 0)));
    for (error, outcome, alert) in [(0x178, TlsOutcome::Alert, Some(120)), (0x02, TlsOutcome::Reset, None)] {
        let mut story = Story::new();
        story.client(&hello).pause(1_000).server(&ANSWER.around(&close(error)));
        assert_eq!(story.out.len(), 1, "nothing more is awaited");
        let line = story.only();
        assert_eq!((line.outcome, line.alert, line.handshake_time), (outcome, alert, Some(1_000)));
    }

    let mut story = Story::new();
    story.client(&hello).pause(5 * SECOND).client(&hello).pause(5 * SECOND - 1);
    assert!(story.out.is_empty());
    story.lives = true;
    story.pause(1);
    assert!(story.out.is_empty(), "the answer may still come");
    story.lives = false;
    story.pause(10 * SECOND);
    let line = story.only();
    assert_eq!((line.outcome, line.version), (TlsOutcome::NoServerHello, Some(0x0304)));

    // A flow may live for hours without an answer that is seen; what its client repeats is no other handshake.
    let mut story = Story::new();
    story.lives = true;
    story.client(&hello).pause(10 * SECOND).pause(10 * SECOND);
    assert!(story.out.is_empty());
    story.pause(10 * SECOND).client(&hello);
    assert_eq!((story.out.len(), story.finish().len()), (1, 1));

    // Of a hello with a gap nothing more is to be expected once it was answered.
    let mut story = Story::new();
    story.lives = true;
    story.client(&FIRST.around(&crypto(0, &client_hello("a", 0)[..60])));
    story.server(&ANSWER.around(&crypto(0, &modern()))).pause(10 * SECOND);
    assert_eq!((story.out.len(), story.finish().len()), (1, 1));

    // Other connections get the same ports; of the old one no answer will come.
    let mut story = Story::new();
    story.client(&hello).slot += 1;
    story.client(&hello);
    assert_eq!(story.finish().len(), 2);
}

#[test]
fn what_cannot_be_read_is_counted() {
    // Begun before the capture: the keys are nowhere.
    let mut story = Story::new();
    story.server(&ANSWER.around(&crypto(0, &modern())));
    story.client(&Packet { ids: [SERVER, CLIENT], ..FIRST }.around(&ACK));
    assert_eq!((story.tracker.losses().malformed, story.tracker.held()), (2, 0));
    // Cut, and a byte altered.
    let whole = FIRST.around(&crypto(0, &client_hello("a", 0)));
    let mut altered = whole.clone();
    altered[100] ^= 1;
    story.client(&whole[..whole.len() - 1]).client(&altered);
    assert_eq!(story.tracker.losses().malformed, 3);
    // Nothing but an acknowledgement.
    story.client(&FIRST.around(&ACK));
    assert!(story.finish().is_empty());
    assert_eq!(story.tracker.losses().malformed, 4);
}

#[test]
fn packets_before_and_behind() {
    let hello = FIRST.around(&crypto(0, &client_hello("a", 0)));
    let early = sealed(1, 1, [ORIGIN, CLIENT]);
    let mut story = Story::new();
    // 0-RTT packets around it, and then bytes without a header.
    story.client(&[&early[..], &hello, &early, &[0; 40]].concat());
    assert_eq!(story.only().sni.as_deref(), Some("a"));
    // Two datagrams in one copy.
    let hello = client_hello("b", 0);
    let (first, second) = hello.split_at(60);
    let mut story = Story::new();
    let next = Packet { number: 1, ..FIRST };
    story.client(&[FIRST.around(&crypto(0, first)), next.around(&crypto(60, second))].concat());
    let line = story.only();
    assert_eq!((line.sni.as_deref(), line.partial), (Some("b"), false));
}

#[test]
fn the_oldest_make_room() {
    let options = QuicOptions { max_handshakes: 2, ..QuicOptions::default() };
    let mut story = Story::with(options);
    let hello = FIRST.around(&crypto(0, &client_hello("a", 0)));
    for port in 0..4 {
        story.key.a_port = port;
        story.time += 1;
        story.client(&hello);
    }
    assert_eq!((story.out.len(), story.tracker.held(), story.tracker.losses().evicted), (2, 2, 2));
    story.finish();
    let mut story = Story::with(QuicOptions { max_bytes: 3_000, ..QuicOptions::default() });
    for port in 0..20 {
        story.key.a_port = port;
        story.client(&hello);
        assert!(story.tracker.held_bytes() < 6_000);
    }
    assert_eq!(story.finish().len(), 20);
}
