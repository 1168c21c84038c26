//! Packets in frames.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};

use super::kit::*;
use crate::conversation::kit::with_gaps;

/// A frame that is not compressed.
fn stored(number: u8, packets: &[u8]) -> Vec<u8> {
    let [a, b, c, _] = (packets.len() as u32).to_le_bytes();
    [&[a, b, c, number, 0, 0, 0], packets].concat()
}

fn deflated(number: u8, packets: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(packets).unwrap();
    let body = encoder.finish().unwrap();
    let ([a, b, c, _], [d, e, f, _]) =
        ((body.len() as u32).to_le_bytes(), (packets.len() as u32).to_le_bytes());
    [&[a, b, c, number, d, e, f], &*body].concat()
}

/// A text that deflates to about a third.
fn text(len: usize) -> String {
    let mut state = 1_u32;
    let letter = |_| {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        char::from(b'a' + (state >> 16) as u8 % 4)
    };
    (0..len).map(letter).collect()
}

#[test]
fn what_follows_the_login() {
    let long = query(&format!("insert into t values ('{}')", text(3_000)));
    let lines = converse(&[
        (Server, &greeting()),
        (Client, &login(PLAIN | COMPRESS)),
        (Server, &packet(2, &ok(2))),
        (Client, &stored(0, &query("select 1"))),
        (Server, &deflated(1, &rows(1, 2))),
        (Client, &deflated(0, &long)),
        (Server, &stored(1, &packet(1, &error(1062)))),
        (Client, &stored(0, &command(1, b""))),
    ]);
    assert_eq!(lines, ["LOGIN ok 1-2", "SELECT ok 3-4", "INSERT 1062 5-6", "QUIT - 7"]);
}

#[test]
fn begun_in_the_middle() {
    for client in [stored(0, &query("update t set a = 1")), deflated(0, &query(&text(500)))] {
        let lines = converse(&[(Client, &client), (Server, &stored(1, &packet(1, &ok(2))))]);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with(" ok 0-1"), "{lines:?}");
    }
}

#[test]
fn a_greeting_does_not_tell() {
    let lines = with_gaps(
        start(),
        &[
            (Server, Ok(&greeting())),
            (Client, Err(100)),
            (Server, Ok(&packet(2, &ok(2)))),
            (Client, Ok(&stored(0, &query("update t")))),
            (Server, Ok(&stored(1, &packet(1, &ok(2))))),
        ],
    );
    assert_eq!(lines, ["UPDATE ok 3-4"]);
}

#[test]
fn the_end_of_the_login_was_not_seen() {
    let lines = converse(&[
        (Client, &login(PLAIN | COMPRESS)),
        (Client, &packet(3, b"scrambled")),
        (Client, &stored(0, &query("update t"))),
        (Client, &stored(0, &query("delete from t"))),
    ]);
    assert_eq!(lines, ["LOGIN ? 0", "UPDATE ? 2", "DELETE ? 3"]);
}

#[test]
fn packets_over_several_frames() {
    let row = [b"\xfd\x20\x4e\0", text(20_000).as_bytes()].concat();
    let answer = packets(1, &[b"\x01", COLUMN, &eof(0), &row, &eof(2)]);
    let (first, rest) = answer.split_at(9_000);
    let statement = query(&text(600));
    let lines = converse(&[
        (Client, &stored(0, &statement[..40])),
        (Client, &deflated(1, &statement[40..])),
        (Server, &deflated(2, first)),
        (Server, &deflated(3, rest)),
        (Client, &stored(0, &query("update t"))),
        (Server, &stored(1, &packet(1, &ok(2)))),
    ]);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with(" ok 0-2"), "{lines:?}");
    assert_eq!(lines[1], "UPDATE ok 4-5");
}

#[test]
fn what_inflates_too_much_stays_unread() {
    let zeros = [&b"\xfd\x40\x42\x0f"[..], &vec![0; 1_000_000]].concat();
    let answer = packets(1, &[b"\x01", COLUMN, &eof(0), &zeros, &eof(2)]);
    let lines = converse(&[
        (Client, &stored(0, &query("select repeat(0, 1000000)"))),
        (Server, &deflated(1, &answer)),
        (Client, &stored(0, &query("update t"))),
        (Server, &stored(1, &packet(1, &ok(2)))),
    ]);
    assert_eq!(lines, ["SELECT ? 0-1", "UPDATE ok 2-3"]);
}

#[test]
fn frames_are_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&stored(0, &query("select a from t")))),
            (Server, Ok(&deflated(1, &packets(1, &[b"\x01", COLUMN, &eof(0), b"\x01x"])))),
            (Server, Err(5_000)),
            (Server, Ok(&stored(4, &packets(9, &[b"\x01x", &eof(2)])))),
            (Client, Ok(&stored(0, &query("update t")))),
            (Server, Ok(&stored(1, &packet(1, &ok(2))))),
        ],
    );
    assert_eq!(lines, ["SELECT ok 0-1", "UPDATE ok 4-5"]);
}

#[test]
fn frames_begun_in_the_middle_are_told_from_packets_however_they_are_cut() {
    let answer = packet(1, &ok(2));
    let lines = converse(&[(Client, &stored(0, &command(14, b""))), (Server, &stored(1, &answer))]);
    assert_eq!(lines, ["PING ok 0-1"]);
    let lines = converse(&[(Client, &command(14, b"")), (Server, &answer)]);
    assert_eq!(lines, ["PING ok 0-1"]);
    // The server says first what tells its form.
    let rows = rows(1, 2);
    for answer in [&answer, &stored(1, &answer), &deflated(1, &rows), &rows] {
        let plain = answer == &rows || answer.len() == 11;
        let request = if plain { query("select 1") } else { stored(0, &query("select 1")) };
        let lines = converse(&[(Server, answer), (Client, &request), (Server, answer)]);
        assert_eq!(lines, ["SELECT ok 1-2"], "{answer:?}");
    }
}
