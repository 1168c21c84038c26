//! Any bytes, and good ones cut and changed: nothing panics, and what is held is bounded.

use super::kit::*;
use crate::{
    conversation::{kit::weight, mischief::endures},
    mysql::CANDIDATE,
};

/// Bytes that a conversation may hold.
const HELD: usize = 3 << 20;

fn frame(packets: &[u8]) -> Vec<u8> {
    [&[packets.len() as u8, 0, 0, 0, 0, 0, 0], packets].concat()
}

#[test]
fn altered_conversations() {
    let client = [
        login(PLAIN),
        query("select 'x' from t"),
        query("\x01\x01\0\x01\x03\0\x01a\x01\0\0\0select 'x' from t"),
        prepare("update t set a = ?"),
        execute(1),
        command(0x19, b"\x01\0\0\0"),
        command(0x11, b"bob\0\x03abcshop\0"),
        packets(2, &[b"file", b""]),
        command(4, b"t\0"),
    ];
    let server = [
        join(&[&greeting(), &packet(2, &ok(2))]),
        rows(1, MORE),
        short_rows(1, 0),
        prepared(1),
        packet(1, &ok(2)),
        packet(1, &error(1064)),
        packet(1, &ok(0)),
        packet(1, b"\xfbfile"),
        packets(1, &[COLUMN, &eof(0)]),
    ];
    let pairs = client.iter().zip(&server);
    let parts: Vec<_> = pairs.flat_map(|(asked, said)| [(Client, &**asked), (Server, &**said)]).collect();
    endures(&CANDIDATE, start, &parts, HELD);
}

#[test]
fn altered_frames() {
    let mut client: Vec<_> = [query("select 'x' from t"), execute(1)].iter().map(|it| frame(it)).collect();
    let mut server: Vec<_> = [rows(1, MORE), packet(1, &ok(2))].iter().map(|it| frame(it)).collect();
    client.insert(0, login(PLAIN | COMPRESS));
    server.insert(0, packet(2, &ok(2)));
    let pairs = client.iter().zip(&server);
    let parts: Vec<_> = pairs.flat_map(|(asked, said)| [(Client, &**asked), (Server, &**said)]).collect();
    endures(&CANDIDATE, start, &parts, HELD);
}

#[test]
fn a_client_that_never_gets_an_answer() {
    let asked: Vec<_> = (0..4_000).map(|_| prepare(&"x".repeat(4_000))).collect();
    let parts: Vec<_> = asked.iter().map(|bytes| (Client, bytes.as_slice())).collect();
    let weight = weight(start(), &parts);
    assert!(weight < HELD, "{weight}");
}
