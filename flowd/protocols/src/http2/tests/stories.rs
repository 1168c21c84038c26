//! Connections that are seen from their beginning to their end.

use std::sync::Arc;

use super::kit::{
    BOTH, Client, END_HEADERS, END_STREAM, Server, block, exchange, frame, get, gist, gist_from_start,
    headers, line, options, prefaces, request, response, start, started,
};
use crate::{
    Query,
    http::HttpKeys,
    http2::{dialect::Http2, frame::PREFACE, streams},
};

#[test]
fn each_stream_is_a_line() {
    let lines = gist(&[
        (Client, [get(1, "/a"), get(3, "/b")].concat()),
        (Server, response(BOTH, 3, "404")),
        (Server, [response(END_HEADERS, 1, "200"), frame(0, 0, 1, b"body")].concat()),
        (Client, get(5, "/c")),
        (Server, [frame(0, END_STREAM, 1, b"more"), response(BOTH, 5, "204")].concat()),
    ]);
    let wanted = ["GET /b 404 complete 2-3", "GET /a 200 complete 2-4", "GET /c 204 complete 5-6"];
    assert_eq!(lines, wanted);
}

#[test]
fn interim_responses_and_trailers() {
    let lines = gist(&[
        (Client, request(END_HEADERS, 1, "POST", "/p.S/M")),
        (Server, response(END_HEADERS, 1, "103")),
        (Client, frame(0, END_STREAM, 1, b"\0\0\0\0\0")),
        (Server, response(END_HEADERS, 1, "200")),
        (Server, frame(0, 0, 1, b"\0\0\0\0\0")),
        (Server, headers(BOTH, 1, &[("grpc-status", "5"), ("grpc-message", "x")])),
    ]);
    assert_eq!(lines, ["POST /p.S/M [103] 200 grpc 5 complete 2-5"]);
    let lines = gist(&[
        (Client, request(END_HEADERS, 1, "POST", "/p.S/M")),
        (Server, headers(BOTH, 1, &[(":status", "200"), ("grpc-status", "12")])),
        // The server needs no more; the client had not heard yet.
        (Client, frame(0, 0, 1, b"\0\0\0\0\0")),
        (Client, frame(3, 0, 1, &[0, 0, 0, 8])),
    ]);
    assert_eq!(lines, ["POST /p.S/M 200 grpc 12 complete 2-3"]);
}

/// Shown where it is asked for only, also where a later block refers to it; of two there is none.
#[test]
fn the_trace_is_shown_on_demand() {
    const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
    let request = |fields: &[(&str, &str)]| {
        let all = [&[(":method", "GET"), (":path", "/")], fields].concat();
        [(Client, headers(BOTH, 1, &all)), (Server, response(BOTH, 1, "200"))]
    };
    let shown = |trace_context, parts: &[_]| {
        let keys = Arc::new(HttpKeys { trace_context, ..HttpKeys::default() });
        let line = line(Box::new(Http2::new(&options(Query::Drop, keys))), parts);
        ["trace_id", "span_id"].map(|name| line.get(name).map(|id| id.as_str().unwrap().to_owned()))
    };
    let ids = ["0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7"].map(|id| Some(id.to_owned()));
    assert_eq!(shown(true, &request(&[("+traceparent", TRACE)])), ids);
    assert_eq!(shown(true, &request(&[("traceparent", TRACE), ("traceparent", TRACE)])), [None, None]);
    assert_eq!(shown(true, &request(&[("traceparent", "00-0-0-0")])), [None, None]);
    assert_eq!(shown(false, &request(&[("+traceparent", TRACE)])), [None, None]);
    let mut again = request(&[("+traceparent", TRACE)]);
    // The one entry that was inserted, twice.
    again[0].1 = headers(BOTH, 1, &[(":method", "GET"), ("+traceparent", TRACE)]);
    let repeated = frame(1, BOTH, 3, &[0x82, 0x84, 0xbe]);
    let parts: Vec<_> = prefaces().into_iter().chain(again).chain([(Client, repeated)]).collect();
    let borrowed: Vec<_> = parts.iter().map(|(side, bytes)| (*side, bytes.as_slice())).collect();
    let keys = Arc::new(HttpKeys { trace_context: true, ..HttpKeys::default() });
    let lines =
        crate::conversation::kit::records(Box::new(Http2::new(&options(Query::Drop, keys))), &borrowed);
    assert!(lines.len() == 2 && lines.iter().all(|line| line["span_id"] == "00f067aa0ba902b7"), "{lines:#?}");
}

#[test]
fn either_sides_content_type_tells_grpc() {
    let is_grpc = |asked: &str, answered: &str| {
        let request = [(":method", "POST"), (":path", "/p.S/M"), ("content-type", asked)];
        let response = [(":status", "200"), ("content-type", answered), ("grpc-status", "0")];
        let parts = [(Client, headers(BOTH, 1, &request)), (Server, headers(BOTH, 1, &response))];
        exchange(&parts).is_grpc
    };
    for kind in ["application/grpc", "application/grpc+proto", "application/grpc;v=1"] {
        assert!(is_grpc(kind, "text/html") && is_grpc("x", kind), "{kind}");
    }
    for kind in ["application/grpc-web", "application/grpcs", "application/json", ""] {
        assert!(!is_grpc(kind, kind), "{kind}");
    }
}

#[test]
fn either_side_gives_a_stream_up() {
    let lines = gist(&[
        (Client, [get(1, "/a"), get(3, "/b"), get(5, "/c"), get(7, "/d")].concat()),
        (Server, [response(END_HEADERS, 1, "200"), frame(3, 0, 3, &[0; 4])].concat()),
        (Client, frame(3, 0, 1, &[0, 0, 0, 8])),
        (Server, response(BOTH, 1, "200")),
        (Server, frame(7, 0, 0, &[0, 0, 0, 5, 0, 0, 0, 0])),
        (Server, response(BOTH, 5, "200")),
    ]);
    let wanted =
        ["GET /b - reset 2", "GET /a 200 reset 2-3", "GET /d - no_response 2", "GET /c 200 complete 2-7"];
    assert_eq!(lines, wanted);
}

#[test]
fn what_is_open_at_the_end_is_told() {
    let lines = gist(&[
        (Client, [get(1, "/a"), get(3, "/b"), request(END_HEADERS, 5, "PUT", "/c")].concat()),
        (Server, response(END_HEADERS, 3, "200")),
        (Server, response(BOTH, 5, "413")),
    ]);
    assert_eq!(lines, ["GET /a - no_response 2", "GET /b 200 partial 2-3", "PUT /c 413 complete 2-4"]);
}

#[test]
fn header_blocks_go_on_in_other_frames() {
    let fields = block(&[("+:method", "GET"), ("+:path", "/long"), ("x", "y"), ("+:authority", "h")]);
    let (first, rest) = fields.split_at(5);
    let (second, third) = rest.split_at(9);
    // Padded, with priority.
    let padded = [&[3][..], &[0x80, 0, 0, 0, 7], first, &[0; 3]].concat();
    let lines = gist(&[
        (Client, frame(1, END_STREAM | 0x28, 1, &padded)),
        (Client, [frame(9, 0, 1, second), frame(9, END_HEADERS, 1, third)].concat()),
        (Client, frame(1, BOTH, 3, &[0xc0, 0xbf, 0xbe])),
        (Server, [response(BOTH, 1, "200"), response(BOTH, 3, "200")].concat()),
    ]);
    assert_eq!(lines, ["GET /long 200 complete 2-5", "GET /long 200 complete 4-5"]);
}

#[test]
fn pushed_streams_have_no_line_but_their_blocks_count() {
    let promise = [&[0, 0, 0, 2][..], &block(&[("+:status", "203"), (":path", "/pushed")])].concat();
    let lines = gist(&[
        (Client, get(1, "/a")),
        (Server, [frame(5, END_HEADERS, 1, &promise), frame(1, END_HEADERS, 1, &[0xbe])].concat()),
        (Server, [response(BOTH, 2, "200"), frame(0, END_STREAM, 1, b"")].concat()),
    ]);
    assert_eq!(lines, ["GET /a 203 complete 2-3"]);
}

#[test]
fn data_is_passed_over() {
    let like_frames = get(9, "/no");
    let lines = gist(&[
        (Client, [request(END_HEADERS, 1, "POST", "/a"), frame(0, END_STREAM | 8, 1, &[7; 300])].concat()),
        (Server, [response(END_HEADERS, 1, "200"), frame(0, END_STREAM, 1, &like_frames)].concat()),
    ]);
    assert_eq!(lines, ["POST /a 200 complete 2-3"]);
}

#[test]
fn an_upgrade_leads_to_frames() {
    let asked = "GET /up HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    let settings = frame(4, 0, 0, &[]);
    let lines = gist_from_start(&[
        (Client, asked.into()),
        (Server, [b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n".as_slice(), &settings].concat()),
        (Server, response(BOTH, 1, "200")),
        (Client, [PREFACE, &settings, &get(3, "/a")].concat()),
        (Server, response(BOTH, 3, "200")),
    ]);
    assert_eq!(lines, ["GET /a 200 complete 3-4"]);
}

#[test]
fn a_response_may_be_captured_before_its_request() {
    let lines = gist(&[
        (Client, get(1, "/a")),
        (Server, [response(BOTH, 1, "200"), response(BOTH, 3, "200")].concat()),
        (Client, get(3, "/b")),
        (Server, response(BOTH, 5, "200")),
    ]);
    assert_eq!(lines, ["GET /a 200 complete 2-3", "GET /b 200 complete 4"]);
}

#[test]
fn a_connect_becomes_a_tunnel() {
    let fields = [(":method", "CONNECT"), (":authority", "u:p@h:443")];
    let line = line(
        start(),
        &[
            (Client, headers(END_HEADERS, 1, &fields)),
            (Server, response(END_HEADERS, 1, "200")),
            (Client, frame(0, 0, 1, b"x")),
        ],
    );
    assert_eq!(
        (&line["outcome"], &line["host"], &line["target"]),
        (&"tunnel".into(), &"h:443".into(), &().into())
    );
}

#[test]
fn a_line_has_what_the_frames_tell() {
    let asked = headers(
        END_HEADERS,
        1,
        &[
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/a?token=secret&b=c"),
            ("host", "h:80"),
            ("user-agent", "tests/1"),
            ("referer", "http://u:p@ref/x"),
            ("content-length", "4"),
            ("cookie", "secret"),
        ],
    );
    let answered = headers(
        END_HEADERS,
        1,
        &[(":status", "201"), ("content-type", "text/plain"), ("content-length", "5"), ("grpc-status", "1")],
    );
    let (asked_bytes, answered_bytes) = (asked.len() + 13, answered.len() + 14);
    let parts = [
        (Client, asked),
        (Client, frame(0, END_STREAM, 1, b"body")),
        (Server, answered),
        (Server, frame(0, END_STREAM, 1, b"bytes")),
    ];
    let line = line(start(), &parts);
    for (name, wanted) in [
        ("method", serde_json::json!("POST")),
        ("target", "/a".into()),
        ("host", "h:80".into()),
        ("user_agent", "tests/1".into()),
        ("referrer_host", "ref".into()),
        ("content_type", "text/plain".into()),
        ("status", 201.into()),
        ("grpc_status", ().into()),
        ("request_bytes", asked_bytes.into()),
        ("response_bytes", answered_bytes.into()),
        ("request_content_length", 4.into()),
        ("response_content_length", 5.into()),
        ("request_duration_us", 0.001.into()),
        ("response_time_us", 0.002.into()),
        ("response_duration_us", 0.001.into()),
        ("partial", false.into()),
    ] {
        assert_eq!(line[name], wanted, "{name}");
    }
    assert!(!line.to_string().contains("secret"));
    assert_eq!(super::kit::line(started(Query::Keys), &parts)["target"], "/a?token&b");
    assert_eq!(super::kit::line(started(Query::Keep), &parts)["target"], "/a?token=***&b=c");
    let keys = HttpKeys { templates: vec!["/{any}".to_owned()], ..HttpKeys::default() };
    let keyed = Http2::new(&options(Query::Drop, Arc::new(keys)));
    assert_eq!(super::kit::line(Box::new(keyed), &parts)["target"], "/{any}");
}

#[test]
fn open_streams_are_bounded() {
    let asked: Vec<u8> = (0..2_000).flat_map(|at| get(2 * at + 1, "/a")).collect();
    let answered = [response(BOTH, 1, "200"), response(BOTH, 3_999, "200")].concat();
    let lines = gist(&[(Client, asked), (Server, answered)]);
    assert_eq!(lines.len(), 2_000);
    assert_eq!(lines.iter().filter(|line| line.contains("200 complete")).count(), 1);
    assert!(lines[2_000 - streams::MOST].contains("complete") && lines[0].contains("no_response"));
}
