//! Whether bytes are of Redis.

use super::{
    command::{self, Command, Parsed},
    dialect::SUBSCRIPTIONS,
    reply::{self, Stop},
    words::OPERATIONS,
};
use crate::conversation::{
    Recognition,
    lines::{begins_with_one, line, listed, words},
};

/// Commands that stand on lines of other protocols as well: POP3 answers them with `+OK` and `-ERR`.
const COMMON: [&str; 4] = ["AUTH", "HELP", "QUIT", "RESET"];

/// Lines of commands that a client alone must have sent.
const LINES_ALONE: usize = 3;

/// Commands that memcached's clients send on lines.
const OF_MEMCACHED: [&str; 8] = ["APPEND", "DECR", "GET", "INCR", "SET", "TOUCH", "DEBUG", "CONFIG"];

/// An array of bulk strings with the name of a command in front is nothing else; a line must have been answered.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    if !server.is_empty() && !matches!(reply::element(server), Ok(_) | Err(Stop::Need(_))) {
        return Recognition::No;
    }
    match command::parse(client) {
        _ if client.first().is_some_and(|first| *first != b'*') && !begins_with_one(client, OPERATIONS) => {
            Recognition::No
        }
        Parsed::Command(Command { inline: true, name, .. }) => line_of(name, client, server),
        Parsed::Command(command) => array_of(&command, client, server),
        Parsed::Need(_) => Recognition::Maybe,
        Parsed::Nothing(read) if client.first() == Some(&b'*') => {
            recognise(client.get(read..).unwrap_or_default(), server)
        }
        _ => Recognition::No,
    }
}

/// A command that is an array.
fn array_of(command: &Command<'_>, client: &[u8], server: &[u8]) -> Recognition {
    let Some(whole) = elements(client.get(command.read..).unwrap_or_default(), command.left) else {
        return Recognition::No;
    };
    if listed(OPERATIONS, command.name).is_some() {
        // The same word acknowledges a subscription, but a number follows there.
        let may_acknowledge = !whole && SUBSCRIPTIONS.iter().any(|word| word.as_bytes() == command.name);
        // A server's array looks the same where its elements are bulk strings, the first named like a command.
        return if may_acknowledge || is_command(server) { Recognition::Maybe } else { Recognition::Yes };
    }
    // A command of a module, or a wrong one: the server has answered in its way.
    let answered = reply::element(server).is_ok_and(|reply| reply.kind != b'*');
    if whole && answered { Recognition::Yes } else { Recognition::Maybe }
}

/// Whether an array of bulk strings with the name of a command stands in front.
fn is_command(bytes: &[u8]) -> bool {
    matches!(command::parse(bytes), Parsed::Command(command) if !command.inline
        && listed(OPERATIONS, command.name).is_some()
        && elements(bytes.get(command.read..).unwrap_or_default(), command.left).is_some())
}

/// Whether `left` bulk strings follow: all of them are there, or some; `None` for anything else.
fn elements(bytes: &[u8], left: u64) -> Option<bool> {
    let (mut at, mut left) = (0, left);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if left == 0 {
            return Some(at <= bytes.len());
        }
        if rest.is_empty() {
            return Some(false);
        }
        match command::arguments(rest, left) {
            Ok((read, more)) => (at, left) = (at + read, more),
            Err(Parsed::Need(_)) => return Some(false),
            Err(_) => return None,
        }
    }
}

/// A command on a line.
fn line_of(name: &[u8], client: &[u8], server: &[u8]) -> Recognition {
    let Some(known) = listed(OPERATIONS, name) else { return Recognition::No };
    if line(client).is_some_and(|(text, _)| words(text).last().is_some_and(|word| word.starts_with(b"HTTP/")))
    {
        return Recognition::No;
    }
    if server.is_empty() {
        return if own_lines(client) >= LINES_ALONE { Recognition::Yes } else { Recognition::Maybe };
    }
    match reply::element(server) {
        Ok(element) if !COMMON.contains(&known) => {
            let fits = match element.kind {
                // NATS quotes what is wrong.
                b'-' => {
                    element.text.first().is_some_and(u8::is_ascii_uppercase)
                        && !element.text.starts_with(b"ERR '")
                }
                b'+' if known == "PING" => element.text == b"PONG",
                b'+' | b':' | b'$' | b'*' | b'%' | b'_' | b'#' | b',' | b'~' => true,
                _ => false,
            };
            if fits { Recognition::Yes } else { Recognition::No }
        }
        _ => Recognition::Maybe,
    }
}

/// How many lines from the first one on are commands that only Redis has; none where one is of no command.
fn own_lines(mut client: &[u8]) -> usize {
    let mut own = 0;
    while let Some((text, read)) = line(client) {
        if let Some(name) = words(text).next() {
            let Some(known) = listed(OPERATIONS, name) else { return 0 };
            own += usize::from(!COMMON.contains(&known) && !OF_MEMCACHED.contains(&known) && known != "PING");
        }
        client = client.get(read..).unwrap_or_default();
    }
    own
}
