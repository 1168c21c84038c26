//! Whether bytes are of SMTP.

use super::{
    syntax::{Command, LINE, Reply, is_reply},
    words::{LHLO, OPERATIONS},
};
use crate::conversation::{
    Recognition,
    lines::{begins_with_one, line},
};

/// A line of an envelope (`MAIL FROM:`, `RCPT TO:`) or EHLO with a name is nothing else; other commands must have been
/// answered as only SMTP does, or be followed by such a line. LHLO with a name is taken as well: the dialect passes
/// over the LMTP behind it, which would be taken for SMTP from MAIL on.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    if !server.is_empty() && !is_reply(server) {
        return Recognition::No;
    }
    let mut rest = client;
    let mut first = true;
    while let Some((text, read)) = line(rest) {
        if !is_printable(text) {
            return if first { Recognition::No } else { Recognition::Maybe };
        }
        let command = Command::of(text);
        if command.is_some_and(|command| command.is_lmtp()) {
            return Recognition::Yes;
        }
        let Some(command) = command.filter(|command| command.known.is_some()) else {
            // Behind a first command may stand what is none: a message, the steps of a login.
            return if first { Recognition::No } else { Recognition::Maybe };
        };
        if is_distinctive(&command, server) || first && is_answered(&command, server) {
            return Recognition::Yes;
        }
        if !command.is_whole() {
            return Recognition::No;
        }
        first = false;
        rest = rest.get(read..).unwrap_or_default();
    }
    let begins = rest.len() < LINE && (!first || is_printable(rest) && (rest.is_empty() || may_begin(rest)));
    if begins { Recognition::Maybe } else { Recognition::No }
}

/// Whether the line is a known command, or may become one.
fn may_begin(line: &[u8]) -> bool {
    begins_with_one(line, OPERATIONS) || begins_with_one(line, &[LHLO])
}

/// Whether the line alone tells.
fn is_distinctive(command: &Command<'_>, server: &[u8]) -> bool {
    match command.known {
        Some("EHLO") if command.is_whole() => !command.rest.is_empty() || !server.is_empty(),
        Some("HELO") if command.is_whole() => !server.is_empty(),
        _ => command.is_envelope(),
    }
}

/// Whether the server's bytes are an answer that only SMTP gives to such a command.
fn is_answered(command: &Command<'_>, server: &[u8]) -> bool {
    let Some(Reply { code, .. }) = line(server).and_then(|(text, _)| Reply::of(text)) else { return false };
    let codes: &[u16] = match command.known {
        Some("DATA") => &[354, 503, 554],
        Some("RSET") => &[250],
        Some("AUTH") => &[235, 334, 535],
        Some("BDAT") => &[250, 503],
        Some("VRFY") => &[250, 252],
        Some("STARTTLS") => &[220],
        _ => return false,
    };
    command.is_whole() && codes.contains(&code)
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r'))
}
