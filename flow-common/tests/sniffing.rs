//! Which payload of HTTP, DNS and TLS is copied, and that no other is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use flow_common::{
    app::{App, Apps},
    event::{MAX_PAYLOAD, PayloadKind},
    sniff::DNS_BYTES,
    wire::tcp::flag,
};
use support::{
    World, frames,
    talk::{PSH, Talk, What, what, world},
};

const REQUEST: What = (App::Http as u8, PayloadKind::Request as u8);
const RESPONSE: What = (App::Http as u8, PayloadKind::Response as u8);
const MORE: What = (App::Http as u8, PayloadKind::Continuation as u8);
const HELLO: What = (App::Tls as u8, PayloadKind::Message as u8);
const HELLO_MORE: What = (App::Tls as u8, PayloadKind::Continuation as u8);
const DNS: What = (App::Dns as u8, PayloadKind::Message as u8);
const DNS_MORE: What = (App::Dns as u8, PayloadKind::Continuation as u8);
const END_BY_OTHER: What = (0, PayloadKind::End as u8);

/// Those that the packet path knows by their payload.
const KNOWN: Apps = Apps::of(&[App::Http, App::Dns, App::Tls]);
const HTTP_ONLY: Apps = Apps::of(&[App::Http]);
const DNS_ONLY: Apps = Apps::of(&[App::Dns]);
const TLS_ONLY: Apps = Apps::of(&[App::Tls]);

/// A record with a handshake message of `len` bytes, its head included.
fn hello(kind: u8, len: u16) -> Vec<u8> {
    let [high, low] = (len - 4).to_be_bytes();
    let [outer_high, outer_low] = len.to_be_bytes();
    let mut record = vec![22, 3, 1, outer_high, outer_low, kind, 0, high, low];
    record.resize(usize::from(len) + 5, 7);
    record
}

#[test]
fn datagrams_on_the_port_of_dns() {
    let ip = frames::V4::of(17);
    let feed = |world: &mut World, from: u16, to: u16, len: usize| {
        world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&frames::udp(from, to, &vec![1; len]))));
    };
    let mut watched = world(DNS_ONLY);
    for (from, to, len) in [(40_000, 53, 30), (53, 40_000, 1_400), (40_000, 53, 11), (5353, 5353, 30)] {
        feed(&mut watched, from, to, len);
    }
    let found: Vec<_> = watched.events.iter().map(|(event, bytes)| (what(event), bytes.len())).collect();
    assert_eq!(found, [(DNS, 30), (DNS, DNS_BYTES as usize)]);
    assert_eq!(watched.events[0].0.payload_len, 30);
    // More where more is asked for.
    watched.settings.head_bytes = 4096;
    feed(&mut watched, 53, 40_000, 1_400);
    assert_eq!(watched.events[2].1.len(), 1_400);
    let mut off = world(KNOWN.without(App::Dns));
    feed(&mut off, 40_000, 53, 30);
    assert!(off.events.is_empty());
}

#[test]
fn of_a_fragmented_message_the_first_fragment() {
    let whole = frames::udp(53, 40_000, &vec![1; 2_000]);
    let (first, rest) = whole.split_at(1_480);
    let mut world = world(DNS_ONLY);
    let head = frames::V4 { identification: 9, more: true, ..frames::V4::of(17) };
    world.feed(&frames::ethernet(frames::IPV4, &head.wrap(first)));
    let tail = frames::V4 { offset: 185, more: false, ..head };
    world.feed(&frames::ethernet(frames::IPV4, &tail.wrap(rest)));
    assert_eq!(world.events.len(), 1);
    assert_eq!(world.records().len(), 1);
}

#[test]
fn messages_over_tcp_each_with_a_window_of_its_own() {
    let mut talk = Talk::new(53, KNOWN);
    // Its length alone, the message, and the next one without an answer in between.
    talk.send(true, PSH, &[0, 40]);
    talk.send(true, PSH, &[1; 40]);
    talk.send(true, PSH, &[2; 50]);
    // A long answer in segments: what lies in the window.
    talk.send(false, flag::ACK, &[3; 1_000]);
    talk.send(false, flag::ACK, &[3; 1_000]);
    talk.send(false, PSH, &[3; 1_000]);
    talk.send(false, PSH, &[4; 60]);
    let begun = [2, 40, 50, 1_000].map(|len| (DNS, len));
    assert_eq!(talk.copied(), [&begun[..], &[(DNS_MORE, 232), (DNS, 60)]].concat());
    talk.raw(true, flag::FIN | flag::ACK, 0, &[]);
    assert_eq!(talk.copied().len(), 6, "the end of such a connection says nothing");
}

#[test]
fn hellos_and_nothing_after_them() {
    let mut talk = Talk::new(443, KNOWN);
    let asked = hello(1, 300);
    talk.send(true, PSH, &asked);
    // The answer and what follows it in the same segment.
    let said = [hello(2, 100), vec![20, 3, 3, 0, 1, 1], vec![23; 1_000]].concat();
    talk.send(false, PSH, &said);
    for _ in 0..5 {
        talk.send(true, PSH, &hello(1, 200));
        talk.send(false, PSH, &hello(2, 200));
    }
    assert_eq!(talk.copied(), [(HELLO, asked.len()), (HELLO, 105)]);
    talk.raw(true, flag::FIN | flag::ACK, 0, &[]);
    assert_eq!(talk.copied().len(), 2, "answered hellos need no end");
}

#[test]
fn a_long_hello_in_segments_of_any_order() {
    let asked = hello(1, 1_900);
    for late in [false, true] {
        let mut talk = Talk::new(8443, TLS_ONLY);
        talk.send(true, flag::ACK, &asked[..1_000]);
        if late {
            talk.raw(true, PSH, 500, &asked[1_500..]);
            talk.raw(true, flag::ACK, 0, &asked[1_000..1_500]);
        } else {
            talk.raw(true, flag::ACK, 0, &asked[1_000..1_500]);
            talk.raw(true, PSH, 500, &asked[1_500..]);
        }
        // Sent again: known already.
        talk.raw(true, flag::ACK, 0, &asked[1_000..1_500]);
        let mut stream = vec![0; asked.len()];
        let start = talk.next[0].wrapping_sub(1_000);
        for (index, (event, bytes)) in talk.world.events.iter().enumerate() {
            assert_eq!(what(event), if index == 0 { HELLO } else { HELLO_MORE });
            let at = event.seq.wrapping_sub(start) as usize;
            stream[at..at + bytes.len()].copy_from_slice(bytes);
        }
        assert_eq!((talk.world.events.len(), stream), (3, asked.clone()));
    }
}

#[test]
fn the_window_of_a_hello_that_does_not_tell_its_length() {
    // The head of a record alone; and a message over several records.
    for first in [vec![22, 3], vec![22, 3, 1, 0, 10, 1, 0, 9, 9]] {
        let mut talk = Talk::new(443, TLS_ONLY);
        talk.send(true, PSH, &first);
        for _ in 0..5 {
            talk.send(true, PSH, &[7; 1_000]);
        }
        let sum: usize = talk.copied().iter().map(|(_, len)| len).sum();
        assert_eq!(sum, MAX_PAYLOAD);
    }
}

#[test]
fn a_hello_in_the_shape_of_ssl_2() {
    let mut asked = vec![0x80, 43, 1, 3, 1, 0, 18];
    asked.resize(45, 7);
    let mut talk = Talk::new(443, KNOWN);
    talk.send(true, PSH, &asked);
    talk.send(false, PSH, &hello(2, 100));
    talk.send(true, PSH, &[22; 80]);
    assert_eq!((talk.copied(), talk.app()), (vec![(HELLO, 45), (HELLO, 105)], Some(App::Tls)));
    // Of another length it is something else.
    asked.push(7);
    let mut talk = Talk::new(443, KNOWN);
    talk.send(true, PSH, &asked);
    assert_eq!((talk.copied(), talk.app()), (vec![], None));
}

#[test]
fn refused_hellos() {
    let mut talk = Talk::new(443, KNOWN);
    // An alert by itself is nothing.
    talk.send(false, PSH, &[21, 3, 3, 0, 2, 2, 40]);
    talk.send(true, PSH, &hello(1, 100));
    talk.send(false, PSH, &[21, 3, 3, 0, 2, 2, 40]);
    assert_eq!(talk.copied().iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [HELLO, HELLO]);
    let mut talk = Talk::new(443, KNOWN);
    talk.send(true, PSH, &hello(1, 100));
    talk.raw(false, flag::RST, 0, &[]);
    assert_eq!(talk.copied().last(), Some(&(END_BY_OTHER, 0)));
}

#[test]
fn a_hello_behind_another_protocol() {
    let mut talk = Talk::new(25, TLS_ONLY);
    for (client, line) in [(false, "220 mail"), (true, "EHLO x"), (false, "250 STARTTLS"), (true, "STARTTLS")]
    {
        talk.send(client, PSH, line.as_bytes());
    }
    talk.send(false, PSH, b"220 go on");
    talk.send(true, PSH, &hello(1, 100));
    talk.send(false, PSH, &hello(2, 100));
    assert_eq!(talk.copied(), [(HELLO, 105), (HELLO, 105)]);
}

#[test]
fn a_hello_behind_what_stands_ahead_of_it() {
    const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
    // The side of the first byte, and what is said.
    type Said<'a> = (bool, &'a [u8]);
    let lines: Vec<Said<'_>> = [(false, &b"* OK hello\r\n"[..]), (true, b"a1 CAPABILITY\r\n")]
        .into_iter()
        .cycle()
        .take(14)
        .collect();
    let ahead: [&[Said<'_>]; 4] = [
        &[(true, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n")],
        &[(true, &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), (false, b"S")],
        &[(true, b"\r\n")],
        &lines,
    ];
    for ahead in ahead {
        let mut talk = Talk::new(443, TLS_ONLY.with(App::Http));
        for (client, said) in ahead {
            talk.send(*client, PSH, said);
        }
        let before = talk.copied().len();
        talk.send(true, PSH, &hello(1, 100));
        talk.send(false, PSH, &hello(2, 100));
        assert_eq!(talk.copied()[before..], [(HELLO, 105), (HELLO, 105)], "{ahead:?}");
    }
    // However long the server spoke before, it is heard when it answers.
    let mut talk = Talk::new(443, TLS_ONLY);
    for _ in 0..30 {
        talk.send(false, PSH, b"* and one more line\r\n");
    }
    talk.send(true, PSH, &hello(1, 100));
    talk.send(false, PSH, &ALERT);
    assert_eq!(talk.copied(), [(HELLO, 105), (HELLO, 7)]);
}

#[test]
fn what_brings_nothing_new_takes_no_turn() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    let mut full = b"HTTP/1.1 200 OK\r\nContent-Length: 1400\r\n\r\n".to_vec();
    full.resize(1_440, b'x');
    let mut talk = Talk::new(80, HTTP_ONLY);
    for _ in 0..3 {
        talk.send(true, PSH, GET);
        talk.send(false, flag::ACK, &full);
        // Keep-alives of either side, with a byte and without.
        for (client, byte) in [(true, &b"x"[..]), (false, b"x"), (true, b""), (false, b"")] {
            talk.raw(client, flag::ACK, -1, byte);
        }
    }
    assert_eq!(talk.copied(), [(REQUEST, GET.len()), (RESPONSE, 512)].repeat(3));
}

#[test]
fn only_what_is_asked_for() {
    for (copies, port, payload) in [
        (KNOWN.without(App::Tls), 443, hello(1, 100)),
        (KNOWN.without(App::Dns), 53, query()),
        (KNOWN.without(App::Http), 80, b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        (Apps::NONE, 53, query()),
    ] {
        let mut talk = Talk::new(port, copies);
        talk.send(true, PSH, &payload);
        assert_eq!(talk.copied(), [], "{copies:?} {port}");
        talk.raw(true, flag::RST, 0, &[]);
        assert_eq!(talk.copied(), []);
        assert_eq!(talk.app(), None);
    }
}

/// A DNS message with one question, behind its length as TCP has it.
fn query() -> Vec<u8> {
    let mut message = vec![0, 40, 0x12, 0x34, 1, 0, 0, 1];
    message.resize(42, 0);
    message
}

#[test]
fn a_flow_says_what_its_payload_showed() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    let said = |port, pieces: &[(bool, &[u8])]| {
        let mut talk = Talk::new(port, KNOWN);
        for (client, payload) in pieces {
            talk.send(*client, PSH, payload);
        }
        talk.app()
    };
    let hello = hello(1, 100);
    assert_eq!(said(80, &[(true, GET)]), Some(App::Http));
    assert_eq!(said(8_443, &[(true, &hello)]), Some(App::Tls));
    assert_eq!(said(53, &[(true, &query())]), Some(App::Dns));
    assert_eq!(said(53, &[(true, &query()[..2]), (true, &query()[2..])]), Some(App::Dns));
    // The port alone shows nothing, though what passes there is copied.
    assert_eq!(said(53, &[(true, &[9; 40])]), None);
    // So few bytes may become anything; the answer tells.
    assert_eq!(said(80, &[(true, b"GE")]), None);
    assert_eq!(said(80, &[(true, b"GE"), (false, b"HTTP/1.1 400 Bad Request\r\n\r\n")]), Some(App::Http));
    // The first one stays: what goes through a proxy is asked for by HTTP.
    let tunnel: [(bool, &[u8]); 3] =
        [(true, b"CONNECT h:443 HTTP/1.1\r\n\r\n"), (false, b"HTTP/1.1 200 OK\r\n\r\n"), (true, &hello)];
    assert_eq!(said(3_128, &tunnel), Some(App::Http));
    assert_eq!(said(22, &[(false, b"SSH-2.0-x\r\n"), (true, b"SSH-2.0-y\r\n")]), None);
}

#[test]
fn a_datagram_says_it_too() {
    let ip = frames::V4::of(17);
    let mut answer = query()[2..].to_vec();
    answer[2] = 0x81;
    for (payload, app) in [(&query()[2..], Some(App::Dns)), (&answer, Some(App::Dns)), (&[9; 40], None)] {
        let mut world = world(DNS_ONLY);
        world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&frames::udp(40_000, 53, payload))));
        assert_eq!((world.events.len(), App::from_number(world.records()[0].app)), (1, app));
        // Later ones change nothing.
        world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&frames::udp(40_000, 53, &[9; 40]))));
        assert_eq!(App::from_number(world.records()[0].app), app);
    }
}

#[test]
fn the_end_of_a_tunnel_is_told_to_who_saw_it_begin() {
    let mut talk = Talk::new(3_128, KNOWN);
    talk.send(true, PSH, b"CONNECT h:443 HTTP/1.1\r\n\r\n");
    talk.send(false, PSH, b"HTTP/1.1 200 OK\r\n\r\n");
    talk.send(true, PSH, &hello(1, 100));
    talk.send(false, PSH, &hello(2, 100));
    assert_eq!(talk.copied()[2..], [(HELLO, 105), (HELLO, 105)]);
    talk.raw(true, flag::FIN | flag::ACK, 0, &[]);
    assert_eq!(talk.world.events.last().unwrap().0.kind, PayloadKind::End as u8);
}

#[test]
fn short_messages_each_with_a_window_of_its_own() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    const POST: &[u8] = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx";
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    // One after the other: far more than one window holds.
    let mut talk = Talk::new(80, HTTP_ONLY);
    for _ in 0..30 {
        talk.send(true, PSH, POST);
        talk.send(false, PSH, OK);
    }
    assert_eq!(talk.copied(), [(REQUEST, POST.len()), (RESPONSE, OK.len())].repeat(30));
    // Pipelined: each ends a write.
    let mut talk = Talk::new(80, HTTP_ONLY);
    talk.send(true, PSH, &GET.repeat(30));
    for _ in 0..30 {
        talk.send(false, PSH, OK);
    }
    assert_eq!(talk.copied()[1..], [(RESPONSE, OK.len())].repeat(30));
}

#[test]
fn a_head_in_pieces_is_one_window() {
    let mut talk = Talk::new(80, HTTP_ONLY);
    let pieces = ["GET / HTTP/1.1\r\n", "Host: h\r\n", "GE", "T: x\r\n", "\r\n"];
    for piece in pieces {
        talk.send(true, PSH, piece.as_bytes());
        // An interim answer turns the conversation.
        talk.send(false, PSH, b"HTTP/1.1 102 Processing\r\n\r\n");
    }
    let asked: Vec<_> = talk.copied().into_iter().step_by(2).collect();
    let kinds = [REQUEST, MORE, MORE, MORE, MORE];
    assert_eq!(asked, kinds.into_iter().zip(pieces.map(str::len)).collect::<Vec<_>>());
    // In the middle of a write nothing begins.
    let mut talk = Talk::new(80, HTTP_ONLY);
    talk.world.settings.head_bytes = 4_096;
    let mut full = b"HTTP/1.1 200 OK\r\n\r\nbody".to_vec();
    full.resize(1_448, b'x');
    talk.send(false, flag::ACK, &full);
    talk.send(false, PSH, b"HTTP/1.1 200 OK\r\n\r\nmore of it");
    assert_eq!(talk.copied(), [(RESPONSE, 1_448), (MORE, 29)]);
}

#[test]
fn messages_without_push() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n".to_vec();
    answer.resize(740, b'x');
    let mut talk = Talk::new(80, HTTP_ONLY);
    for _ in 0..3 {
        talk.send(true, flag::ACK, GET);
    }
    for _ in 0..3 {
        talk.send(false, flag::ACK, &answer);
    }
    assert_eq!(talk.copied(), [[(REQUEST, GET.len()); 3], [(RESPONSE, 512); 3]].concat());
    // What is not full ends a write behind full segments, too.
    let mut talk = Talk::new(80, HTTP_ONLY);
    talk.send(true, flag::ACK, GET);
    answer.resize(1_448, b'x');
    talk.send(false, flag::ACK, &answer);
    talk.send(false, flag::ACK, &[b'x'; 1_448]);
    talk.send(false, flag::ACK, &[b'x'; 100]);
    talk.send(false, flag::ACK, &answer);
    assert_eq!(talk.copied()[1..], [(RESPONSE, 512), (RESPONSE, 512)]);
}

#[test]
fn a_method_is_any_token() {
    for method in [
        "GET",
        "PROPFIND",
        "MKCALENDAR",
        "ACL",
        "CHECKOUT",
        "CHECKIN",
        "BASELINE-CONTROL",
        "LABEL",
        "UPDATE",
        "UNLINK",
        "UNBIND",
        "REBIND",
        "ORDERPATCH",
        "MKWORKSPACE",
        "UNCHECKOUT",
        "MKREDIRECTREF",
        "UPDATEREDIRECTREF",
        "VERSION-CONTROL",
        "QUERY",
        "BAN",
        "DEBUG",
        "SOURCE",
        "X-PING",
        "get",
        "BPROPFIND",
        "a",
        "CHECKUP",
        "ABCDEFGH",
    ] {
        let request = format!("{method} /x HTTP/1.1\r\n\r\n");
        let mut talk = Talk::new(80, HTTP_ONLY);
        talk.send(true, PSH, request.as_bytes());
        assert_eq!(talk.copied(), [(REQUEST, request.len())], "{method}");
    }
    for line in [
        "SSH-2.0-OpenSSH_9.9 / x\r\n",
        "EHLO mail.example.org\r\n",
        "220 mail / x ESMTP\r\n",
        "a b /xxxxxxxxxxx\r\n",
    ] {
        let mut talk = Talk::new(80, HTTP_ONLY);
        talk.send(true, PSH, line.as_bytes());
        assert_eq!(talk.copied(), [], "{line}");
    }
}

#[test]
fn empty_lines_before_a_message() {
    for blank in ["\r\n", "\r\n\r\n"] {
        for message in
            ["GET / HTTP/1.1\r\n\r\n", "ACL /x HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"]
        {
            let whole = format!("{blank}{message}");
            let mut talk = Talk::new(80, HTTP_ONLY);
            talk.send(true, PSH, whole.as_bytes());
            assert_eq!(talk.copied().len(), 1, "{whole:?}");
            assert_eq!(talk.copied()[0].1, whole.len());
        }
    }
}

#[test]
fn what_only_looks_like_http_is_not_called_so() {
    let said = |port, asked: &str, answer: &str| {
        let mut talk = Talk::new(port, KNOWN);
        talk.send(true, PSH, asked.as_bytes());
        talk.send(false, PSH, answer.as_bytes());
        talk.app()
    };
    for (port, asked, answer) in [
        (554, "OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
        (554, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
        (554, "GET_PARAMETER /cam RTSP/1.0\r\nCSeq: 1\r\n\r\n", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"),
        (5060, "SUBSCRIBE sip:bob@h SIP/2.0\r\nCSeq: 1\r\n\r\n", "SIP/2.0 489 Bad Event\r\n\r\n"),
        (1344, "OPTIONS icap://h/scan ICAP/1.0\r\n\r\n", "ICAP/1.0 200 OK\r\n\r\n"),
        (21, "RETR /pub/file-of-mine\r\n", "150 here it comes\r\n"),
        (21, "DELE /pub/file-of-mine\r\n", "250 gone\r\n"),
        (110, "DELE 1\r\n", "+OK\r\n"),
        (119, "POST\r\n", "340 go on\r\n"),
        (4222, "CONNECT {\"verbose\":false}\r\n", "+OK\r\n"),
        (6667, "NOTICE bob :hello\r\n", ":bob NOTICE alice :hello\r\n"),
    ] {
        assert_eq!(said(port, asked, answer), None, "{asked}");
    }
    for (asked, answer) in [
        ("GET / HTTP/1.1\r\n\r\n", ""),
        ("GET http://h/ HTTP/1.1\r\n\r\n", ""),
        ("OPTIONS * HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("ACL /x HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
        ("", "HTTP/1.1 200 OK\r\n\r\n"),
        ("", "ICY 200 OK\r\n\r\n"),
    ] {
        assert_eq!(said(80, asked, answer), Some(App::Http), "{asked}");
    }
}

#[test]
fn what_others_carry_is_theirs() {
    const GET: &[u8] = b"GET http://h/x HTTP/1.1\r\n\r\n";
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
    for asks_first in [true, false] {
        let mut talk = Talk::new(1344, KNOWN);
        if asks_first {
            talk.send(true, PSH, b"OPTIONS icap://h/scan ICAP/1.0\r\n\r\n");
            talk.send(false, PSH, b"ICAP/1.0 200 OK\r\n\r\n");
        }
        let before = talk.copied().len();
        for _ in 0..3 {
            talk.send(true, PSH, b"REQMOD icap://h/scan ICAP/1.0\r\n\r\n");
            talk.send(true, PSH, GET);
            talk.send(false, PSH, b"ICAP/1.0 200 OK\r\n\r\n");
            talk.send(false, PSH, OK);
        }
        talk.raw(true, flag::FIN | flag::ACK, 0, &[]);
        assert_eq!((talk.copied().len(), talk.app()), (before, None));
    }
    // A body of HTTP may begin with anything.
    let mut talk = Talk::new(80, KNOWN);
    talk.send(true, PSH, b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    talk.send(true, PSH, b"RTSP/1.0 200 OK\r\n\r\n");
    talk.send(false, PSH, OK);
    talk.send(true, PSH, GET);
    assert_eq!((talk.copied().len(), talk.app()), (3, Some(App::Http)));
}

#[test]
fn a_reset_behind_a_fin_is_told() {
    let mut talk = Talk::new(80, HTTP_ONLY);
    talk.send(true, PSH, b"POST / HTTP/1.1\r\nContent-Length: 9000\r\n\r\n");
    talk.send(true, flag::ACK, &[b'u'; 1_400]);
    talk.send(false, PSH, b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    talk.raw(false, flag::FIN | flag::ACK, 0, &[]);
    talk.raw(false, flag::FIN | flag::ACK, 0, &[]);
    talk.send(true, flag::ACK, &[b'u'; 1_400]);
    talk.raw(false, flag::RST, 1, &[]);
    talk.raw(false, flag::RST, 1, &[]);
    let ends: Vec<_> =
        talk.world.events.iter().filter(|(event, _)| event.kind == PayloadKind::End as u8).collect();
    assert_eq!(ends.len(), 2);
    // Without an acknowledgement it still says how far the other side had come.
    assert_eq!((u16::from(ends[1].0.tcp_flags), ends[1].0.ack), (flag::RST, talk.next[0]));
}
