//! Whether bytes are messages of the protocol, by the inner form that each type has.

use super::messages::{LONGEST, head, known};
use crate::conversation::Side;

/// How far bytes are a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    No,
    /// As far as they go.
    Open,
    /// To its end, so many bytes.
    Whole(usize),
}

/// Whether a message of `side` stands at the front.
pub(super) fn fit(side: Side, bytes: &[u8]) -> Fit {
    let Some((kind, len)) = head(side, bytes) else {
        let begun = bytes.len() < 5
            && bytes.first().is_some_and(|kind| known(side, *kind))
            && bytes.get(1).is_none_or(|high| usize::from(*high) < LONGEST >> 24);
        return if begun { Fit::Open } else { Fit::No };
    };
    let whole = bytes.get(..len);
    let seen = whole.unwrap_or(bytes).get(5..).unwrap_or_default();
    let mut body = Body { bytes: seen, left: len - 5 };
    let read = match side {
        Side::Client => body.client(kind),
        Side::Server => body.server(kind),
    };
    match (read, whole) {
        (Ok(()), Some(_)) if body.left == 0 => Fit::Whole(len),
        (Ok(()) | Err(Bad::Short), None) => Fit::Open,
        _ => Fit::No,
    }
}

/// Why a body is not what its type says.
enum Bad {
    /// It ends before its time.
    Short,
    Wrong,
}

type Read = Result<(), Bad>;

/// What is left of a body.
struct Body<'a> {
    bytes: &'a [u8],
    /// Bytes of it that were sent, seen or not.
    left: usize,
}

impl<'a> Body<'a> {
    fn client(&mut self, kind: u8) -> Read {
        match kind {
            b'Q' => self.text().map(|_| ()),
            b'P' => {
                self.text()?;
                self.text()?;
                self.counted(|body| body.skip(4))
            }
            b'B' => {
                self.text()?;
                self.text()?;
                self.counted(|body| body.skip(2))?;
                self.counted(Self::value)?;
                self.counted(|body| body.skip(2))
            }
            b'E' => {
                self.text()?;
                self.skip(4)
            }
            b'D' | b'C' => {
                self.one_of(b"SP")?;
                self.text().map(|_| ())
            }
            b'F' => {
                self.skip(4)?;
                self.counted(|body| body.skip(2))?;
                self.counted(Self::value)?;
                self.skip(2)
            }
            b'f' => self.text().map(|_| ()),
            b'd' | b'p' => self.rest(),
            _ => Ok(()),
        }
    }

    fn server(&mut self, kind: u8) -> Read {
        match kind {
            b'R' => {
                let [0, 0, 0, 0..=12] = self.take()? else { return Err(Bad::Wrong) };
                self.rest()
            }
            b'S' => {
                self.text()?;
                self.text().map(|_| ())
            }
            b'K' => {
                self.skip(8)?;
                self.rest()
            }
            b'Z' => self.one_of(b"ITE"),
            b'T' => self.counted(|body| {
                body.text()?;
                body.skip(18)
            }),
            b'D' => self.counted(Self::value),
            b'C' => match self.text()? {
                [b'A'..=b'Z', ..] => Ok(()),
                _ => Err(Bad::Wrong),
            },
            b'E' | b'N' => loop {
                match self.take()? {
                    [0] => return Ok(()),
                    [field] if field.is_ascii_alphabetic() => self.text()?,
                    _ => return Err(Bad::Wrong),
                };
            },
            b'A' => {
                self.skip(4)?;
                self.text()?;
                self.text().map(|_| ())
            }
            b't' => self.counted(|body| body.skip(4)),
            b'G' | b'H' | b'W' => {
                self.one_of(&[0, 1])?;
                self.counted(|body| body.skip(2))
            }
            b'V' => self.value(),
            b'v' => {
                self.skip(8)?;
                self.rest()
            }
            b'd' => self.rest(),
            _ => Ok(()),
        }
    }

    fn take<const LEN: usize>(&mut self) -> Result<[u8; LEN], Bad> {
        let first = self.bytes.first_chunk().copied();
        self.skip(LEN)?;
        first.ok_or(Bad::Short)
    }

    fn skip(&mut self, len: usize) -> Read {
        self.left = self.left.checked_sub(len).ok_or(Bad::Wrong)?;
        self.bytes = self.bytes.get(len..).ok_or(Bad::Short)?;
        Ok(())
    }

    fn rest(&mut self) -> Read {
        (self.bytes, self.left) = (&[], 0);
        Ok(())
    }

    fn one_of(&mut self, known: &[u8]) -> Read {
        let [byte] = self.take()?;
        if known.contains(&byte) { Ok(()) } else { Err(Bad::Wrong) }
    }

    /// A text that ends with a zero byte: no other control characters but white space.
    fn text(&mut self) -> Result<&'a [u8], Bad> {
        let bytes = self.bytes;
        let end = bytes.iter().position(|byte| *byte < b' ' && !matches!(byte, b'\t'..=b'\r'));
        let Some(end) = end else { return Err(Bad::Short) };
        if bytes.get(end) != Some(&0) {
            return Err(Bad::Wrong);
        }
        self.skip(end + 1)?;
        Ok(bytes.get(..end).unwrap_or_default())
    }

    /// A number of two bytes, and so many of the same.
    fn counted(&mut self, one: impl Fn(&mut Self) -> Read) -> Read {
        let count = u16::from_be_bytes(self.take()?);
        // Each has two bytes at least.
        if usize::from(count) * 2 > self.left {
            return Err(Bad::Wrong);
        }
        for _ in 0..count {
            one(self)?;
        }
        Ok(())
    }

    /// A length of four bytes, and so many; -1 stands for NULL.
    fn value(&mut self) -> Read {
        match i32::from_be_bytes(self.take()?) {
            -1 => Ok(()),
            len => self.skip(usize::try_from(len).map_err(|_| Bad::Wrong)?),
        }
    }
}
