//! How answers go on: the manual's "Text Resultset", "COM_STMT_PREPARE Response" and their like.
//!
//! Whether there is an end between columns and rows depends on CLIENT_DEPRECATE_EOF, which is not known where the login
//! was not seen; the form of the ends says it as well.

use super::{
    command::Reply,
    packet::{CURSOR, Kind, MORE_RESULTS, counted, long, number},
};

/// Where an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before a result, or before everything.
    #[default]
    First,
    /// So many definitions of columns are to come.
    Columns(u64),
    Rows,
    /// In rows, as far as known behind a gap: the next end may be one of columns.
    Somewhere,
    /// The same, and an end was the last that was seen.
    PerhapsEnded,
    /// So many definitions of a statement's parameters and columns are to come.
    Definitions(u32),
}

/// What a packet means to the request that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    GoesOn,
    /// The client sends a file now.
    File,
    /// The statement has this number from now on.
    Prepared(u32),
    Done,
    /// With the error's number.
    Failed(u16),
}

impl Stage {
    /// Goes on by one packet of the answer to a command with this kind of reply.
    pub(super) fn hear(&mut self, reply: Reply, kind: Kind, payload: &[u8]) -> Heard {
        match (reply, kind) {
            (_, Kind::Error(number)) => Heard::Failed(number),
            (_, Kind::Progress) => Heard::GoesOn,
            (Reply::Login, Kind::Ok(_)) | (Reply::Rows, Kind::Eof(_) | Kind::EndOk(_)) => Heard::Done,
            (Reply::Login | Reply::Rows, _) => Heard::GoesOn,
            (Reply::One | Reply::Events | Reply::Nothing, _) => Heard::Done,
            (Reply::Prepared, _) => self.prepared(kind, payload),
            (Reply::Results, _) => self.result(kind, payload),
        }
    }

    fn prepared(&mut self, kind: Kind, payload: &[u8]) -> Heard {
        match *self {
            Self::Definitions(left) if kind == Kind::Column => {
                *self = Self::Definitions(left.saturating_sub(1));
                if left > 1 { Heard::GoesOn } else { Heard::Done }
            }
            Self::First => {
                let count = |at| number(payload, at).map_or(0, u32::from);
                *self = Self::Definitions(count(5) + count(7));
                long(payload, 1).map_or(Heard::GoesOn, Heard::Prepared)
            }
            _ => Heard::GoesOn,
        }
    }

    fn result(&mut self, kind: Kind, payload: &[u8]) -> Heard {
        match (*self, kind) {
            (Self::First, Kind::File) => return Heard::File,
            (Self::First, Kind::Ok(status) | Kind::Eof(status) | Kind::EndOk(status))
            | (Self::Columns(_) | Self::Rows, Kind::EndOk(status))
            | (Self::Somewhere | Self::PerhapsEnded, Kind::EndOk(status))
            | (Self::Rows, Kind::Eof(status)) => return self.end(status),
            // The rows of a cursor are fetched.
            (Self::Columns(_), Kind::Eof(status)) if status & CURSOR != 0 => return self.end(status),
            (Self::Columns(_), Kind::Eof(_)) => *self = Self::Rows,
            (Self::Columns(left), Kind::Column) if left > 0 => *self = Self::Columns(left - 1),
            (Self::Columns(_), _) => *self = Self::Rows,
            (Self::First, _) => *self = Self::Columns(columns(payload)),
            (Self::Somewhere | Self::PerhapsEnded, Kind::Eof(_)) => *self = Self::PerhapsEnded,
            (Self::PerhapsEnded, _) => *self = Self::Somewhere,
            _ => {}
        }
        Heard::GoesOn
    }

    /// One result has ended.
    fn end(&mut self, status: u16) -> Heard {
        *self = Self::First;
        if status & MORE_RESULTS == 0 { Heard::Done } else { Heard::GoesOn }
    }

    /// Whether the answer may be taken for complete where the client asks for more.
    pub(super) const fn may_be_over(self) -> bool {
        matches!(self, Self::PerhapsEnded | Self::Definitions(_))
    }
}

/// How many columns a result has. A byte that says whether their definitions follow stands in front with
/// CLIENT_OPTIONAL_RESULTSET_METADATA, and behind with MARIADB_CLIENT_CACHE_METADATA.
fn columns(payload: &[u8]) -> u64 {
    match payload {
        [a, b] => u64::from(*a.max(b)),
        _ => counted(payload).map_or(0, |(count, _)| count),
    }
}
