//! Messages: what all begin with (MongoDB wire protocol, `MsgHeader`).

use crate::cursor::Cursor;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Reply,
    Update,
    Insert,
    Query,
    GetMore,
    Delete,
    KillCursors,
    Compressed,
    Msg,
}

impl Op {
    pub(super) const fn from_number(number: i32) -> Option<Self> {
        Some(match number {
            1 => Self::Reply,
            2001 => Self::Update,
            2002 => Self::Insert,
            2004 => Self::Query,
            2005 => Self::GetMore,
            2006 => Self::Delete,
            2007 => Self::KillCursors,
            2012 => Self::Compressed,
            2013 => Self::Msg,
            _ => return None,
        })
    }
}

/// A message's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes of the whole message.
    pub(super) whole: usize,
    pub(super) id: i32,
    /// The message that it answers; 0 in a request.
    pub(super) answers: i32,
    pub(super) op: Op,
}

/// Most bytes of a message: 48,000,000 of `maxMessageSizeBytes`, and some for what servers send to each other.
const MOST: usize = 64 << 20;

impl Header {
    /// Bytes of it.
    pub(super) const LEN: usize = 16;

    /// The header at the front of these bytes, of which there are [`Self::LEN`]; `None` where they are none.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let whole = usize::try_from(cursor.le_i32()?).ok()?;
        let (id, answers) = (cursor.le_i32()?, cursor.le_i32()?);
        let op = Op::from_number(cursor.le_i32()?)?;
        (whole > Self::LEN && whole <= MOST).then_some(Self { whole, id, answers, op })
    }
}

/// Why bytes are no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRequest {
    /// The bytes end too early.
    Short,
    /// These are no request.
    Wrong,
}
