//! When messages begin and end, how many bytes they have, and what was cut.

use flow_common::event::PayloadKind;

use super::kit::{MILLISECOND, SECOND, Story, gist, line};
use crate::http::{HttpExchange, Outcome};

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const LONG: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Durations of request, wait and response, milliseconds.
fn times(exchange: &HttpExchange) -> [Option<u64>; 3] {
    [exchange.request_duration(), exchange.duration(), exchange.response_duration()]
        .map(|time| time.map(|time| time / MILLISECOND))
}

#[test]
fn whole_messages_in_one_segment_take_no_time() {
    let mut story = Story::default();
    story.client(GET).after(20 * MILLISECOND).server(OK);
    assert_eq!(times(&story.finish()[0]), [Some(0), Some(20), Some(0)]);
}

#[test]
fn the_next_request_tells_when_the_response_was_over() {
    for head in [LONG, CHUNKED] {
        let mut story = Story::default();
        story.client(GET).after(10 * MILLISECOND).server(head).after(7 * MILLISECOND).server_unseen(5000);
        story.after(300 * MILLISECOND).client(GET).after(MILLISECOND).server(OK);
        let out = story.finish();
        assert_eq!(times(&out[0]), [Some(0), Some(10), Some(7)], "{head}");
        assert_eq!(out[0].response_bytes, Some(5000 + head.len() as u64));
    }
}

#[test]
fn the_end_of_the_connection_tells_when_the_response_was_over() {
    for head in [LONG, CHUNKED] {
        for client_first in [true, false] {
            let mut story = Story::default();
            story.client(GET).after(10 * MILLISECOND).server(head).after(7 * MILLISECOND).server_unseen(5000);
            story.after(90 * MILLISECOND).fin(client_first).after(MILLISECOND).fin(!client_first);
            let out = story.finish();
            assert_eq!(times(&out[0]), [Some(0), Some(10), Some(7)], "{head} {client_first}");
            assert_eq!(out[0].outcome, Outcome::Complete);
        }
    }
}

#[test]
fn a_long_request_ends_before_its_response_begins() {
    for head in [
        "POST /a HTTP/1.1\r\nContent-Length: 9000\r\n\r\n",
        "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9000\r\n\r\n",
    ] {
        let mut story = Story::default();
        story.client(head).after(MILLISECOND).server("HTTP/1.1 100 Continue\r\n\r\n");
        story.after(30 * MILLISECOND).client_unseen(9000).after(20 * MILLISECOND).server(OK);
        let out = story.finish();
        assert_eq!(times(&out[0]), [Some(31), Some(51), Some(0)], "{head}");
        assert_eq!(gist(&out), ["POST /a 100 200 complete"]);
    }
}

#[test]
fn an_early_response_leaves_the_requests_end_open() {
    let mut story = Story::default();
    story.client("POST /a HTTP/1.1\r\nContent-Length: 9000\r\n\r\n").client_unseen(100);
    story.after(5 * MILLISECOND).server("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(times(&story.finish()[0]), [None, Some(5), Some(0)]);
}

#[test]
fn an_idle_connection_is_asked_for_its_record() {
    for head in [LONG, CHUNKED] {
        let mut story = Story::default();
        story.client(GET).after(10 * MILLISECOND).server(head).after(7 * MILLISECOND).server_unseen(5000);
        story.after(4 * SECOND).recorded().expire();
        assert!(story.out.is_empty());
        story.after(2 * SECOND).expire();
        assert_eq!(times(&story.out[0]), [Some(0), Some(10), Some(7)], "{head}");
        assert_eq!(story.out[0].response_bytes, Some(5000 + head.len() as u64));
    }
}

#[test]
fn a_body_under_way_is_waited_for_within_limits() {
    let mut story = Story::default();
    story.client(GET).server(LONG);
    for _ in 0..4 {
        story.after(4 * SECOND).server_unseen(1000).recorded().expire();
        assert!(story.out.is_empty());
    }
    story.after(SECOND).server_unseen(1000).after(5 * SECOND).recorded().expire();
    assert_eq!(times(&story.out[0]), [Some(0), Some(0), Some(17_000)]);

    let mut story = Story::default();
    story.client(GET).server(CHUNKED);
    for _ in 0..10 {
        story.after(3 * SECOND).server_unseen(1000).recorded().expire();
    }
    assert_eq!(times(&story.out[0]), [Some(0), Some(0), None], "30 seconds are enough");
    assert_eq!(story.out[0].response_bytes, None);
}

#[test]
fn a_record_of_another_connection_says_nothing() {
    let mut story = Story::default();
    story.client(GET).server(LONG).after(MILLISECOND).server_unseen(5000).recorded();
    story.progress.as_mut().unwrap().key = super::kit::key(1).0;
    story.after(6 * SECOND).expire();
    assert_eq!(times(&story.out[0]), [Some(0), Some(0), None]);
}

#[test]
fn a_known_exchange_stays_for_what_is_sent_again() {
    let mut story = Story::default();
    story.client(GET).server(OK);
    story.after(900 * MILLISECOND).expire();
    assert!(story.out.is_empty());
    story.retransmits += 2;
    story.recorded().after(200 * MILLISECOND).expire();
    assert_eq!(story.out[0].retransmits, 2);
}

#[test]
fn retransmits_count_for_their_own_exchange() {
    let mut story = Story::default();
    story.retransmits = u16::MAX - 1;
    story.client(GET);
    story.retransmits = 3;
    story.after(MILLISECOND).server(OK);
    story.retransmits = 4;
    story.after(MILLISECOND).client(GET).after(MILLISECOND).server(OK).fin(true);
    story.retransmits = 9;
    let out = story.finish();
    assert_eq!(out.iter().map(|e| e.retransmits).collect::<Vec<_>>(), [6, 0]);
    assert_eq!(line(&out[0])["retransmits"], 6);
}

#[test]
fn the_acknowledgement_of_a_request_is_told_from_others() {
    let mut story = Story::default();
    story.client(GET).after(3 * MILLISECOND).server_acknowledges().after(20 * MILLISECOND).server(OK);
    // Here it came with the response.
    story.after(MILLISECOND).client(GET).after(20 * MILLISECOND).server(OK);
    let out = story.finish();
    assert_eq!(out[0].acknowledged, Some(SECOND + 3 * MILLISECOND));
    assert_eq!(out[1].acknowledged, None);
}

#[test]
fn a_cut_body_is_not_complete() {
    let mut story = Story::default();
    story.client(GET).server(LONG).server_unseen(1000).fin(false).fin(true);
    let out = story.finish();
    assert_eq!(gist(&out), ["GET /a 200 partial"]);
    let bytes = (out[0].response_bytes, out[0].response_content_length, out[0].partial);
    assert_eq!(bytes, (Some(1000 + LONG.len() as u64), Some(5000), false));

    for by_client in [true, false] {
        let mut story = Story::default();
        story.client(GET).server(LONG).server_unseen(1000).reset(by_client);
        let out = story.finish();
        assert_eq!(gist(&out), ["GET /a 200 reset"], "{by_client}");
        assert_eq!(out[0].response_bytes, Some(1000 + LONG.len() as u64));
    }

    let mut story = Story::default();
    story.client(GET).server(LONG).server_unseen(5000).reset(true);
    assert_eq!(gist(&story.finish()), ["GET /a 200 complete"], "it was over");

    let mut story = Story::default();
    story.client("PUT /a HTTP/1.1\r\nContent-Length: 99\r\n\r\nabc").fin(true);
    story.server("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n").fin(false);
    let out = story.finish();
    assert_eq!(gist(&out), ["PUT /a 400 partial"]);
    assert_eq!(out[0].request_bytes, Some(42));
}

#[test]
fn an_answer_comes_as_late_as_it_likes() {
    let mut story = Story::default();
    story.client(GET);
    // Other flows' packets have the tracker look at the time.
    for _ in 0..70 {
        story.after(SECOND).recorded().expire();
    }
    story.server(OK);
    let out = story.finish();
    assert_eq!(gist(&out), ["GET /a 200 complete"]);
    assert_eq!(times(&out[0])[1], Some(70_000));

    // Neither does the end of its head, or the next request on an idle connection.
    let mut story = Story::default();
    story.client("GET /a HTTP/1.1\r\nHost: ").after(40 * SECOND).recorded().expire();
    story.client_more("h\r\n\r\n").server(OK).after(200 * SECOND).recorded().expire();
    assert_eq!(story.tracker.connections(), 1);
    story.client(GET).server(OK);
    assert_eq!(gist(&story.finish()), ["GET /a 200 complete", "GET /a 200 complete"]);
}

#[test]
fn the_wait_ends_with_the_flow() {
    let mut story = Story::default();
    story.client(GET).after(40 * SECOND).recorded().expire();
    assert!(story.out.is_empty());
    story.progress.as_mut().unwrap().lives = false;
    story.after(30 * SECOND).expire();
    assert_eq!(gist(&story.out), ["GET /a - no_response"]);
    assert_eq!(story.tracker.connections(), 0);
}

#[test]
fn an_upload_that_is_cut_behind_its_answer() {
    const POST: &str = "POST /a HTTP/1.1\r\nContent-Length: 9000\r\n\r\n";
    const NO: &str = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
    // The server closes, then resets; the client closes; the client resets; the server resets at once.
    let ends: [fn(&mut Story); 4] = [
        |story| _ = story.fin(false).after(MILLISECOND).reset(false),
        |story| _ = story.fin(false).after(MILLISECOND).fin(true),
        |story| _ = story.fin(false).after(MILLISECOND).reset(true),
        |story| _ = story.reset(false),
    ];
    for end in ends {
        for waits in [0, 20] {
            let mut story = Story::default();
            story.client(POST).client_unseen(100).after(MILLISECOND).server(NO).client_unseen(200);
            for _ in 0..waits {
                story.after(SECOND).recorded().expire();
            }
            end(&mut story);
            let out = story.finish();
            assert_eq!(gist(&out), ["POST /a 413 partial"]);
            assert_eq!(out[0].request_bytes, Some(POST.len() as u64 + 300));
        }
    }
    // Chunks do not tell their end; that they went on behind the answer does.
    for late in [true, false] {
        let mut story = Story::default();
        story.client("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").client_unseen(100).server(NO);
        story.client_unseen(if late { 200 } else { 0 }).fin(false).reset(false);
        assert_eq!(
            gist(&story.finish()),
            [if late { "POST /a 413 partial" } else { "POST /a 413 complete" }]
        );
    }
    // All of it comes in the end.
    let mut story = Story::default();
    story.client(POST).client_unseen(100).server(NO).after(9 * SECOND).recorded().expire();
    assert!(story.out.is_empty());
    story.client_unseen(8_900).after(2 * SECOND).recorded().expire();
    assert!(story.out.is_empty());
    story.after(9 * SECOND).recorded().expire();
    assert_eq!(gist(&story.out), ["POST /a 413 complete"]);
    assert_eq!(times(&story.out[0]), [Some(9_000), Some(0), Some(0)]);
}

#[test]
fn a_stalled_response_is_waited_for() {
    let mut story = Story::default();
    story.client(GET).server(LONG).server_unseen(1_000);
    for _ in 0..50 {
        story.after(SECOND).recorded().expire();
    }
    assert!(story.out.is_empty());
    story.reset(false);
    assert_eq!(gist(&story.out), ["GET /a 200 reset"]);
}

#[test]
fn a_preface_of_http_2_ends_the_view() {
    let mut story = Story::default();
    story.client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_eq!(gist(&story.out), ["PRI * - upgraded"]);
    story.client(GET).server(OK);
    assert_eq!(story.finish().len(), 1);
    let mut story = Story::default();
    story.raw(true, PayloadKind::Request, story.client_seq, b"PRI * HTTP/2.0\r\n", 0);
    assert_eq!(gist(&story.finish()).len(), 1);
}
