//! What no client should send, and some do: each line stays one line of JSON, and the next pair right.

use flow_common::event::PayloadKind;

use super::kit::{Story, gist, line};
use crate::http::{HttpOptions, Query};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn ambiguous_framing_hides_no_request() {
    for (head, body) in [
        ("Content-Length: 4\r\nContent-Length: 40", "GET /smuggled HTTP/1.1\r\n\r\n"),
        ("Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
        ("Transfer-Encoding:\r\n chunked", "0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        ("Content-Length: 4, 5", "abcd"),
        ("Content-Length: -1", "abcd"),
        ("Content-Length: 0x10", "abcd"),
        ("Content-Length : 4", "abcd"),
        ("Content-Length: 99999999999999999999999", "abcd"),
    ] {
        let mut story = Story::default();
        story.client(format!("POST /a HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n{body}")).server(OK);
        story.client(NEXT).server(OK.replace("200", "201"));
        let out = gist(&story.finish());
        assert_eq!(out, ["POST /a 200 complete", "GET /next 201 complete"], "{head}");
    }
}

#[test]
fn bare_line_feeds_and_folds() {
    let mut story = Story::default();
    story.client("GET /a HTTP/1.1\nHost: h\nUser-Agent: a\n\tb\n\n").server(OK).client(NEXT).server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["GET /a 200 complete", "GET /next 200 complete"]);
    assert_eq!(out[0].user_agent.as_deref(), Some("a b"));
}

#[test]
fn odd_bytes_stay_one_line_of_json() {
    for query in [Query::Drop, Query::Keys, Query::Keep] {
        for odd in [&b"\0"[..], b"\xff\xfe", b"\x1b[31m", b"\xe2\x80\xa8", b"\"\\", b"\x7f", b"\xc3\xa4"] {
            let mut head = b"GET /".to_vec();
            for part in [
                &b"?"[..],
                b" HTTP/1.1\r\nHost: ",
                b"\r\nUser-Agent: ",
                b"\r\nReferer: http://",
                b"/\r\n\r\n",
            ] {
                head.extend_from_slice(odd);
                head.extend_from_slice(part);
            }
            let mut story = Story::query(query);
            story
                .client(&head)
                .server([&b"HTTP/1.1 200 "[..], odd, b"\r\nContent-Type: ", odd, b"\r\n\r\n"].concat());
            let out = story.finish();
            assert_eq!(out.len(), 1, "{odd:?}");
            assert_eq!(line(&out[0])["status"], 200, "{odd:?}");
            let text = serde_json::to_string(&out[0]).unwrap();
            assert!(!text.chars().any(char::is_control), "{text}");
        }
    }
}

#[test]
fn a_head_of_64_kilobytes_costs_its_limit() {
    let limit = HttpOptions::default().head_bytes as usize;
    let head = format!("GET /a HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(65_536));
    let mut story = Story::default();
    for (number, piece) in head.as_bytes().chunks(100).enumerate() {
        let kind = if number == 0 { PayloadKind::Request } else { PayloadKind::Continuation };
        story.raw(true, kind, story.client_seq, piece, 0);
        story.client_seq = story.client_seq.wrapping_add(piece.len() as u32);
        assert!(story.tracker.buffered() <= limit);
    }
    story.server(OK).client(NEXT).server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["GET /a 200 complete", "GET /next 200 complete"]);
    assert_eq!(out[0].request_bytes, Some(head.len() as u64));
}

#[test]
fn garbage_that_begins_like_a_request() {
    for garbage in
        [&b"GET \0\x01\x02\x03"[..], b"GET \xff\xff\xff\xff\r\n\r\n", b"HTTP/1.1\x00200", b"PRI \r\n\r\n"]
    {
        let mut story = Story::default();
        story.client(garbage).client_more([0xa5; 400]).fin(true).fin(false);
        assert_eq!(story.finish().len(), 0, "{garbage:?}");
        assert_eq!(story.tracker.connections(), 0);
    }
}
