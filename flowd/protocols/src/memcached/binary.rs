//! A connection of the binary protocol.

use std::borrow::Cow;

use super::{command::token, words::OPCODES};
use crate::conversation::{Ask, Status, Step, Talk, order::InOrder};

/// Bytes of a header.
pub(super) const HEADER: usize = 24;

/// The first byte of a request and of a response.
pub(super) const REQUEST: u8 = 0x80;
pub(super) const RESPONSE: u8 = 0x81;

/// Bytes of a message's body, at most: items have up to 1 GiB.
const MOST_BODY: u32 = 1 << 30;

const QUIT: u8 = 0x07;
const GETKQ: u8 = 0x0d;
const STAT: u8 = 0x10;
const QUITQ: u8 = 0x17;

/// The begin of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) magic: u8,
    pub(super) opcode: u8,
    pub(super) key: u16,
    pub(super) extras: u8,
    /// Of a response; in a request the bucket.
    pub(super) status: u16,
    pub(super) body: u32,
    pub(super) opaque: u32,
}

/// Reads a header; `None` where there are not enough bytes, or they are none.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let bytes: &[u8; HEADER] = bytes.first_chunk()?;
    let [magic, opcode, k1, k0, extras, data_type, s1, s0, b3, b2, b1, b0, o3, o2, o1, o0, ..] = *bytes;
    let header = Header {
        magic,
        opcode,
        key: u16::from_be_bytes([k1, k0]),
        extras,
        status: u16::from_be_bytes([s1, s0]),
        body: u32::from_be_bytes([b3, b2, b1, b0]),
        opaque: u32::from_be_bytes([o3, o2, o1, o0]),
    };
    let inside = u32::from(header.key) + u32::from(extras);
    // Bits of the data type are of servers that compress; memcached has 0.
    let well = matches!(magic, REQUEST | RESPONSE)
        && data_type <= 7
        && inside <= header.body
        && header.body <= MOST_BODY;
    well.then_some(header)
}

impl Header {
    /// Bytes of the message.
    pub(super) const fn len(self) -> usize {
        HEADER.saturating_add(self.body as usize)
    }
}

/// A request that waits.
#[derive(Clone, Copy, Debug)]
struct Waits {
    opcode: u8,
    opaque: u32,
    /// A short name of the key, where the response holds it.
    key: u64,
}

/// What is left of a connection.
#[derive(Debug, Default)]
pub(super) struct Binary {
    order: InOrder<Waits>,
}

/// Whether an operation is answered only where something is to be said.
const fn is_quiet(opcode: u8) -> bool {
    matches!(opcode, 0x09 | GETKQ | 0x11..=0x1a | 0x1e | 0x24)
}

impl Binary {
    pub(super) fn request(&mut self, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        let header = match read(bytes, REQUEST) {
            Ok(header) => header,
            Err(step) => return step,
        };
        let operation = OPCODES.get(usize::from(header.opcode)).filter(|name| !name.is_empty());
        let operation =
            operation.map_or_else(|| Cow::from(format!("0x{:02x}", header.opcode)), |name| Cow::from(*name));
        if header.opcode == QUITQ {
            talk.ask(Ask::one_way(operation));
            return Step::Take(header.len());
        }
        let mut key = 0;
        if header.opcode == GETKQ {
            let Some(bytes) = key_of(bytes, header) else { return Step::Need(HEADER + key_end(header)) };
            key = token(bytes);
        }
        self.order.ask(
            Ask::new(operation),
            Waits { opcode: header.opcode, opaque: header.opaque, key },
            talk,
        );
        Step::Take(header.len())
    }

    pub(super) fn response(&mut self, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        let header = match read(bytes, RESPONSE) {
            Ok(header) => header,
            Err(step) => return step,
        };
        let key = match key_of(bytes, header) {
            _ if header.opcode != GETKQ || header.key == 0 => None,
            Some(bytes) => Some(token(bytes)),
            None => return Step::Need(HEADER + key_end(header)),
        };
        while let Some((ticket, waits)) = self.order.next() {
            let fits = (waits.opcode, waits.opaque) == (header.opcode, header.opaque)
                && key.is_none_or(|key| key == waits.key);
            if !fits {
                if !is_quiet(waits.opcode) {
                    return Step::Lost;
                }
                talk.close_one_way(ticket);
                self.order.answered(talk.time());
                continue;
            }
            // "Stat": one message for each, the last with neither key nor value.
            if header.opcode == STAT && header.status == 0 && header.key > 0 {
                talk.answer(ticket);
            } else {
                talk.close(ticket, status(header.status));
                self.order.answered(talk.time());
            }
            break;
        }
        Step::Take(header.len())
    }

    pub(super) fn lost_requests(&mut self) {
        self.order.lost_requests();
    }

    pub(super) fn lost_responses(&mut self, talk: &mut Talk<'_>) {
        self.order.lost_responses(talk);
    }

    /// Whether a response may begin here.
    pub(super) fn resumes(&mut self, bytes: &[u8]) -> bool {
        self.order.resumes(header(bytes).is_some_and(|header| header.magic == RESPONSE))
    }

    /// Quiet operations that were not answered until now will not be any more.
    pub(super) fn finish(&mut self, talk: &mut Talk<'_>) {
        while let Some((ticket, waits)) = self.order.next() {
            if is_quiet(waits.opcode) {
                talk.close_one_way(ticket);
            }
            self.order.answered(0);
        }
    }

    pub(super) fn weight(&self) -> usize {
        self.order.weight()
    }
}

/// The header of a message with this first byte, or what is to be done instead.
fn read(bytes: &[u8], magic: u8) -> Result<Header, Step> {
    if bytes.first() != Some(&magic) {
        return Err(Step::Lost);
    }
    if bytes.len() < HEADER {
        return Err(Step::Need(HEADER));
    }
    header(bytes).ok_or(Step::Lost)
}

/// Where the key ends, behind the header.
fn key_end(header: Header) -> usize {
    usize::from(header.extras) + usize::from(header.key)
}

fn key_of(bytes: &[u8], header: Header) -> Option<&[u8]> {
    bytes.get(HEADER + usize::from(header.extras)..HEADER + key_end(header))
}

/// "Response Status": a miss, a key that exists and an item that was not stored are no errors, nor is a further step of
/// SASL.
fn status(status: u16) -> Status {
    match status {
        0 | 1 | 2 | 5 | 0x21 => Status::Ok,
        status => Status::Error(status.to_string().into()),
    }
}

/// Whether a request has the shape that its opcode has: extras, a key and a value or none.
pub(super) fn is_request(header: Header) -> bool {
    let (key, extras) = (header.key > 0, header.extras);
    let value = header.body - u32::from(header.key) - u32::from(header.extras);
    header.magic == REQUEST
        && header.status < 1_024
        && header.key <= 250
        && match header.opcode {
            0x00 | 0x04 | 0x09 | 0x0c | GETKQ | 0x14 => key && extras == 0 && value == 0,
            0x01..=0x03 | 0x11..=0x13 => key && extras == 8,
            0x05 | 0x06 | 0x15 | 0x16 => key && extras == 20 && value == 0,
            QUIT | 0x0a | 0x0b | QUITQ | 0x20 => !key && extras == 0 && value == 0,
            0x08 | 0x18 => !key && (extras == 0 || extras == 4) && value == 0,
            0x0e | 0x0f | 0x19 | 0x1a => key && extras == 0,
            STAT => extras == 0 && value == 0,
            0x1b => !key && extras == 4 && value == 0,
            0x1c..=0x1e | 0x23 | 0x24 => key && extras == 4 && value == 0,
            0x21 | 0x22 => key && extras == 0,
            _ => false,
        }
}
