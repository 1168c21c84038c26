//! What the messages of both sides look like: the manual's "Message Formats".

use crate::{conversation::Side, numbers::NOT_LISTED};

/// A message longer than this is none: the server's own limit is 1 GiB.
pub(super) const LONGEST: usize = 1 << 30;

/// Requests in front of a login that are no login: the low half says what they ask for.
pub(super) const CANCEL: u32 = 80_877_102;
pub(super) const SSL: u32 = 80_877_103;
pub(super) const GSS: u32 = 80_877_104;

/// The longest login message: `MAX_STARTUP_PACKET_LENGTH` of the server.
pub(super) const LONGEST_LOGIN: usize = 10_000;

/// The type of a message and its length, the type's byte included.
pub(super) fn head(side: Side, bytes: &[u8]) -> Option<(u8, usize)> {
    let (kind, rest) = bytes.split_first()?;
    let len = u32::from_be_bytes(*rest.first_chunk()?) as usize;
    (known(side, *kind) && (4..LONGEST).contains(&len)).then_some((*kind, len + 1))
}

/// Whether a message of `side` may have this type.
pub(super) const fn known(side: Side, kind: u8) -> bool {
    match side {
        Side::Client => matches!(
            kind,
            b'Q' | b'P' | b'B' | b'E' | b'D' | b'C' | b'S' | b'H' | b'F' | b'd' | b'c' | b'f' | b'p' | b'X'
        ),
        Side::Server => matches!(
            kind,
            b'R' | b'S'
                | b'K'
                | b'Z'
                | b'T'
                | b'D'
                | b'C'
                | b'I'
                | b'E'
                | b'N'
                | b'A'
                | b'1'
                | b'2'
                | b'3'
                | b's'
                | b'n'
                | b't'
                | b'G'
                | b'H'
                | b'W'
                | b'd'
                | b'c'
                | b'V'
                | b'v'
        ),
    }
}

/// What an ErrorResponse says: its SQLSTATE, which has five digits or capitals, else [`NOT_LISTED`]; and whether the
/// connection ends with it (the manual's "Error and Notice Message Fields").
pub(super) fn error(body: &[u8]) -> (String, bool) {
    let (mut code, mut fatal) = (None, false);
    let is_sign = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    for field in body.split(|byte| *byte == 0) {
        match field {
            [b'C', text @ ..] if text.len() == 5 && text.iter().all(is_sign) => {
                code = Some(String::from_utf8_lossy(text).into_owned());
            }
            // Not the translated one of S.
            [b'V', text @ ..] => fatal = matches!(text, b"FATAL" | b"PANIC"),
            _ => {}
        }
    }
    (code.unwrap_or_else(|| NOT_LISTED.to_owned()), fatal)
}

/// The first text of a body, and what is behind it.
pub(super) fn text(body: &[u8]) -> (&[u8], &[u8]) {
    let end = body.iter().position(|byte| *byte == 0).unwrap_or(body.len());
    (body.get(..end).unwrap_or_default(), body.get(end + 1..).unwrap_or_default())
}
