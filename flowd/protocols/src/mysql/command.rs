//! What a client asks for: the manual's "Command Phase".

use super::{
    packet::{counted, long, number},
    words::command,
};

/// What a command's first byte says.
pub(super) mod number_of {
    pub(in crate::mysql) const QUIT: u8 = 1;
    pub(in crate::mysql) const QUERY: u8 = 3;
    pub(in crate::mysql) const FIELD_LIST: u8 = 4;
    pub(in crate::mysql) const STATISTICS: u8 = 9;
    pub(in crate::mysql) const PROCESS_INFO: u8 = 0x0a;
    pub(in crate::mysql) const DEBUG: u8 = 0x0d;
    pub(in crate::mysql) const CHANGE_USER: u8 = 0x11;
    pub(in crate::mysql) const BINLOG_DUMP: u8 = 0x12;
    pub(in crate::mysql) const PREPARE: u8 = 0x16;
    pub(in crate::mysql) const EXECUTE: u8 = 0x17;
    pub(in crate::mysql) const LONG_DATA: u8 = 0x18;
    pub(in crate::mysql) const CLOSE: u8 = 0x19;
    pub(in crate::mysql) const SET_OPTION: u8 = 0x1b;
    pub(in crate::mysql) const FETCH: u8 = 0x1c;
    pub(in crate::mysql) const BINLOG_DUMP_GTID: u8 = 0x1e;
    pub(in crate::mysql) const RESET_CONNECTION: u8 = 0x1f;
    /// MariaDB's.
    pub(in crate::mysql) const BULK_EXECUTE: u8 = 0xfa;
}

use number_of::*;

/// How a command is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// By one packet.
    One,
    /// By results of columns and rows, or OK; several of them perhaps.
    Results,
    /// By a statement's number, and definitions.
    Prepared,
    /// By definitions, or rows, up to an end.
    Rows,
    /// Perhaps after some talk about who the client is.
    Login,
    /// By events without end.
    Events,
    /// Not at all.
    Nothing,
}

/// How the command of this number is answered; nothing for one that is none.
pub(super) fn reply(number: u8) -> Option<Reply> {
    Some(match number {
        QUERY | EXECUTE | BULK_EXECUTE | PROCESS_INFO => Reply::Results,
        QUIT | CLOSE | LONG_DATA => Reply::Nothing,
        PREPARE => Reply::Prepared,
        FIELD_LIST | FETCH => Reply::Rows,
        CHANGE_USER => Reply::Login,
        BINLOG_DUMP | BINLOG_DUMP_GTID => Reply::Events,
        number if !command(number).is_empty() => Reply::One,
        _ => return None,
    })
}

/// Whether the answer of a command may begin with an end in the form of five bytes.
pub(super) const fn begins_with_end(number: u8) -> bool {
    matches!(number, DEBUG | SET_OPTION | FIELD_LIST | FETCH)
}

/// Whether `payload` of `len` bytes, perhaps cut, may be the command that its first byte says.
pub(super) fn fits(payload: &[u8], len: usize) -> bool {
    let Some((first, body)) = payload.split_first() else { return false };
    match (*first, len) {
        (QUIT | STATISTICS | PROCESS_INFO | DEBUG | 0x0e | RESET_CONNECTION, 1) => true,
        (QUERY | PREPARE, 2..) => {
            let text = statement(body, None);
            is_text(text) && (!text.is_empty() || payload.len() < len)
        }
        // The statement, flags, and a count that is always 1.
        (EXECUTE, 10..) => {
            body.get(4).is_none_or(|flags| *flags < 0x10) && long(body, 5).is_none_or(|count| count == 1)
        }
        (BULK_EXECUTE, 7..) => number(body, 4).is_none_or(|flags| flags & !0xc0 == 0),
        (LONG_DATA, 7..) | (CLOSE | 0x1a, 5) | (FETCH, 9) | (SET_OPTION, 3) => true,
        (2 | FIELD_LIST | 5 | 6, 2..=1_024) => {
            is_text(body.split(|byte| *byte == 0).next().unwrap_or_default())
        }
        (CHANGE_USER, 3..) => is_text(body.split(|byte| *byte == 0).next().unwrap_or_default()),
        (7 | 8, 1..=2) | (0x0c, 5) | (BINLOG_DUMP | BINLOG_DUMP_GTID, 11..) | (0x15, 18..=1_024) => true,
        _ => false,
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\t'..=b'\r' | b' '..=0x7e | 0x80..))
}

/// The statement in the body of COM_QUERY, behind query attributes where there are any. `attributes`: whether there are
/// as the login said, where it was seen; behind their number stands a 1 always, and so in no statement.
pub(super) fn statement(body: &[u8], attributes: Option<bool>) -> &[u8] {
    let there = attributes.unwrap_or(matches!(body, [..b' ', 1, ..]));
    if there { behind_attributes(body).unwrap_or_default() } else { body }
}

/// What is behind query attributes: the manual's "COM_QUERY", from 8.0.23 on.
fn behind_attributes(body: &[u8]) -> Option<&[u8]> {
    let (count, rest) = counted(body)?;
    let (_sets, rest) = counted(rest)?;
    if count == 0 {
        return Some(rest);
    }
    let count = usize::try_from(count).ok()?;
    let (nulls, rest) = rest.split_at_checked(count.div_ceil(8))?;
    let mut rest = rest.get(1..)?;
    // All types and names stand in front of all values.
    let mut values = rest;
    for _ in 0..count {
        values = skip_counted(values.get(2..)?)?;
    }
    for at in 0..count {
        let kind = *rest.first()?;
        rest = skip_counted(rest.get(2..)?)?;
        let null = nulls.get(at / 8)? >> (at % 8) & 1 == 1;
        values = if null { values } else { behind_value(kind, values)? };
    }
    Some(values)
}

/// What is behind a value of this type: the manual's "Binary Protocol Value".
fn behind_value(kind: u8, bytes: &[u8]) -> Option<&[u8]> {
    match kind {
        6 => Some(bytes),
        1 => bytes.get(1..),
        2 | 13 => bytes.get(2..),
        3 | 4 | 9 => bytes.get(4..),
        5 | 8 => bytes.get(8..),
        // Dates and times: their length, and so many.
        7 | 10 | 11 | 12 => bytes.get(1 + usize::from(*bytes.first()?)..),
        _ => skip_counted(bytes),
    }
}

fn skip_counted(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = counted(bytes)?;
    rest.get(usize::try_from(len).ok()?..)
}
