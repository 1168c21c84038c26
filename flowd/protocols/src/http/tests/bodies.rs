//! Bodies that look like messages, where nothing in the copied bytes tells their end.

use super::kit::{MILLISECOND, SECOND, Story, gist};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "Transfer-Encoding: chunked";

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn post(field: &str) -> String {
    format!("POST /up HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n")
}

#[test]
fn chunks_that_look_like_requests() {
    let mut story = Story::default();
    let start = story.client_seq;
    story.client(post(CHUNKED));
    for chunk in [get("/no"), post("Content-Length: 3"), get("/nor-this")] {
        story.client_unseen(4).client(chunk).client_unseen(2);
    }
    story.client_unseen(5).after(MILLISECOND).server(OK);
    let sent = story.client_seq.wrapping_sub(start);
    story.client(get("/next")).server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["POST /up 200 complete", "GET /next 200 complete"]);
    assert_eq!(out[0].request_bytes, Some(u64::from(sent)));
}

#[test]
fn chunks_behind_an_interim_response() {
    for field in
        ["Expect: 100-continue\r\nTransfer-Encoding: chunked", "Expect: 100-continue\r\nContent-Length: 9999"]
    {
        let mut story = Story::default();
        story.client(post(field)).server("HTTP/1.1 100 Continue\r\n\r\n");
        story.client_unseen(4).client(get("/no")).client_unseen(2).server(OK);
        assert_eq!(gist(&story.finish()), ["POST /up 100 200 complete"], "{field}");
    }
    // Refused: the body stays away.
    let mut story = Story::default();
    story.client(post("Expect: 100-continue\r\nContent-Length: 9999"));
    story.server("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n").client(get("/next")).server(OK);
    assert_eq!(gist(&story.finish()), ["POST /up 417 complete", "GET /next 200 complete"]);
}

#[test]
fn requests_pipelined_behind_chunks() {
    let mut story = Story::default();
    let start = story.client_seq;
    story.client(post(CHUNKED)).client_unseen(500);
    let sent = story.client_seq.wrapping_sub(start);
    story.client(get("/b")).client(get("/c"));
    story.server(OK).server(OK.replace("200", "201")).server(OK.replace("200", "202"));
    story.client(get("/d")).server(OK);
    let out = story.finish();
    assert_eq!(
        gist(&out),
        ["POST /up 200 complete", "GET /b 201 complete", "GET /c 202 complete", "GET /d 200 complete"]
    );
    assert_eq!(out[0].request_bytes, Some(u64::from(sent)));
}

#[test]
fn what_was_suspected_is_bounded() {
    let mut story = Story::default();
    story.client(post(CHUNKED));
    for number in 0..100 {
        story.client(get(&format!("/{number}")));
    }
    assert_eq!(story.tracker.outstanding(), 1);
    story.server(OK);
    assert_eq!(gist(&story.finish()), ["POST /up 200 complete"]);
}

#[test]
fn a_response_body_that_looks_like_responses() {
    for head in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
    ] {
        let mut story = Story::default();
        story.client(get("/log")).server(head);
        for line in ["HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 500 Oh\r\n\r\n"] {
            story.after(MILLISECOND).server_unseen(4).server(line);
        }
        let received = story.server_seq;
        story.client(get("/next")).server(OK);
        let out = story.finish();
        assert_eq!(gist(&out), ["GET /log 200 complete", "GET /next 200 complete"], "{head}");
        assert!(out[0].response_bytes > Some(head.len() as u64 + 8), "{received}");
    }
}

/// The answers to pipelined requests, and what a server says of itself when it has waited long enough.
#[test]
fn responses_behind_a_chunked_one() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut story = Story::default();
    story.client(get("/a")).client(get("/b"));
    story.server(chunked).server_unseen(100).server(chunked.replace("200", "201"));
    story.after(20 * SECOND).server("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n").fin(false);
    assert_eq!(gist(&story.finish()), ["GET /a 200 complete", "GET /b 201 complete", "- - 408 no_request"]);
}

#[test]
fn shoutcast() {
    let mut story = Story::default();
    story.client(get("/stream")).server("ICY 200 OK\r\nicy-name: x\r\nContent-Type: audio/mpeg\r\n\r\n");
    story.server_unseen(4_000).fin(false).fin(true);
    let out = story.finish();
    assert_eq!(gist(&out), ["GET /stream 200 complete"]);
    assert_eq!((out[0].content_type.as_deref(), out[0].version), (Some("audio/mpeg"), Some("1.1")));
}
