//! Copies that were lost, or hidden behind the copied bytes: the pairs around them stay right.

use flow_common::event::PayloadKind;

use super::kit::{MILLISECOND, Story, gist};
use crate::http::HttpOptions;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")
}

fn status(status: u16) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n")
}

fn chunked(status: u16) -> String {
    CHUNKED.replace("200", &status.to_string())
}

fn gists(story: &mut Story) -> Vec<String> {
    gist(&story.finish())
}

#[test]
fn a_lost_response_costs_its_own_line_only() {
    // With and without a length that tells where the next response begins.
    for answer in [status, chunked] {
        let mut story = Story::default();
        story.client(get("/a")).server(answer(201));
        story.client(get("/b")).losing(|story| {
            story.server(answer(202));
        });
        story.client(get("/c")).server(answer(203)).client(get("/d")).server(answer(204));
        let out = story.finish();
        assert_eq!(
            gist(&out),
            ["GET /a 201 complete", "GET /b - partial", "GET /c 203 complete", "GET /d 204 complete"]
        );
        assert!(out[1].partial);
    }
}

#[test]
fn a_lost_first_response() {
    let mut story = Story::default();
    story.client(get("/a")).losing(|story| {
        story.server(chunked(201));
    });
    story.client(get("/b")).server(chunked(202));
    // The first copy of the server tells that it is not its first.
    assert_eq!(gists(&mut story), ["GET /a - partial", "GET /b 202 complete"]);
}

/// A copy that the packet path never made leaves no gap in the numbers.
#[test]
fn a_response_that_nobody_copied() {
    for answer in [status, chunked] {
        let mut story = Story::default();
        story.client(get("/a")).server_unseen(20_000);
        story.client(get("/b")).server(answer(202)).client(get("/c")).server(answer(203));
        assert_eq!(gists(&mut story), ["GET /a - partial", "GET /b 202 complete", "GET /c 203 complete"]);
    }
}

/// The client had got an interim response to the first, and had not yet the final one.
#[test]
fn a_request_behind_an_interim_response() {
    let mut story = Story::default();
    story.client(get("/a")).server("HTTP/1.1 103 Early Hints\r\n\r\n").client(get("/b"));
    story.server(status(201)).server(status(202));
    assert_eq!(gists(&mut story), ["GET /a 103 201 complete", "GET /b 202 complete"]);
}

#[test]
fn a_lost_request_leaves_a_response_alone() {
    for answer in [status, chunked] {
        let mut story = Story::default();
        story.client(get("/a")).server(answer(201));
        story.losing(|story| {
            story.client(get("/b"));
        });
        story.server(answer(202)).client(get("/c")).server(answer(203));
        assert_eq!(gists(&mut story), ["GET /a 201 complete", "- - 202 no_request", "GET /c 203 complete"]);
    }
}

#[test]
fn a_lost_exchange_is_not_seen_in_others() {
    let mut story = Story::default();
    story.client(get("/a")).server(status(201));
    story.losing(|story| {
        story.client(get("/b")).server(status(202));
    });
    story.client(get("/c")).server(status(203)).client(get("/d")).server(status(204));
    assert_eq!(gists(&mut story), ["GET /a 201 complete", "GET /c 203 complete", "GET /d 204 complete"]);
}

#[test]
fn a_response_to_a_lost_request_is_not_that_of_the_one_before() {
    let mut story = Story::default();
    story.client(get("/a"));
    story.losing(|story| {
        story.server(status(201)).client(get("/b"));
    });
    story.server(status(202)).client(get("/c")).server(status(203));
    assert_eq!(gists(&mut story), ["GET /a - partial", "- - 202 no_request", "GET /c 203 complete"]);
}

#[test]
fn a_lost_request_at_the_front_of_a_pipeline() {
    let mut story = Story::default();
    story.client(get("/0")).server(status(200));
    story.losing(|story| {
        story.client(get("/a"));
    });
    story.client(get("/b")).server(status(201)).server(status(202));
    story.client(get("/c")).server(status(203));
    let out = gists(&mut story);
    assert!(!out.iter().any(|line| line.starts_with("GET /b 201")), "{out:?}");
    assert_eq!(out.last().unwrap(), "GET /c 203 complete");
}

#[test]
fn a_lost_response_in_a_pipeline_pairs_nothing_wrongly() {
    for lost in 0..4 {
        for answer in [status, chunked] {
            let mut story = Story::default();
            for target in ["/0", "/1", "/2", "/3"] {
                story.client(get(target));
            }
            for number in 0..4 {
                story.full = number == lost;
                story.server(answer(200 + number));
            }
            story.full = false;
            story.client(get("/4")).server(answer(204)).client(get("/5")).server(answer(205));
            let out = story.finish();
            for exchange in &out {
                if let (Some(target), Some(status)) = (&exchange.target, exchange.status) {
                    assert_eq!(target, &format!("/{}", status - 200), "{lost}: {:?}", gist(&out));
                }
            }
            assert_eq!(gist(&out).last().unwrap(), "GET /5 205 complete", "{lost}");
            // Known lengths tell at once where the next response begins.
            let four = gist(&out).contains(&"GET /4 204 complete".to_owned());
            assert!(four || answer(200).contains("chunked"), "{lost}: {:?}", gist(&out));
            for number in 0..lost {
                assert_eq!(
                    gist(&out)[usize::from(number)],
                    format!("GET /{number} {} complete", 200 + number)
                );
            }
        }
    }
}

#[test]
fn responses_hidden_behind_the_copy_do_not_shift_the_next() {
    let mut story = Story::default();
    story.client(get("/a") + &get("/b"));
    // The second one lies behind the copied bytes of a response without a known length.
    story.server_cut(chunked(200) + "1\r\nx\r\n0\r\n\r\n" + &status(201), chunked(200).len());
    story.client(get("/c")).server(status(202)).client(get("/d")).server(status(203));
    let out = gists(&mut story);
    assert!(!out.iter().any(|line| line.starts_with("GET /b 20")), "{out:?}");
    assert_eq!(out[out.len() - 1], "GET /d 203 complete");
    assert!(!out.iter().any(|line| line.starts_with("GET /c 203")), "{out:?}");
}

#[test]
fn requests_hidden_behind_the_copy_do_not_shift_the_next() {
    let mut story = Story::with(HttpOptions { head_bytes: 64, ..HttpOptions::default() });
    let both = get("/a") + &get("/b");
    let (seq, cut) = (story.client_seq, get("/a").len());
    story.client_cut(&both, cut);
    story.client(get("/c"));
    assert_eq!(story.client_seq.wrapping_sub(seq), (both.len() + get("/c").len()) as u32);
    story.server(status(200)).server(status(201)).server(status(202));
    // How many were hidden is not known, so that one more is spent.
    story.client(get("/d")).server(status(203)).client(get("/e")).server(status(204));
    let out = gists(&mut story);
    assert_eq!(out[0], "GET /a 200 complete");
    assert!(!out.iter().any(|line| line.starts_with("GET /c 201")), "{out:?}");
    assert_eq!(out[out.len() - 1], "GET /e 204 complete");
}

#[test]
fn a_response_before_the_request_is_not_its_own() {
    // As a server that closes an idle connection says.
    let mut story = Story::default();
    story.client(get("/a")).server(OK).server(status(408)).client(get("/b"));
    story.after(MILLISECOND).reset(false);
    assert_eq!(gists(&mut story), ["GET /a 200 complete", "- - 408 no_request", "GET /b - reset"]);
}

#[test]
fn a_lost_interim_response_hides_nothing() {
    let mut story = Story::default();
    story.client("POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").losing(|story| {
        story.server("HTTP/1.1 100 Continue\r\n\r\n");
    });
    story.server(status(201)).client(get("/b")).server(status(202));
    assert_eq!(gists(&mut story), ["POST /a 201 complete", "GET /b 202 complete"]);
}

#[test]
fn pairs_come_back_after_more_lost_responses_than_are_kept() {
    let mut story = Story::default();
    story.client(get("/first")).server(status(200));
    for _ in 0..HttpOptions::default().max_pending_per_flow + 6 {
        story.client(get("/lost")).losing(|story| {
            story.server(status(202));
        });
    }
    story.client(get("/a")).server(status(203)).client(get("/b")).server(status(204));
    let gists = gists(&mut story);
    assert_eq!(gists.iter().filter(|gist| gist.starts_with("GET /lost -")).count(), gists.len() - 3);
    assert_eq!(gists[gists.len() - 2..], ["GET /a 203 complete", "GET /b 204 complete"]);
}

/// A connection that turns out to speak something else is forgotten, and what it had to give up counts all the same.
#[test]
fn what_a_forgotten_connection_gave_up_is_counted() {
    let mut story = Story::default();
    let start = story.client_seq;
    story.raw(true, PayloadKind::Request, start, b"GE", 0);
    story.raw(true, PayloadKind::Continuation, start.wrapping_add(3), b"GET / HTTP/1.1\r\n\r\n", 0);
    assert_eq!((story.tracker.connections(), story.tracker.losses().lost_copy), (1, 0));
    story.raw(true, PayloadKind::Continuation, start.wrapping_add(2), b"\0", 0);
    assert_eq!((story.tracker.connections(), story.tracker.losses().lost_copy), (0, 1));
}
