//! What a reply says, as its bytes come.

use super::{
    bson::{Element, element},
    message::Op,
};
use crate::{conversation::Status, cursor::Cursor};

/// What stands at the front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// So many bytes are past, perhaps more than there are.
    Past(usize),
    /// More bytes are needed.
    Short,
    /// The reply is understood: nothing more of it matters.
    Told(Status),
    /// It cannot be understood.
    Wrong,
}

/// Where it has come.
#[derive(Clone, Copy, Debug)]
enum At {
    /// OP_MSG's flags, then its sections.
    Flags,
    Section,
    /// What stands before OP_REPLY's documents.
    Head,
    Document,
    Element,
}

/// A reply that is under way.
#[derive(Debug)]
pub(super) struct Reply {
    at: At,
    /// The request was no command.
    plain: bool,
    ok: Option<bool>,
    code: Option<f64>,
}

/// OP_REPLY's flags.
mod flag {
    pub(super) const CURSOR_NOT_FOUND: u32 = 1;
    pub(super) const QUERY_FAILURE: u32 = 1 << 1;
}

/// `CursorNotFound` in MongoDB's list of error codes.
const CURSOR_NOT_FOUND: &str = "43";
/// Servers before 3.0 have errors without a code.
const NO_CODE: &str = "unknown";

impl Reply {
    /// A reply of this kind; `None` where it is none.
    pub(super) const fn new(op: Op, plain: bool) -> Option<Self> {
        let at = match op {
            Op::Msg => At::Flags,
            Op::Reply => At::Head,
            _ => return None,
        };
        Some(Self { at, plain, ok: None, code: None })
    }

    /// Reads what stands at the front of `bytes`.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Read {
        let mut cursor = Cursor::new(bytes);
        match self.at {
            At::Flags => self.go(cursor.le_u32().map(|_| (4, At::Section))),
            At::Section => match cursor.u8() {
                Some(0) => self.go(Some((1, At::Document))),
                Some(1) => match cursor.le_i32().map(usize::try_from) {
                    Some(Ok(size)) => Read::Past(1 + size),
                    Some(Err(_)) => Read::Wrong,
                    None => Read::Short,
                },
                Some(_) => Read::Wrong,
                None => Read::Short,
            },
            At::Head => self.head(bytes),
            At::Document => self.go(cursor.le_i32().map(|_| (4, At::Element))),
            At::Element => self.element(bytes),
        }
    }

    fn go(&mut self, next: Option<(usize, At)>) -> Read {
        let Some((len, at)) = next else { return Read::Short };
        self.at = at;
        Read::Past(len)
    }

    fn head(&mut self, bytes: &[u8]) -> Read {
        let mut cursor = Cursor::new(bytes);
        let (Some(flags), Some(_), Some(count)) = (cursor.le_u32(), cursor.take(12), cursor.le_i32()) else {
            return Read::Short;
        };
        if flags & flag::CURSOR_NOT_FOUND != 0 {
            return Read::Told(Status::Error(CURSOR_NOT_FOUND.into()));
        }
        if flags & flag::QUERY_FAILURE != 0 {
            self.ok = Some(false);
        } else if self.plain || count < 1 {
            return Read::Told(Status::Ok);
        }
        self.go(Some((20, At::Document)))
    }

    fn element(&mut self, bytes: &[u8]) -> Read {
        match element(bytes) {
            Element::End if self.ok == Some(false) => Read::Told(self.error()),
            Element::End | Element::Wrong => Read::Wrong,
            Element::Short => Read::Short,
            Element::Named { name, value, len } => {
                match (name, value) {
                    (b"ok", Some(value)) => self.ok = Some(value != 0.0),
                    (b"code", Some(value)) => self.code = Some(value),
                    _ => {}
                }
                match self.ok {
                    Some(true) => Read::Told(Status::Ok),
                    Some(false) if self.code.is_some() => Read::Told(self.error()),
                    _ => Read::Past(len),
                }
            }
        }
    }

    fn error(&self) -> Status {
        Status::Error(self.code.map_or(NO_CODE.into(), |code| code.to_string().into()))
    }
}
