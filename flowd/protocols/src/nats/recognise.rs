//! Whether bytes are of NATS.

use super::message::{Message, OF_CLIENTS, OF_SERVERS, of_client, of_server};
use crate::conversation::{
    Recognition,
    lines::{begins_with_one, line},
};

/// Messages that are looked at.
const MOST: usize = 16;

/// How each side begins. These lines are long: nothing else begins like them, so nobody waits for their ends.
const CONNECT: &[u8] = b"CONNECT {\"";
const INFO: &[u8] = b"INFO {\"server_id\"";

/// What messages prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// One is something else.
    Other,
    /// So much: 2 is enough.
    Points(u32),
}

/// CONNECT, INFO and what has a payload are nothing else; SUB and UNSUB must be two, or be answered.
pub(super) fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    let asked = prove(client, OF_CLIENTS, of_client, CONNECT);
    match (asked, prove(server, OF_SERVERS, of_server, INFO)) {
        (Proof::Points(asked), Proof::Points(answered)) if asked + answered >= 2 => Recognition::Yes,
        // Servers of other protocols say the same.
        (Proof::Points(1), Proof::Points(_)) if server.starts_with(b"+OK\r\n") => Recognition::Yes,
        (Proof::Points(_), Proof::Points(_)) => Recognition::Maybe,
        _ => Recognition::No,
    }
}

/// What a message counts, whose payload ends as it should.
fn point(message: &Message<'_>) -> u32 {
    match message.word {
        "CONNECT" | "INFO" | "HPUB" | "PUB" | "HMSG" | "MSG" => 2,
        // Only NATS quotes all that is wrong.
        "-ERR" if message.rest.len() > 2 && message.rest.ends_with(b"'") => 2,
        "SUB" | "UNSUB" => 1,
        _ => 0,
    }
}

fn prove<'a>(
    mut bytes: &'a [u8],
    words: &[&str],
    read: impl Fn(&'a [u8]) -> Option<Message<'a>>,
    begins_with: &[u8],
) -> Proof {
    let mut points = 0;
    for _ in 0..MOST {
        if bytes.is_empty() {
            break;
        }
        if !begins_with_one(bytes, words) {
            return Proof::Other;
        }
        let whole = line(bytes);
        // The same of a line that has ended as of one that has not: what was refused stays refused.
        let text = whole.map_or(bytes, |(text, _)| text);
        if !text.iter().take(9).all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\t' | 0x80..)) {
            return Proof::Other;
        }
        if whole.is_none() {
            let told = bytes.starts_with(begins_with);
            return Proof::Points(if told { points + 2 } else { points });
        }
        let Some(message) = read(bytes)
            .filter(|message| bytes.get(..message.read).is_some_and(|line| line.ends_with(b"\r\n")))
        else {
            return Proof::Other;
        };
        let payload = bytes.get(message.read..).unwrap_or_default();
        let end = payload.get(message.payload.saturating_sub(2)..message.payload);
        if message.payload > 0 && end.is_some_and(|end| end != b"\r\n") {
            return Proof::Other;
        }
        points += point(&message);
        bytes = payload.get(message.payload..).unwrap_or_default();
    }
    Proof::Points(points)
}
