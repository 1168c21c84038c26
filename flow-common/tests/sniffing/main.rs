//! Which payload of HTTP, DNS and TLS is copied, and that no other is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod dns;
mod hellos;
mod http;
#[path = "../support/mod.rs"]
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
