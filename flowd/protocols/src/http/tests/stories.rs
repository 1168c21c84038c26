use flow_common::event::PayloadKind;

use super::kit::{MILLISECOND, SECOND, Story, gist, key, line};
use crate::http::{HttpOptions, Outcome, Query};

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn gists(story: &mut Story) -> Vec<String> {
    gist(&story.finish())
}

#[test]
fn a_plain_exchange_is_reported_with_its_response() {
    let mut story = Story::default();
    story.client("POST /p?token=x HTTP/1.1\r\nHost: h\r\nUser-Agent: curl/8\r\nReferer: http://r/?q\r\nContent-Length: 3\r\n\r\nabc");
    story.after(48 * MILLISECOND + 210_000);
    story.server(
        "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\nSet-Cookie: secret\r\n\r\n",
    );
    let out = story.finish();
    let value = line(&out[0]);
    let expected = serde_json::json!({
        "type": "http", "time": "1970-01-01T00:00:01.000000000Z",
        "client": {"address": "192.0.2.1", "port": 54102}, "server": {"address": "198.51.100.7", "port": 80},
        "iface": null, "method": "POST", "target": "/p", "host": "h", "version": "1.1",
        "user_agent": "curl/8", "referrer_host": "r", "content_type": "text/plain", "status": 201,
        "informational": [], "request_bytes": 101, "request_content_length": 3,
        "response_bytes": 60_093, "response_content_length": 60_000,
        "request_duration_us": 0.0, "response_time_us": 48_210.0, "response_duration_us": null,
        "think_time_us": null, "partial": false, "outcome": "complete", "server_rtt_us": null,
        "client_rtt_us": null, "retransmits": 0, "client_zone": null, "server_zone": null,
    });
    assert_eq!(value, expected);
    assert_eq!(out.len(), 1, "once");
}

#[test]
fn keep_alive_and_pipelining_pair_in_order() {
    let mut story = Story::default();
    story.client(GET).server(OK).client(get("/b") + &get("/c")).server(OK);
    story.server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(gists(&mut story), ["GET /a 200 complete", "GET /b 200 complete", "GET /c 404 complete"]);
}

#[test]
fn several_heads_in_one_copy() {
    let mut story = Story::default();
    let post = "POST /p HTTP/1.1\r\nContent-Length: 16\r\n\r\nGET /no HTTP/1.1";
    story.client(get("/a") + post + &get("/b"));
    story.server(
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n".to_owned() + OK,
    );
    story.server("HTTP/1.1 204 No Content\r\n\r\n");
    assert_eq!(gists(&mut story), ["GET /a 304 complete", "POST /p 100 200 complete", "GET /b 204 complete"]);
}

#[test]
fn bytes_behind_a_bodiless_head_must_be_a_message() {
    let mut story = Story::default();
    story.client(get("/a") + "garbage " + &get("/no")).server(OK);
    assert_eq!(gists(&mut story), ["GET /a 200 complete"]);
}

#[test]
fn head_responses_have_no_body() {
    let mut story = Story::default();
    story.client("HEAD /a HTTP/1.1\r\n\r\n".to_owned() + GET);
    story.server("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n".to_owned() + OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["HEAD /a 200 complete", "GET /a 200 complete"]);
    assert_eq!((out[0].response_bytes, out[0].response_content_length), (Some(41), Some(5000)));
}

#[test]
fn a_tunnel_and_an_upgrade_end_the_view() {
    let mut story = Story::default();
    story.client("CONNECT u:p@h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n");
    story.server("HTTP/1.1 200 Connection established\r\n\r\n").client(GET).server(OK);
    assert_eq!(gists(&mut story), ["CONNECT h:443 200 tunnel"]);

    let mut story = Story::default();
    story.client("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    story.server("HTTP/1.1 101 Switching Protocols\r\n\r\n").client(GET).server(OK);
    assert_eq!(gists(&mut story), ["GET /ws 101 upgraded"]);

    let mut story = Story::default();
    story
        .client("CONNECT h:443 HTTP/1.1\r\n\r\n")
        .server("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
        .client(GET);
    assert_eq!(gists(&mut story), ["CONNECT h:443 407 complete", "GET /a - no_response"]);
}

#[test]
fn heads_in_pieces() {
    for cut in 1..GET.len() {
        let (first, rest) = GET.split_at(cut);
        let mut story = Story::default();
        story.client(first).client_more(rest).server(&OK[..9]).server_more(&OK[9..]);
        assert_eq!(gists(&mut story), ["GET /a 200 complete"], "{cut}");
    }
}

#[test]
fn pieces_out_of_order_and_twice() {
    let mut story = Story::default();
    let start = story.client_seq;
    let at = |offset: u32| start.wrapping_add(offset);
    story.raw(true, PayloadKind::Request, at(0), b"GET /a", 0);
    story.raw(true, PayloadKind::Continuation, at(10), b"P/1.1\r\n", 0);
    story.raw(true, PayloadKind::Continuation, at(17), b"Host: h\r\n\r\n", 0);
    story.raw(true, PayloadKind::Continuation, at(4), b"/a HTTP/1", 0);
    story.raw(true, PayloadKind::Request, at(0), GET.as_bytes(), 0);
    let both = GET.to_owned() + "GET /b HTTP/1.1\r\n\r\n";
    story.raw(true, PayloadKind::Request, at(0), both.as_bytes(), 0);
    story.client_seq = at(both.len() as u32);
    story.server(OK).server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["GET /a 200 complete", "GET /b 200 complete"]);
    assert_eq!(out[0].host.as_deref(), Some("h"));
}

#[test]
fn retransmissions_are_logged_once() {
    let mut story = Story::default();
    let (client, server) = (story.client_seq, story.server_seq);
    story.client(GET);
    story.raw(true, PayloadKind::Request, client, GET.as_bytes(), 0);
    story.server(OK);
    story.raw(false, PayloadKind::Response, server, OK.as_bytes(), 0);
    story.fin(true).fin(false);
    story.raw(false, PayloadKind::Response, server, OK.as_bytes(), 0);
    assert_eq!(gists(&mut story), ["GET /a 200 complete"]);
}

#[test]
fn a_head_longer_than_the_copy() {
    let mut story = Story::with(HttpOptions { head_bytes: 64, ..HttpOptions::default() });
    let cookie = format!("Cookie: {}\r\nHost: late\r\n\r\n", "x".repeat(100));
    let whole = format!("GET /a HTTP/1.1\r\nUser-Agent: u\r\n{cookie}");
    story.client(&whole[..64]).client_unseen(100).server(OK).client(GET).server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["GET /a 200 complete", "GET /a 200 complete"]);
    assert_eq!(
        (out[0].user_agent.as_deref(), out[0].host.as_deref(), out[0].partial),
        (Some("u"), None, false)
    );
    assert_eq!(out[0].request_bytes, Some(164), "up to the next request");
}

#[test]
fn a_first_line_longer_than_the_copy_is_partial() {
    let mut story = Story::with(HttpOptions { head_bytes: 64, ..HttpOptions::default() });
    story.client("GET /".to_owned() + &"y".repeat(59)).client_unseen(500).server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), [format!("GET /{} 200 partial", "y".repeat(59))]);
    assert!(out[0].partial && out[0].version.is_none());
}

#[test]
fn the_answer_ends_a_head_under_way() {
    let mut story = Story::default();
    story.client("GET /a HTTP/1.1\r\nHost: h\r\nX: ").server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["GET /a 200 complete"]);
    assert_eq!(out[0].host.as_deref(), Some("h"));
}

#[test]
fn resets_and_ends() {
    let mut story = Story::default();
    story.client(GET).reset(false);
    assert_eq!(gist(&story.out), ["GET /a - reset"]);

    let mut story = Story::default();
    story.client(GET).fin(true).fin(false);
    assert_eq!(gist(&story.out), ["GET /a - no_response"]);

    let mut story = Story::default();
    story.client(GET).fin(true).server(OK).fin(false);
    assert_eq!(gist(&story.out), ["GET /a 200 complete"]);

    let mut story = Story::default();
    story.client(GET).server(OK).reset(true).server(OK);
    assert_eq!(gists(&mut story), ["GET /a 200 complete"]);
}

#[test]
fn timeouts() {
    let mut story = Story::default();
    story.client(GET).after(29 * SECOND).expire();
    assert!(story.out.is_empty());
    story.after(SECOND).expire();
    assert_eq!(gist(&story.out), ["GET /a - no_response"]);
    assert_eq!(story.tracker.connections(), 0);

    let mut story = Story::default();
    story.client("GET /a HT").after(30 * SECOND).expire();
    assert_eq!(gist(&story.out), ["GET /a - no_response"]);
    assert!(story.out[0].partial);
}

#[test]
fn a_late_answer_has_lost_its_request() {
    let mut story = Story::default();
    story.client(GET).after(20 * SECOND).client(get("/b")).after(10 * SECOND).expire();
    story.server(OK).server(OK);
    assert_eq!(gists(&mut story), ["GET /a - no_response", "GET /b 200 complete", "- - 200 no_request"]);
}

#[test]
fn a_capture_from_the_middle() {
    let mut story = Story::default();
    story.server("HTTP/1.1 100 Continue\r\n\r\n".to_owned() + OK).client(GET).server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["- - 100 200 no_request", "GET /a 200 complete"]);
    assert_eq!((out[0].head.time, out[0].version), (SECOND, Some("1.1")));
    assert_eq!(line(&out[0])["client"]["address"], "192.0.2.1");
}

#[test]
fn sizes_by_sequence_numbers() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello";
    let mut story = Story::default();
    story.client(GET).server(chunked).server_unseen(1000);
    assert!(story.out.is_empty(), "the size is still to be seen");
    story.client(GET).server(OK);
    assert_eq!(story.out[0].response_bytes, Some(chunked.len() as u64 + 1000));
    story.client(GET).server(chunked).server_unseen(7).fin(false);
    assert_eq!(story.out[2].response_bytes, Some(chunked.len() as u64 + 7));

    let mut story = Story::default();
    story.client(GET).server(chunked).after(5 * SECOND).expire();
    assert_eq!(gist(&story.out), ["GET /a 200 complete"]);
    assert_eq!(story.out[0].response_bytes, None);
}

#[test]
fn queries_and_user_info() {
    let target = |query| {
        let mut story = Story::query(query);
        story.client("GET http://user:pass@host/x?k=secret&l HTTP/1.1\r\n\r\n");
        let out = story.finish();
        (out[0].target.clone().unwrap(), out[0].host.clone().unwrap())
    };
    assert_eq!(target(Query::Drop), ("http://host/x".into(), "host".into()));
    assert_eq!(target(Query::Keys), ("http://host/x?k&l".into(), "host".into()));
    assert_eq!(target(Query::Keep), ("http://user:pass@host/x?k=secret&l".into(), "user:pass@host".into()));
}

#[test]
fn no_secret_of_any_header_is_logged() {
    let mut story = Story::default();
    story.client("GET /?SECRET HTTP/1.1\r\nHost: SECRET@h\r\nCookie: SECRET\r\nAuthorization: SECRET\r\nProxy-Authorization: SECRET\r\nReferer: http://SECRET@r/SECRET?SECRET\r\n\r\n");
    story
        .server("HTTP/1.1 302 Found\r\nSet-Cookie: SECRET\r\nLocation: /SECRET\r\nContent-Length: 0\r\n\r\n");
    let out = story.finish();
    assert!(!line(&out[0]).to_string().contains("SECRET"), "{:?}", out[0]);
}

#[test]
fn odd_shapes() {
    for (bytes, expected) in [
        ("GET /a HTTP/1.1\nHost: h\n\n", Some("GET /a - no_response")),
        ("get /a HTTP/1.1\r\n\r\n", Some("get /a - no_response")),
        ("get /old\r\n\r\n", None),
        ("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", None),
        ("OPTIONS sip:bob@example.org SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n", None),
        ("OPTIONS icap://h/scan ICAP/1.0\r\nHost: h\r\n\r\n", None),
        ("PROPFIND /a HTTP/1.1\r\n\r\n", Some("PROPFIND /a - no_response")),
        ("UPDATEREDIRECTREF /a HTTP/1.1\r\n\r\n", Some("UPDATEREDIRECTREF /a - no_response")),
        ("GET /old\r\n", None),
        ("GET /old\r\n\r\n", Some("GET /old - no_response")),
        ("GET /HTTP/1.1\r\nHost: h\r\n\r\n", Some("GET /HTTP/1.1 - no_response")),
        ("GET HTTP/1.1\r\nHost: h\r\n\r\n", Some("GET - - no_response")),
        ("BREW /old\r\n", None),
        ("OPTIONS * HTTP/1.1\r\n\r\n", Some("OPTIONS * - no_response")),
        ("BREW /pot HTTP/1.1\r\n\r\n", Some("BREW /pot - no_response")),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some("PRI * - upgraded")),
        ("\r\nGET /a HTTP/1.1\r\n\r\n", Some("GET /a - no_response")),
        ("\r\n\r\nGET /a HTTP/1.1\r\n\r\n", Some("GET /a - no_response")),
        ("GET /\u{e4} HTTP/1.1\r\n\r\n", Some("GET /%C3%A4 - no_response")),
        ("GET \u{1}\u{2}\u{3}\u{4} garbage", None),
    ] {
        let mut story = Story::default();
        story.client(bytes);
        assert_eq!(gists(&mut story), Vec::from_iter(expected), "{bytes:?}");
    }
}

#[test]
fn too_many_outstanding_requests() {
    let mut story = Story::with(HttpOptions { max_pending_per_flow: 2, ..HttpOptions::default() });
    story.client(get("/1") + &get("/2") + &get("/3"));
    assert_eq!(
        (gist(&story.out), story.tracker.losses().pipeline_full),
        (vec!["GET /1 - no_response".to_owned()], 1)
    );
    story.server(OK).server("HTTP/1.1 302 F\r\nContent-Length: 0\r\n\r\n");
    story.server("HTTP/1.1 303 F\r\nContent-Length: 0\r\n\r\n");
    let expected =
        ["GET /1 - no_response", "- - 200 no_request", "GET /2 302 complete", "GET /3 303 complete"];
    assert_eq!(gists(&mut story), expected);
}

#[test]
fn too_many_connections() {
    let mut story = Story::with(HttpOptions { max_connections: 2, ..HttpOptions::default() });
    for port in [1001, 1002, 1001, 1003] {
        story.key = key(port).0;
        story.after(1).client(get(&format!("/{port}")));
    }
    assert_eq!(
        (gist(&story.out), story.tracker.losses().evicted),
        (vec!["GET /1002 - no_response".to_owned()], 1)
    );
    assert_eq!(story.tracker.connections(), 2);
}

/// However what is outstanding is divided among connections.
#[test]
fn what_connections_hold_is_bounded_in_sum() {
    const MOST: usize = 256 << 10;
    for (connections, requests, length) in [(2_000_u16, 1, 10), (400, 64, 10), (2_000, 8, 300), (40, 64, 450)]
    {
        let mut story = Story::with(HttpOptions { max_bytes: MOST, ..HttpOptions::default() });
        let mut most = 0;
        for port in 1..=connections {
            story.key = key(port).0;
            for _ in 0..requests {
                story.client(get(&format!("/{}", "x".repeat(length))));
                // One connection may be beyond it.
                most = most.max(story.tracker.held());
            }
            assert!(story.tracker.held() <= MOST, "{} bytes", story.tracker.held());
        }
        assert!(most < MOST + (96 << 10), "{most} bytes");
        let evicted = story.tracker.losses().evicted as usize;
        assert_eq!(evicted + story.tracker.outstanding(), usize::from(connections) * requests);
        assert!(evicted > 0, "{connections} connections with {requests} requests of {length} bytes");
        assert_eq!(story.finish().len(), usize::from(connections) * requests);
    }
}

#[test]
fn the_same_ports_again() {
    let mut story = Story::default();
    story.client(GET).slot = 8;
    story.client_seq = story.client_seq.wrapping_sub(10);
    story.client(get("/b")).server(OK).fin(true).fin(false);
    story.client_seq = story.client_seq.wrapping_add(100_000);
    story.client(get("/c"));
    assert_eq!(gists(&mut story), ["GET /a - no_response", "GET /b 200 complete", "GET /c - no_response"]);
}

#[test]
fn a_refused_expectation_leaves_the_body_out() {
    let mut story = Story::default();
    story.client("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9999\r\n\r\n");
    story.server("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").client(GET).server(OK);
    assert_eq!(gists(&mut story), ["PUT /a 401 complete", "GET /a 200 complete"]);
}

#[test]
fn a_fin_with_the_data() {
    let mut story = Story::default();
    story.client(GET);
    story.raw(false, PayloadKind::Response, story.server_seq, b"HTTP/1.0 200 OK\r\n\r\nbody", 1);
    assert_eq!(story.out[0].outcome, Outcome::Complete);
    assert_eq!(story.out[0].response_bytes, Some(23));
}

#[test]
fn responses_beyond_the_copied_bytes_are_partial() {
    let mut story = Story::default();
    story.client(get("/a") + &get("/b") + &get("/c"));
    story.after(MILLISECOND).server_cut(OK.repeat(3), OK.len());
    story.after(MILLISECOND).client(get("/d"));
    let exchanges = story.finish();
    assert_eq!(
        gist(&exchanges),
        ["GET /a 200 complete", "GET /b - partial", "GET /c - partial", "GET /d - no_response"]
    );
    assert_eq!(exchanges.iter().map(|e| e.partial).collect::<Vec<_>>(), [false, true, true, false]);

    // A body that was not copied is no response to the next request.
    let mut story = Story::default();
    story.client(get("/a") + &get("/b"));
    story.after(MILLISECOND).server_cut(OK, OK.len() - 5).fin(false);
    assert_eq!(gists(&mut story), ["GET /a 200 complete", "GET /b - no_response"]);
}
