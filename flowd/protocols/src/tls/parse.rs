//! From records (RFC 8446 section 5.1) to the first handshake message in them.

mod bytes;
mod hello;
mod ja4;
mod old;

use bytes::Bytes;
pub(crate) use hello::{CLIENT_HELLO, ClientHello, SERVER_HELLO, ServerHello};
pub(crate) use ja4::{Carrier, ja4};
pub(super) use old::is_old_hello;

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
/// The level of an alert after which the handshake goes on (RFC 5246 section 7.2).
const WARNING: u8 = 1;
/// Kind and length of a handshake message (RFC 8446 section 4).
const HEAD: usize = 4;

/// What the first bytes of one side hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FirstMessage {
    /// A handshake message: its kind, and as much of its body as is there.
    Message { kind: u8, body: Vec<u8>, complete: bool },
    /// The description of an alert that ends the handshake (RFC 5246 section 7.2, RFC 8446 section 6).
    Alert(u8),
    /// The same of one that only warns; a hello may still follow.
    Warning(u8),
    /// Not enough to tell.
    Short,
    /// No TLS.
    Other,
}

/// Puts the first handshake message together from one record or several.
pub(super) fn first(bytes: &[u8]) -> FirstMessage {
    if is_old_hello(bytes) {
        let body = old::body(bytes);
        return FirstMessage::Message {
            kind: CLIENT_HELLO,
            complete: body.is_some(),
            body: body.unwrap_or_default(),
        };
    }
    let mut rest = Bytes(bytes);
    let mut message = Vec::new();
    let mut warning = None;
    while !rest.0.is_empty() {
        let (Some(kind), version) = (rest.u8(), rest.u16()) else { break };
        if !matches!(kind, HANDSHAKE | ALERT) || version.is_some_and(|version| version >> 8 != 3) {
            // Between the fragments of one message nothing else may come.
            return if message.is_empty() { FirstMessage::Other } else { message_of(&message) };
        }
        let Some(len) = rest.u16() else { break };
        let available = usize::from(len).min(rest.0.len());
        let fragment = rest.take(available).unwrap_or_default();
        if kind == ALERT {
            match fragment {
                [WARNING, description, ..] if message.is_empty() => warning = Some(*description),
                [_, description, ..] if message.is_empty() => return FirstMessage::Alert(*description),
                _ => break,
            }
            continue;
        }
        message.extend_from_slice(fragment);
        if wanted(&message).is_some_and(|wanted| message.len() >= wanted) {
            break;
        }
    }
    match (message_of(&message), warning) {
        (FirstMessage::Short, Some(warning)) => FirstMessage::Warning(warning),
        (message, _) => message,
    }
}

/// Bytes of the message, its head included.
fn wanted(message: &[u8]) -> Option<usize> {
    let [_, high, middle, low] = *message.first_chunk::<HEAD>()?;
    Some(HEAD + (usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)))
}

/// The message that these bytes begin with, without records around it, as QUIC carries it (RFC 9001 section 4).
pub(crate) fn message_of(message: &[u8]) -> FirstMessage {
    let (Some(wanted), Some(kind)) = (wanted(message), message.first()) else { return FirstMessage::Short };
    let complete = message.len() >= wanted;
    let body = message.get(HEAD..wanted.min(message.len())).unwrap_or_default();
    FirstMessage::Message { kind: *kind, body: body.to_vec(), complete }
}
