use super::kit::{SECOND, Story, client_hello, extension, modern, record, server_hello};
use crate::tls::{TlsHandshake, TlsOptions, TlsOutcome};

const FIN: u8 = 0x11;
const RST: u8 = 0x04;

fn only(mut lines: Vec<TlsHandshake>) -> TlsHandshake {
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

#[test]
fn a_handshake_is_one_line() {
    let mut story = Story::new();
    story.client(&record(22, &client_hello("www.example.org", 40))).pause(20_000_000);
    story.server(&record(22, &modern()));
    assert_eq!(story.out.len(), 1, "nothing more is awaited");
    let line = serde_json::to_value(only(story.finish())).unwrap();
    assert_eq!((&line["type"], &line["sni"]), (&"tls".into(), &"www.example.org".into()));
    assert_eq!(line["alpn"], serde_json::json!(["h2", "http/1.1"]));
    assert_eq!((&line["version"], &line["cipher"]), (&"1.3".into(), &"TLS_AES_128_GCM_SHA256".into()));
    // printf 1301,1302,c02b | sha256sum; printf 000d,002b,0033_0403,0804 | sha256sum
    assert_eq!(line["ja4"], "t13d0305h2_5559582ccdc4_7a92526c31dc");
    assert_eq!((&line["handshake_time_us"], &line["outcome"]), (&20_000.0.into(), &"complete".into()));
    assert_eq!((&line["client"]["port"], &line["server"]["port"]), (&40_000.into(), &443.into()));
    assert!(line["alpn_chosen"].is_null() && line["alert"].is_null() && line["partial"] == false);
}

#[test]
fn a_hello_in_any_two_segments() {
    // A key share of a post-quantum group.
    let hello = record(22, &client_hello("pq.example.org", 1_500));
    assert!(hello.len() > 1_400);
    let mut whole = Story::new();
    whole.client(&hello).server(&record(22, &modern()));
    let whole = only(whole.finish());
    assert!(whole.ja4.is_some() && !whole.partial);
    for cut in (2..hello.len()).step_by(13) {
        let mut story = Story::new();
        story.client(&hello[..cut]);
        let start = story.next[0].wrapping_sub(cut as u32);
        story.client(&hello[cut..]);
        // Again, as it is repeated when its acknowledgement is lost.
        story.event(true, flow_common::event::PayloadKind::Message, start, &hello[..cut], 0x18);
        story.server(&record(22, &modern()));
        assert_eq!(only(story.finish()), whole, "{cut}");
    }
}

#[test]
fn segments_and_records_in_any_order() {
    let hello = client_hello("three.example.org", 300);
    // Three records that hold one message, in three segments that do not end where they do.
    let stream: Vec<u8> = hello.chunks(200).flat_map(|part| record(22, part)).collect();
    let (first, rest) = stream.split_at(150);
    let (second, third) = rest.split_at(200);
    let mut story = Story::new();
    story.client(first);
    let at = story.next[0];
    for (offset, part) in [(200, third), (0, second)] {
        let seq = at.wrapping_add(offset);
        story.event(true, flow_common::event::PayloadKind::Message, seq, part, 0x18);
    }
    story.server(&record(22, &modern()));
    let line = only(story.finish());
    assert_eq!((line.sni.as_deref(), line.partial), (Some("three.example.org"), false));
}

#[test]
fn what_the_server_chooses_in_the_clear() {
    let chosen = server_hello(0x0303, 0xc02b, &[extension(16, &[0, 3, 2, b'h', b'2'])]);
    let mut story = Story::new();
    // Its certificate follows in the same record.
    story
        .client(&record(22, &client_hello("a", 0)))
        .server(&record(22, &[&chosen[..], &[11, 0, 16, 0]].concat()));
    let line = only(story.finish());
    assert_eq!((line.version, line.cipher), (Some(0x0303), Some(0xc02b)));
    assert_eq!(line.alpn_chosen.as_deref(), Some("h2"));
    // SSL 3.0 and TLS 1.0 know no extensions.
    let mut old = server_hello(0x0301, 0x002f, &[]);
    old.truncate(old.len() - 2);
    old[3] -= 2;
    let mut story = Story::new();
    story.client(&record(22, &client_hello("a", 0))).server(&record(22, &old));
    assert_eq!(only(story.finish()).version, Some(0x0301));
}

#[test]
fn handshakes_that_do_not_come_about() {
    let hello = record(22, &client_hello("a", 0));
    let mut story = Story::new();
    story.client(&hello).server(&record(21, &[2, 40]));
    let line = only(story.finish());
    assert_eq!((line.outcome, line.alert, line.cipher), (TlsOutcome::Alert, Some(40), None));

    for (flags, outcome) in [(RST, TlsOutcome::Reset), (FIN, TlsOutcome::NoServerHello)] {
        let mut story = Story::new();
        story.client(&hello).end(false, flags);
        let line = only(story.finish());
        assert_eq!((line.outcome, line.version), (outcome, Some(0x0304)));
    }

    let mut story = Story::new();
    story.client(&hello).pause(10 * SECOND - 1);
    assert!(story.out.is_empty());
    story.pause(1);
    assert_eq!(only(story.finish()).outcome, TlsOutcome::NoServerHello);

    let mut story = Story::new();
    story.server(&record(22, &modern()));
    let line = only(story.finish());
    assert_eq!(
        (line.outcome, line.head.client_end, line.sni),
        (TlsOutcome::NoClientHello, story.client, None)
    );
    assert!(line.alpn.is_none() && line.ja4.is_none() && line.handshake_time.is_none());
}

/// A warning ends nothing (RFC 5246 section 7.2): the hello follows in the same segment or in a later one.
#[test]
fn a_warning_before_the_hello_is_no_refusal() {
    const UNRECOGNIZED_NAME: u8 = 112;
    let hello = record(22, &client_hello("a", 0));
    let (warning, answer) = (record(21, &[1, UNRECOGNIZED_NAME]), record(22, &modern()));
    let mut story = Story::new();
    story.client(&hello).server(&[&warning[..], &answer].concat());
    assert_eq!(only(story.finish()).outcome, TlsOutcome::Complete);

    let mut story = Story::new();
    story.client(&hello).server(&warning).server(&answer);
    let line = only(story.finish());
    assert_eq!((line.outcome, line.alert), (TlsOutcome::Complete, None));

    // Where nothing follows, it is all that the server said; a fatal one is its last word whatever follows.
    let mut story = Story::new();
    story.client(&hello).server(&warning).end(false, FIN);
    let line = only(story.finish());
    assert_eq!((line.outcome, line.alert), (TlsOutcome::Alert, Some(UNRECOGNIZED_NAME)));
    let mut story = Story::new();
    story.client(&hello).server(&[&record(21, &[2, 40])[..], &answer].concat());
    let line = only(story.finish());
    assert_eq!((line.outcome, line.alert), (TlsOutcome::Alert, Some(40)));
}

/// Who has asked may close its half of the connection and still be answered (RFC 9293 section 3.6).
#[test]
fn a_client_that_closes_its_half_is_answered() {
    let hello = record(22, &client_hello("a", 0));
    let mut story = Story::new();
    story.client(&hello).end(true, FIN).pause(15_000_000).server(&record(22, &modern()));
    let line = only(story.finish());
    assert_eq!((line.outcome, line.sni.as_deref()), (TlsOutcome::Complete, Some("a")));

    let mut story = Story::new();
    story.client(&hello).end(true, FIN).end(false, FIN);
    assert_eq!(only(std::mem::take(&mut story.out)).outcome, TlsOutcome::NoServerHello);
    let mut story = Story::new();
    story.client(&hello).end(true, RST);
    assert_eq!(only(std::mem::take(&mut story.out)).outcome, TlsOutcome::Reset);
}

/// Other flows' packets have the tracker look at the time; the connection's own life counts.
#[test]
fn an_answer_comes_as_late_as_it_likes() {
    let mut story = Story::new();
    story.lives = true;
    story.client(&record(22, &client_hello("a", 0)));
    for _ in 0..70 {
        story.pause(SECOND);
    }
    story.server(&record(22, &modern()));
    let line = only(story.finish());
    assert_eq!((line.outcome, line.handshake_time), (TlsOutcome::Complete, Some(70 * SECOND)));

    let mut story = Story::new();
    story.lives = true;
    story.client(&record(22, &client_hello("a", 0))).pause(40 * SECOND);
    story.lives = false;
    assert!(story.out.is_empty());
    story.pause(10 * SECOND);
    assert_eq!(only(std::mem::take(&mut story.out)).outcome, TlsOutcome::NoServerHello);
}

#[test]
fn a_hello_in_the_shape_of_ssl_2() {
    let ciphers = [0, 0, 0x2f, 1, 0, 0x80, 0, 0, 0x35];
    let hello = [&[0x80, 34, 1, 3, 1, 0, 9, 0, 0, 0, 16][..], &ciphers, &[7; 16]].concat();
    let answer = record(22, &server_hello(0x0301, 0x002f, &[]));
    let mut story = Story::new();
    story.client(&hello).server(&answer);
    let line = only(story.finish());
    assert_eq!((line.outcome, line.version, line.cipher), (TlsOutcome::Complete, Some(0x0301), Some(0x002f)));
    assert_eq!((line.head.client_end, line.partial, line.sni), (story.client, false, None));

    for cut in 4..hello.len() {
        let mut story = Story::new();
        story.client(&hello[..cut]).server(&answer);
        let line = only(story.finish());
        assert_eq!((line.outcome, line.partial, line.ja4), (TlsOutcome::Complete, true, None), "{cut}");
    }
}

#[test]
fn a_cut_hello_shows_what_is_there_and_has_no_fingerprint() {
    let hello = record(22, &client_hello("www.example.org", 500));
    for cut in 0..hello.len() {
        let mut story = Story::new();
        story.client(&hello[..cut]).server(&record(22, &modern()));
        let line = only(story.finish());
        let name = hello.windows(15).position(|part| part == b"www.example.org").unwrap() + 15;
        assert_eq!(line.sni.is_some(), cut >= name, "{cut}");
        assert_eq!(line.partial, cut >= 9, "{cut}");
        assert!(line.ja4.is_none());
    }
}

#[test]
fn ports_used_again_are_another_handshake() {
    let mut story = Story::new();
    story.client(&record(22, &client_hello("one", 0)));
    story.slot += 1;
    story.client(&record(22, &client_hello("two", 0))).server(&record(22, &modern()));
    let names: Vec<_> = story.finish().into_iter().map(|line| (line.sni.unwrap(), line.outcome)).collect();
    assert_eq!(
        names,
        [("one".to_owned(), TlsOutcome::NoServerHello), ("two".to_owned(), TlsOutcome::Complete)]
    );
}

#[test]
fn names_are_escaped() {
    let mut hello = client_hello("a\u{7}\"\\\n", 0);
    let at = hello.windows(2).position(|pair| pair == b"a\x07").unwrap();
    hello[at] = 0xff;
    let mut story = Story::new();
    story.client(&record(22, &hello));
    assert_eq!(only(story.finish()).sni.as_deref(), Some("\\255\\007\"\\\\\\010"));
}

#[test]
fn what_is_no_hello_is_counted() {
    let mut story = Story::new();
    story.client(&record(22, &[0; 40])).pause(20 * SECOND);
    assert_eq!(story.tracker.losses().malformed, 1);
    assert!(story.finish().is_empty());
}

#[test]
fn a_full_table_gives_up_the_oldest_and_counts_it() {
    let mut story = Story::with(TlsOptions { max_connections: 2, ..TlsOptions::default() });
    for port in 0..5 {
        story.key.a_port = port;
        story.client(&record(22, &client_hello("a", 0)));
    }
    assert_eq!((story.tracker.held(), story.tracker.losses().evicted), (2, 3));
    assert_eq!(story.finish().len(), 5);
}

#[test]
fn what_hellos_hold_is_bounded_in_sum() {
    const MOST: usize = 256 << 10;
    for padding in [0, 3_000] {
        let mut story = Story::with(TlsOptions { max_bytes: MOST, ..TlsOptions::default() });
        for port in 0..1_000 {
            story.key.a_port = port;
            story.client(&record(22, &client_hello("a", padding)));
            // The last one may be beyond it.
            assert!(story.tracker.held_bytes() < MOST + (8 << 10), "{}", story.tracker.held_bytes());
        }
        let (held, evicted) = (story.tracker.held() as u64, story.tracker.losses().evicted);
        assert!(evicted > 0 && held + evicted == 1_000, "{held} held, {evicted} evicted");
        story.finish();
        assert_eq!(story.tracker.held_bytes(), 0);
    }
}
