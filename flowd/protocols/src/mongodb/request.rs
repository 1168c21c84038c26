//! What a request asks for.

use std::borrow::Cow;

use super::{
    bson::{Element, first},
    compressed::Compressed,
    message::{Header, NoRequest, Op},
};
use crate::cursor::Cursor;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The command as sent, or the word of an older operation; `None` where it cannot be told.
    pub(super) name: Option<Vec<u8>>,
    pub(super) one_way: bool,
    /// Its reply holds documents and no result of a command.
    pub(super) plain: bool,
}

/// Bytes of a request that are looked at.
pub(super) const LOOKED_AT: usize = 4 << 10;

/// Most bytes of a compressed request's inside that are looked at.
const INSIDE: usize = 1 << 10;

/// OP_MSG's flags.
mod flag {
    pub(super) const MORE_TO_COME: u32 = 1 << 1;
    /// Those that are required and known: `checksumPresent` and `moreToCome`.
    pub(super) const REQUIRED: u32 = 0xffff & !0b11;
}

impl Request {
    const fn told(name: Vec<u8>) -> Self {
        Self { name: Some(name), one_way: false, plain: false }
    }

    fn older(name: &str, one_way: bool) -> Self {
        Self { name: Some(name.into()), one_way, plain: true }
    }

    /// The request behind `header`: `body` is what is there of it.
    pub(super) fn read(header: &Header, body: &[u8]) -> Result<Self, NoRequest> {
        if header.op != Op::Compressed {
            return Self::of(header.op, body);
        }
        let compressed = Compressed::read(body)?;
        let told = compressed.inside(INSIDE).map(|inside| Self::of(compressed.op, &inside));
        let whole = body.len() + Header::LEN >= header.whole.min(LOOKED_AT);
        match told {
            Some(Ok(request)) => Ok(request),
            _ if !whole => Err(NoRequest::Short),
            _ => Ok(Self::unnamed(header, body)),
        }
    }

    /// The same where its name is further off than what is looked at, or not there. OP_MSG's flags stand in front of all.
    pub(super) fn unnamed(header: &Header, body: &[u8]) -> Self {
        let compressed = if header.op == Op::Compressed { Compressed::read(body).ok() } else { None };
        let (op, bytes): (Op, Cow<'_, [u8]>) = match compressed {
            Some(compressed) => (compressed.op, compressed.inside(INSIDE).unwrap_or_default().into()),
            None => (header.op, body.into()),
        };
        let flags = Cursor::new(&bytes).le_u32().filter(|flags| op == Op::Msg && flags & flag::REQUIRED == 0);
        let one_way = flags.is_some_and(|flags| flags & flag::MORE_TO_COME != 0);
        Self { name: None, one_way, plain: compressed.is_some() && op != Op::Msg }
    }

    fn of(op: Op, body: &[u8]) -> Result<Self, NoRequest> {
        match op {
            Op::Msg => Self::msg(body),
            Op::Query => Self::query(body),
            Op::GetMore => Ok(Self::older("getMore", false)),
            Op::Update => Ok(Self::older("update", true)),
            Op::Insert => Ok(Self::older("insert", true)),
            Op::Delete => Ok(Self::older("delete", true)),
            Op::KillCursors => Ok(Self::older("killCursors", true)),
            Op::Reply | Op::Compressed => Err(NoRequest::Wrong),
        }
    }

    /// OP_MSG: the first name of the section of kind 0 is the command.
    fn msg(body: &[u8]) -> Result<Self, NoRequest> {
        let mut cursor = Cursor::new(body);
        let flags = cursor.le_u32().ok_or(NoRequest::Short)?;
        if flags & flag::REQUIRED != 0 {
            return Err(NoRequest::Wrong);
        }
        loop {
            match cursor.u8().ok_or(NoRequest::Short)? {
                0 => {
                    let (name, _) = first(cursor.rest())?;
                    let one_way = flags & flag::MORE_TO_COME != 0;
                    return Ok(Self { one_way, ..Self::told(name.to_vec()) });
                }
                // A sequence of documents, whose length counts itself.
                1 => {
                    let mut ahead = cursor;
                    let size = usize::try_from(ahead.le_i32().ok_or(NoRequest::Short)?);
                    let size = size.ok().filter(|size| *size >= 5).ok_or(NoRequest::Wrong)?;
                    cursor.take(size).ok_or(NoRequest::Short)?;
                }
                _ => return Err(NoRequest::Wrong),
            }
        }
    }

    /// OP_QUERY: on a collection `$cmd` a command, which may stand in `$query`.
    fn query(body: &[u8]) -> Result<Self, NoRequest> {
        let mut cursor = Cursor::new(body);
        cursor.le_u32().ok_or(NoRequest::Short)?;
        let rest = cursor.rest();
        let Some(name) = cursor.until_0() else {
            let fits = rest.len() < LOOKED_AT && !rest.iter().any(u8::is_ascii_control);
            return Err(if fits { NoRequest::Short } else { NoRequest::Wrong });
        };
        if name.iter().any(u8::is_ascii_control) || !name.contains(&b'.') {
            return Err(NoRequest::Wrong);
        }
        if !name.ends_with(b".$cmd") {
            return Ok(Self::older("find", false));
        }
        cursor.take(8).ok_or(NoRequest::Short)?;
        let (name, value) = first(cursor.rest())?;
        let name = if matches!(name, b"$query" | b"query") { first(value)?.0 } else { name };
        Ok(Self::told(name.to_vec()))
    }
}

impl From<Element<'_>> for NoRequest {
    fn from(element: Element<'_>) -> Self {
        if element == Element::Short { Self::Short } else { Self::Wrong }
    }
}
