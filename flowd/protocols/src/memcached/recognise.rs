//! Whether bytes are of memcached.

use super::{
    binary::{HEADER, REQUEST, RESPONSE, header, is_request},
    command::{self, Command},
    text::{is_response, may_respond},
    words::OPERATIONS,
};
use crate::conversation::{
    Recognition,
    lines::{begins_with_one, line, number, words},
};

/// Bytes of a server's line, at most: those with a key have 250 of it.
const LINE: usize = 1_024;

/// Commands that are looked at.
const MOST: usize = 8;

/// An item that is stored is known by its line; other commands by their responses.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    if !is_server(server) {
        return Recognition::No;
    }
    match client.first() {
        None => Recognition::Maybe,
        Some(&REQUEST) => binary(client, server),
        Some(byte) if byte.is_ascii_lowercase() => text(client, server),
        _ => Recognition::No,
    }
}

/// Whether a server may send this.
fn is_server(server: &[u8]) -> bool {
    match server.first() {
        Some(&RESPONSE) => server.len() < HEADER || header(server).is_some(),
        _ if !may_respond(server) => false,
        _ => match line(server) {
            Some((text, _)) => text.len() < LINE && is_response(text) && is_printable(text),
            None => server.len() < LINE && is_printable(server),
        },
    }
}

fn binary(client: &[u8], server: &[u8]) -> Recognition {
    let Some(first) = header(client) else {
        return if client.len() < HEADER { Recognition::Maybe } else { Recognition::No };
    };
    if !is_request(first) {
        return Recognition::No;
    }
    if let Some(answer) = header(server) {
        let fits = answer.magic == RESPONSE && (answer.opcode, answer.opaque) == (first.opcode, first.opaque);
        return if fits { Recognition::Yes } else { Recognition::Maybe };
    }
    let next = client.get(first.len()..);
    let fits = match next {
        Some([]) => true,
        Some(next) => header(next).is_some_and(is_request),
        // It ends behind what is seen.
        None => false,
    };
    if fits { Recognition::Yes } else { Recognition::Maybe }
}

fn text(client: &[u8], server: &[u8]) -> Recognition {
    if is_of_redis(server) {
        return Recognition::No;
    }
    let answered = line(server).map(|(text, _)| text);
    let mut rest = client;
    for at in 0..MOST {
        if rest.is_empty() {
            break;
        }
        if at == 0 && !begins_with_one(rest, OPERATIONS) {
            return Recognition::No;
        }
        let begins = line(rest).map_or_else(|| may_begin(rest), |(text, _)| may_begin(text));
        if at == 0 && !begins {
            return Recognition::No;
        }
        if line(rest).is_none() {
            return Recognition::Maybe;
        }
        let Some(command) = command::parse(rest).filter(|command| command.known) else {
            return if at > 0 { Recognition::Maybe } else { Recognition::No };
        };
        if at == 0 && answered.is_some_and(|text| answers(&command, rest, text)) {
            return Recognition::Yes;
        }
        let data = rest.get(command.read..).unwrap_or_default();
        if command.data > 0 && stores(data, command.data) {
            return Recognition::Yes;
        }
        rest = usize::try_from(command.data).ok().and_then(|len| data.get(len..)).unwrap_or_default();
    }
    Recognition::Maybe
}

/// Whether a command may begin with a line that begins with this.
fn may_begin(bytes: &[u8]) -> bool {
    bytes.len() < 4_096 && is_printable(bytes)
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r' | 0x80..))
}

/// Whether a data block stands here that ends as it should, as far as that is seen.
fn stores(data: &[u8], len: u64) -> bool {
    let end = usize::try_from(len).unwrap_or(usize::MAX);
    data.get(end.saturating_sub(2)..end).is_none_or(|end| end == b"\r\n")
}

/// Redis takes `get` and `set` on lines as well.
fn is_of_redis(server: &[u8]) -> bool {
    matches!(server.first(), Some(b'+' | b'-' | b':' | b'$' | b'*'))
}

/// Whether the server's first line answers the client's first command, and hardly anything else.
fn answers(command: &Command<'_>, client: &[u8], text: &[u8]) -> bool {
    let first = words(text).next().unwrap_or_default();
    let key = line(client).and_then(|(text, _)| words(text).nth(1)).unwrap_or_default();
    match command.word {
        "get" | "gets" | "gat" | "gats" => first == b"VALUE" && words(text).count() >= 4 || text == b"END",
        "incr" | "decr" => number(text).is_some() || text == b"NOT_FOUND" || first == b"CLIENT_ERROR",
        // Beanstalkd deletes jobs by their numbers.
        "delete" => (text == b"DELETED" || text == b"NOT_FOUND") && number(key).is_none(),
        "touch" => text == b"TOUCHED" || text == b"NOT_FOUND",
        "mg" => matches!(first, b"VA" | b"HD" | b"EN"),
        "md" | "ma" => matches!(first, b"HD" | b"NF" | b"EX" | b"NS" | b"VA"),
        "mn" => text == b"MN",
        "version" => first == b"VERSION",
        "stats" => first == b"STAT",
        "flush_all" | "verbosity" | "cache_memlimit" | "lru" => text == b"OK",
        _ => false,
    }
}
