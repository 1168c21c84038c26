//! Connections of which bytes are missing, or that began before anyone looked.

use super::kit::{
    BOTH, Client, END_HEADERS, END_STREAM, Server, block, frame, get, gist, gist_from_start, gist_with_gaps,
    headers, prefaces, request, response, start,
};
use crate::conversation::kit;

#[test]
fn what_refers_to_a_lost_block_is_unknown() {
    let told = block(&[("+:path", "/told"), (":method", "GET")]);
    let lines = gist_with_gaps(&[
        (Client, Ok(frame(1, BOTH, 1, &told))),
        (Client, Err(100)),
        // 62 was the path; the lost bytes may have told anything.
        (Client, Ok(frame(1, BOTH, 5, &[0x82, 0x86, 0xbe]))),
        (Client, Ok(headers(BOTH, 7, &[(":method", "GET"), ("+:path", "/new")]))),
        (Client, Ok(frame(1, BOTH, 9, &[0x82, 0x86, 0xbe]))),
        (Server, Ok([response(BOTH, 1, "200"), response(BOTH, 3, "500")].concat())),
        (Server, Ok([response(BOTH, 5, "200"), response(BOTH, 7, "200"), response(BOTH, 9, "200")].concat())),
    ]);
    let wanted = [
        "GET /told 200 complete 2-7",
        "- - 500 no_request 7",
        "GET - 200 partial 4-8",
        "GET /new 200 complete 5-8",
        "GET /new 200 complete 6-8",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn a_lost_response_is_not_taken_for_none() {
    let lines = gist_with_gaps(&[
        (Client, Ok([get(1, "/a"), request(END_HEADERS, 3, "POST", "/b"), get(5, "/c")].concat())),
        (Server, Ok(response(END_HEADERS, 5, "200"))),
        (Server, Err(50)),
        (Client, Ok(frame(0, END_STREAM, 3, b"x"))),
        (Server, Ok(headers(BOTH, 3, &[("grpc-status", "0")]))),
        (Client, Ok(get(7, "/d"))),
        (Server, Ok(response(BOTH, 7, "200"))),
    ]);
    let wanted = [
        "POST /b - grpc 0 partial 2",
        "GET /d 200 complete 7-8",
        "GET /a - partial 2",
        "GET /c 200 partial 2-3",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn a_lost_end_of_the_request_keeps_no_line_back() {
    let lines = gist_with_gaps(&[
        (Client, Ok(request(END_HEADERS, 1, "POST", "/a"))),
        (Server, Ok(response(BOTH, 1, "200"))),
        (Client, Err(10)),
        (Client, Ok(get(3, "/b"))),
        (Server, Ok(response(BOTH, 3, "200"))),
    ]);
    assert_eq!(lines, ["POST /a 200 complete 2-3", "GET /b 200 complete 5-6"]);
}

#[test]
fn data_may_be_missing() {
    let data = frame(0, 0, 1, &[0; 500]);
    let (begun, rest) = data.split_at(21);
    let begun = [&response(END_HEADERS, 1, "200"), begun].concat();
    let lines = gist_with_gaps(&[
        (Client, Ok(get(1, "/a"))),
        (Server, Ok(begun)),
        (Server, Err(300)),
        (Server, Ok([&rest[300..], &frame(0, END_STREAM, 1, b"x")].concat())),
    ]);
    assert_eq!(lines, ["GET /a 200 complete 2-3"]);
}

#[test]
fn a_block_that_is_cut_says_what_it_can() {
    let told = block(&[(":method", "GET"), (":path", "/a"), ("cookie", "0123456789")]);
    let asked = frame(1, BOTH, 1, &told);
    let (seen, lost) = asked.split_at(asked.len() - 6);
    let lines = gist_with_gaps(&[
        (Client, Ok(seen.to_vec())),
        (Client, Err(lost.len() as u32)),
        (Client, Ok(get(3, "/b"))),
        (Server, Ok([response(BOTH, 1, "200"), response(BOTH, 3, "200")].concat())),
    ]);
    assert_eq!(lines, ["GET /a 200 complete 2-5", "GET /b 200 complete 4-5"]);
}

#[test]
fn long_blocks_are_read_and_what_is_too_long_is_unknown() {
    let long = "x".repeat(120);
    let mut fields = vec![(":method", "GET")];
    fields.extend(std::iter::repeat_n(("x-long", long.as_str()), 150));
    fields.push(("+:path", "/b"));
    let told = block(&fields);
    let (first, rest) = told.split_at(16_000);
    let asked = [frame(1, END_STREAM, 1, first), frame(9, END_HEADERS, 1, rest)].concat();
    let again = frame(1, BOTH, 3, &[0x82, 0x86, 0xbe]);
    let answered = [response(BOTH, 1, "200"), response(BOTH, 3, "200")].concat();
    let lines = gist(&[(Client, asked), (Client, again.clone()), (Server, answered.clone())]);
    assert_eq!(lines, ["GET /b 200 complete 2-4", "GET /b 200 complete 3-4"]);
    // A field of 40,000 bytes.
    let huge = [&[0, 1, b'x', 0x7f, 0xc1, 0xb7, 0x2][..], &vec![b'y'; 40_000]].concat();
    let fields = block(&[(":method", "GET"), ("+:path", "/b")]);
    let mut asked = frame(1, END_STREAM, 1, &fields);
    huge.chunks(16_000).for_each(|part| asked.extend(frame(9, 0, 1, part)));
    asked.extend(frame(9, END_HEADERS, 1, &[]));
    let lines = gist(&[(Client, asked), (Client, again), (Server, answered)]);
    assert_eq!(lines, ["GET /b 200 complete 2-4", "GET - 200 partial 3-4"]);
    // A frame larger than any step may see.
    let asked = frame(1, BOTH, 1, &told.repeat(2));
    let lines = gist(&[(Client, [asked, get(3, "/a")].concat()), (Server, response(BOTH, 3, "200"))]);
    assert_eq!(lines, ["GET /a 200 complete 2-3", "GET - - no_response 2"]);
}

#[test]
fn a_connection_may_have_begun_before() {
    let lines = gist_from_start(&[
        // The answer to what nobody saw, then one whose path was told before.
        (Server, [response(BOTH, 7, "200"), frame(8, 0, 0, &[0, 0, 1, 0])].concat()),
        (Client, [frame(8, 0, 0, &[0, 0, 1, 0]), frame(1, BOTH, 11, &[0x82, 0x86, 0xc3, 0xbe])].concat()),
        (Server, [response(BOTH, 9, "200"), response(BOTH, 11, "200")].concat()),
        (Client, get(13, "/a")),
        (Server, response(BOTH, 13, "204")),
    ]);
    let wanted =
        ["- - 200 no_request 0", "- - 200 no_request 2", "GET - 200 partial 1-2", "GET /a 204 complete 3-4"];
    assert_eq!(lines, wanted);
}

#[test]
fn a_segment_of_data_is_not_taken_for_frames() {
    let lines = gist_with_gaps(&[
        (Client, Ok(get(1, "/a"))),
        (Server, Err(90)),
        // A frame's header, but of a stream that is not open.
        (Server, Ok(frame(0, 0, 99, &[0; 30]))),
        (Server, Ok(b"\0\0\0\0\0\0\0\0\x01\0\0\0".to_vec())),
        (Server, Ok(response(BOTH, 1, "200"))),
    ]);
    assert_eq!(lines, ["GET /a 200 complete 2-6"]);
}

#[test]
fn what_is_silent_for_too_long_is_given_up() {
    let parts: Vec<_> = prefaces()
        .into_iter()
        .chain([
            (Client, get(1, "/a")),
            (Client, get(3, "/b")),
            (Server, response(END_HEADERS, 1, "200")),
            (Client, get(5, "/c")),
        ])
        .collect();
    let borrowed: Vec<_> = parts.iter().map(|(side, bytes)| (*side, bytes.as_slice())).collect();
    let ([before, after], lines) = kit::expired(start(), &borrowed, 3);
    assert_eq!((before, after), (Some(2), Some(5)));
    let outcomes: Vec<_> = lines.iter().map(|line| (&line["target"], &line["outcome"])).collect();
    assert_eq!(outcomes, [(&"/a".into(), &"partial".into()), (&"/b".into(), &"no_response".into())]);
}
