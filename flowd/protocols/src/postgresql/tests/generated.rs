//! Any bytes, and good ones cut and changed: nothing panics, and what is held is bounded.

use super::kit::*;
use crate::{
    conversation::{kit::weight, mischief::endures},
    postgresql::CANDIDATE,
};

/// Bytes that a conversation may hold.
const HELD: usize = 3 << 20;

#[test]
fn altered_conversations() {
    let client = [
        login(),
        SSL.to_vec(),
        query("select 'x' from t"),
        parse("s", "insert into t values ($1)"),
        bind("", "s"),
        execute(""),
        sync(),
        bare(b"H"),
        bare(b"c"),
        message(b'd', b"row"),
        message(b'C', b"Ss\0"),
    ];
    let server = [
        welcome(),
        b"N".to_vec(),
        ROWS.to_vec(),
        ROW.to_vec(),
        done("SELECT 1"),
        READY.to_vec(),
        bare(b"12"),
        bare(b"s"),
        message(b'G', b"\0\0\0"),
        error("ERROR", "42601"),
        error("FATAL", "57P01"),
    ];
    let pairs = client.iter().zip(&server);
    let parts: Vec<_> = pairs.flat_map(|(asked, said)| [(Client, &**asked), (Server, &**said)]).collect();
    endures(&CANDIDATE, start, &parts, HELD);
}

#[test]
fn a_client_that_never_gets_an_answer() {
    let statement = |i: u32| match i % 2 {
        0 => parse(&format!("s{i}"), &"x".repeat(4_000)),
        _ => query(&"x".repeat(4_000)),
    };
    let statements: Vec<_> = (0..8_000).map(statement).collect();
    let parts: Vec<_> = statements.iter().map(|bytes| (Client, bytes.as_slice())).collect();
    let weight = weight(start(), &parts);
    assert!(weight < HELD, "{weight}");
}
