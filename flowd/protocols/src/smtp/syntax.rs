//! Lines of commands and replies.

use super::words::{LHLO, OPERATIONS};
use crate::conversation::lines::{line, listed, number, words};

/// Bytes of a line at most. AUTH has the longest: 12,288 (RFC 4954, section 4).
pub(super) const LINE: usize = 16 << 10;

/// Bytes of a command's word at most.
const WORD: usize = 24;

/// A line that a client sent while commands are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command<'a> {
    pub(super) word: &'a [u8],
    /// The word among those that are known.
    pub(super) known: Option<&'static str>,
    /// The line behind the word.
    pub(super) rest: &'a [u8],
}

impl<'a> Command<'a> {
    /// What the line says; `None` where no command looks like this.
    pub(super) fn of(line: &'a [u8]) -> Option<Self> {
        let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
        let (word, rest) = line.split_at_checked(end)?;
        let fits = word.len() <= WORD
            && word.first().is_some_and(u8::is_ascii_alphabetic)
            && word.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            && rest.iter().all(|byte| *byte >= b' ' || *byte == b'\t');
        fits.then(|| Self { word, known: listed(OPERATIONS, word), rest })
    }

    /// The octets that follow BDAT's line (RFC 3030, section 2).
    pub(super) fn octets(&self) -> Option<usize> {
        usize::try_from(number(words(self.rest).next()?)?).ok()
    }

    /// Whether it can be of no other protocol: `MAIL FROM:`, `RCPT TO:`.
    pub(super) fn is_envelope(&self) -> bool {
        let begins = |with: &[u8]| {
            let rest = self.rest.trim_ascii_start();
            rest.get(..with.len()).is_some_and(|rest| rest.eq_ignore_ascii_case(with))
        };
        match self.known {
            Some("MAIL") => begins(b"FROM:"),
            Some("RCPT") => begins(b"TO:"),
            _ => false,
        }
    }

    /// Whether it is how LMTP begins (RFC 2033, section 4.1).
    pub(super) fn is_lmtp(&self) -> bool {
        self.word.eq_ignore_ascii_case(LHLO.as_bytes()) && words(self.rest).count() == 1
    }

    /// Whether the line may be a command that begins somewhere in a conversation: a known one with as many words as it
    /// has.
    pub(super) fn is_whole(&self) -> bool {
        let count = words(self.rest).count();
        match self.known {
            Some("MAIL" | "RCPT") => self.is_envelope(),
            Some("DATA" | "RSET" | "QUIT" | "STARTTLS" | "TURN" | "X-ANONYMOUSTLS") => count == 0,
            Some("EHLO" | "HELO") => count <= 1,
            Some("AUTH" | "X-EXPS") => (1..=2).contains(&count),
            Some("BDAT") => self.octets().is_some() && count <= 2,
            Some("NOOP" | "HELP") => count <= 1,
            Some("VRFY" | "EXPN" | "ETRN" | "XCLIENT" | "XFORWARD") => count > 0,
            _ => false,
        }
    }
}

/// A line of a reply (RFC 5321, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// More lines of this reply follow.
    pub(super) more: bool,
}

impl Reply {
    /// What a line begins with; `None` where no reply begins so.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
        let code = number(line.get(..3)?)?;
        let more = match line.get(3) {
            None | Some(b' ') => false,
            Some(b'-') => true,
            Some(_) => return None,
        };
        (200..600).contains(&code).then_some(Self { code: u16::try_from(code).ok()?, more })
    }
}

/// Whether `bytes`, perhaps cut at their end, begin with a reply.
pub(super) fn is_reply(bytes: &[u8]) -> bool {
    match line(bytes) {
        Some((text, _)) => Reply::of(text).is_some(),
        None if bytes.len() > 3 => Reply::of(bytes).is_some(),
        None => bytes.iter().all(u8::is_ascii_digit),
    }
}
