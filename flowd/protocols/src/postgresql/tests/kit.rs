//! Messages of both sides.

use std::sync::Arc;

use crate::{
    conversation::{Dialect, Side, kit},
    postgresql::dialect::Postgresql,
    privacy::{Query, Statements},
    protocol::Options,
    section::NoKeys,
};

pub(super) use kit::{Client, Server};

pub(super) const READY: &[u8] = b"Z\0\0\0\x05I";
pub(super) const ROWS: &[u8] = b"T\0\0\0\x1a\0\x01a\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";
pub(super) const ROW: &[u8] = b"D\0\0\0\x0b\0\x01\0\0\0\x01x";
pub(super) const SSL: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";

pub(super) fn start() -> Box<dyn Dialect> {
    started(Statements::Keep)
}

pub(super) fn started(statements: Statements) -> Box<dyn Dialect> {
    let keys = Arc::new(NoKeys::default());
    Box::new(Postgresql::new(&Options { head_bytes: 1024, query: Query::Keep, statements, on: true, keys }))
}

pub(super) fn converse(parts: &[(Side, &[u8])]) -> Vec<String> {
    kit::converse(start, parts)
}

/// Any message with a type.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

pub(super) fn query(text: &str) -> Vec<u8> {
    message(b'Q', format!("{text}\0").as_bytes())
}

pub(super) fn login() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0ann\0database\0shop\0\0";
    [&(body.len() as u32 + 4).to_be_bytes()[..], body].concat()
}

/// AuthenticationOk and what follows it.
pub(super) fn welcome() -> Vec<u8> {
    [b"R\0\0\0\x08\0\0\0\0", &*message(b'S', b"TimeZone\0UTC\0"), &*message(b'K', &[7; 8]), READY].concat()
}

pub(super) fn parse(name: &str, text: &str) -> Vec<u8> {
    message(b'P', format!("{name}\0{text}\0\0\0").as_bytes())
}

pub(super) fn bind(portal: &str, statement: &str) -> Vec<u8> {
    message(b'B', format!("{portal}\0{statement}\0\0\0\0\x01\0\0\0\x01x\0\0").as_bytes())
}

pub(super) fn execute(portal: &str) -> Vec<u8> {
    message(b'E', format!("{portal}\0\0\0\0\0").as_bytes())
}

pub(super) fn sync() -> Vec<u8> {
    message(b'S', b"")
}

pub(super) fn done(tag: &str) -> Vec<u8> {
    message(b'C', format!("{tag}\0").as_bytes())
}

pub(super) fn error(severity: &str, code: &str) -> Vec<u8> {
    message(b'E', format!("SFEHLER\0V{severity}\0C{code}\0Mwhy\0\0").as_bytes())
}

/// A message without a body.
pub(super) fn bare(kinds: &[u8]) -> Vec<u8> {
    kinds.iter().flat_map(|kind| message(*kind, b"")).collect()
}

pub(super) fn join(messages: &[&[u8]]) -> Vec<u8> {
    messages.concat()
}
