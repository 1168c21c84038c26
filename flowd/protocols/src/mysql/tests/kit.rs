//! Packets of both sides.

use std::sync::Arc;

use crate::{
    conversation::{Dialect, Side, kit},
    mysql::dialect::Mysql,
    privacy::{Query, Statements},
    protocol::Options,
    section::NoKeys,
};

pub(super) use kit::{Client, Server};

/// CLIENT_PROTOCOL_41 and some more, and what a test may add.
pub(super) const PLAIN: u32 = 0x0008_a205;
pub(super) const COMPRESS: u32 = 1 << 5;
pub(super) const SSL: u32 = 1 << 11;
pub(super) const QUERY_ATTRIBUTES: u32 = 1 << 27;

/// SERVER_MORE_RESULTS_EXISTS.
pub(super) const MORE: u8 = 8;

pub(super) fn start() -> Box<dyn Dialect> {
    started(Statements::Keep)
}

pub(super) fn started(statements: Statements) -> Box<dyn Dialect> {
    let keys = Arc::new(NoKeys::default());
    Box::new(Mysql::new(&Options { head_bytes: 1024, query: Query::Keep, statements, on: true, keys }))
}

pub(super) fn converse(parts: &[(Side, &[u8])]) -> Vec<String> {
    kit::converse(start, parts)
}

pub(super) fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    let [a, b, c, _] = (payload.len() as u32).to_le_bytes();
    [&[a, b, c, number], payload].concat()
}

/// Packets numbered from `number` on.
pub(super) fn packets(mut number: u8, payloads: &[&[u8]]) -> Vec<u8> {
    let mut all = Vec::new();
    for payload in payloads {
        all.extend(packet(number, payload));
        number = number.wrapping_add(1);
    }
    all
}

/// A command with its first byte.
pub(super) fn command(number: u8, body: &[u8]) -> Vec<u8> {
    packet(0, &[&[number], body].concat())
}

pub(super) fn query(text: &str) -> Vec<u8> {
    command(3, text.as_bytes())
}

pub(super) fn prepare(text: &str) -> Vec<u8> {
    command(0x16, text.as_bytes())
}

pub(super) fn execute(number: u32) -> Vec<u8> {
    command(0x17, &[&number.to_le_bytes()[..], &[0, 1, 0, 0, 0]].concat())
}

pub(super) fn greeting() -> Vec<u8> {
    let fixed = b"\x05\0\0\0saltsalt\0\xff\xf7\x21\x02\0\xff\x81\x15\0\0\0\0\0\0\0\0\0\0";
    packet(0, &[b"\x0a8.0.36\0", &fixed[..], b"moresaltmore\0mysql_native_password\0"].concat())
}

pub(super) fn login(capabilities: u32) -> Vec<u8> {
    let fixed = [&capabilities.to_le_bytes()[..], &[0, 0, 0, 1, 33], &[0; 23]].concat();
    packet(1, &[&fixed, &b"ann\0\0mysql_native_password\0"[..]].concat())
}

pub(super) fn ok(status: u8) -> Vec<u8> {
    vec![0, 0, 0, status, 0, 0, 0]
}

pub(super) fn eof(status: u8) -> Vec<u8> {
    vec![0xfe, 0, 0, status, 0]
}

/// The end since CLIENT_DEPRECATE_EOF.
pub(super) fn end(status: u8) -> Vec<u8> {
    vec![0xfe, 0, 0, status, 0, 0, 0]
}

pub(super) fn error(number: u16) -> Vec<u8> {
    [&[0xff][..], &number.to_le_bytes(), b"#42S02no such thing"].concat()
}

pub(super) const COLUMN: &[u8] = b"\x03def\0\0\0\x01a\0\x0c\x3f\0\x01\0\0\0\x08\x81\0\0\0\0";

/// Columns, an end, rows, an end.
pub(super) fn rows(number: u8, status: u8) -> Vec<u8> {
    packets(number, &[b"\x01", COLUMN, &eof(0), b"\x01x", b"\x03def", &eof(status)])
}

/// The same with the end of columns left out.
pub(super) fn short_rows(number: u8, status: u8) -> Vec<u8> {
    packets(number, &[b"\x01", COLUMN, b"\x01x", b"\x03def", &end(status)])
}

/// What a server says of a statement with one parameter and one column.
pub(super) fn prepared(number: u32) -> Vec<u8> {
    let first = [&[0][..], &number.to_le_bytes(), &[1, 0, 1, 0, 0, 0, 0]].concat();
    packets(1, &[&first, COLUMN, &eof(0), COLUMN, &eof(0)])
}

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}
