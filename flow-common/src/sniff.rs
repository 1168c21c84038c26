//! Which payload deserves a copy: the first bytes of HTTP messages, looked for where one may begin.
//!
//! The first touch of a payload's cache line is the dearest step of the packet path. So only the first
//! segment after the conversation turned is looked at, and, once a side has spoken HTTP, what follows the
//! end of a write (PSH), as pipelined requests and their answers do. A flow that was looked at a few times
//! and showed nothing known is left alone.

use crate::{
    dissect::transport::Segment,
    event::PayloadKind,
    key::Sender,
    packet::Packet,
    record::{FlowRecord, sniffing},
    tcp::{Order, pair},
    wire::tcp::flag,
};

/// Looks without a find after which a side is left alone.
const MAX_MISSES: u8 = 4;

/// Payload that deserves a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Find {
    pub kind: PayloadKind,
    /// Bytes to copy from the start of the payload.
    pub len: u32,
}

/// Looks at one segment after [`crate::tcp::track`] said what it is.
#[inline(always)]
pub fn sniff<P: Packet>(
    packet: &P,
    record: &mut FlowRecord,
    sender: Sender,
    segment: &Segment,
    order: Order,
    payload: (u32, u32),
    head_bytes: u32,
) -> Option<Find> {
    let (offset, len) = payload;
    if len == 0 {
        return end(record, sender, segment.flags);
    }
    let turned = record.last_talker != sender as u8 + 1;
    if turned {
        record.last_talker = sender as u8 + 1;
    }
    let sequence = segment.payload_sequence();
    let (own, peer) = pair(record, sender);
    let pushed = own.tcp.sniffing & sniffing::PUSHED != 0;
    if segment.flags & flag::PSH != 0 {
        own.tcp.sniffing |= sniffing::PUSHED;
    } else if pushed {
        own.tcp.sniffing &= !sniffing::PUSHED;
    }
    if matches!(order, Order::Empty | Order::Repeat) {
        return None;
    }

    // More of a head that began before. Its window is a stretch of sequence space, so that segments may
    // come in any order.
    if own.tcp.head_window != 0 {
        let into = sequence.wrapping_sub(own.tcp.head_seq);
        if into < u32::from(own.tcp.head_window) {
            let wanted = (u32::from(own.tcp.head_window) - into).min(len);
            if wanted == len && ends_head(packet, offset, len) {
                own.tcp.head_window = 0;
            }
            return Some(Find { kind: PayloadKind::Continuation, len: wanted });
        }
    }

    let spoke = (own.tcp.sniffing | peer.tcp.sniffing) & sniffing::HTTP != 0;
    let late = matches!(order, Order::Late | Order::Repair);
    if !(turned || spoke && pushed || late) || !spoke && own.tcp.misses >= MAX_MISSES {
        return None;
    }
    let Some(kind) = classify(packet, offset, len) else {
        own.tcp.misses = own.tcp.misses.saturating_add(1);
        return None;
    };
    own.tcp.sniffing |= sniffing::HTTP;
    own.tcp.head_seq = sequence;
    let wanted = head_bytes.min(len);
    own.tcp.head_window = if wanted == len && ends_head(packet, offset, len) { 0 } else { head_bytes as u16 };
    Some(Find { kind, len: wanted })
}

/// The end of a connection that spoke HTTP is told once per side, so that what is open can be closed.
#[inline(always)]
fn end(record: &mut FlowRecord, sender: Sender, flags: u16) -> Option<Find> {
    let (own, peer) = pair(record, sender);
    let spoke = (own.tcp.sniffing | peer.tcp.sniffing) & sniffing::HTTP != 0;
    if !spoke || flags & (flag::FIN | flag::RST) == 0 || own.tcp.sniffing & sniffing::END_TOLD != 0 {
        return None;
    }
    own.tcp.sniffing |= sniffing::END_TOLD;
    Some(Find { kind: PayloadKind::End, len: 0 })
}

/// Whether the payload ends with an empty line, as a message without a body does.
#[inline(always)]
fn ends_head<P: Packet>(packet: &P, offset: u32, len: u32) -> bool {
    len >= 4 && packet.read::<u32>(offset + len - 4) == Some(u32::from_ne_bytes(*b"\r\n\r\n"))
}

/// Request methods by their first four bytes: RFC 9110, PATCH, WebDAV, SSDP, and what Microsoft's clients use, and
/// HTTP/2's preface, which ends the view. A word that is no method is sorted out by the reader of the copy.
const METHODS: [[u8; 4]; 33] = [
    *b"GET ", *b"POST", *b"PUT ", *b"HEAD", *b"DELE", *b"OPTI", *b"CONN", *b"TRAC", *b"PATC", *b"PROP",
    *b"MKCO", *b"COPY", *b"MOVE", *b"LOCK", *b"UNLO", *b"REPO", *b"SEAR", *b"MERG", *b"NOTI", *b"SUBS",
    *b"UNSU", *b"PURG", *b"M-SE", *b"BIND", *b"CCM_", *b"RPC_", *b"BITS", *b"VERS", *b"MKAC", *b"QUER",
    *b"POLL", *b"LINK", *b"PRI ",
];

/// What a message begins like. One to three bytes that may become a method or a version are enough: what
/// follows is copied in any case, and the reader sorts it out.
#[inline(always)]
fn classify<P: Packet>(packet: &P, offset: u32, len: u32) -> Option<PayloadKind> {
    if len < 4 {
        return classify_short(packet, offset, len);
    }
    let first: u32 = packet.read(offset)?;
    if first == u32::from_ne_bytes(*b"HTTP") {
        return Some(PayloadKind::HttpResponse);
    }
    let mut known = false;
    for method in METHODS {
        known |= first == u32::from_ne_bytes(method);
    }
    known.then_some(PayloadKind::HttpRequest)
}

#[inline(always)]
fn classify_short<P: Packet>(packet: &P, offset: u32, len: u32) -> Option<PayloadKind> {
    let first: u8 = packet.read(offset)?;
    if len >= 2 {
        let second: u8 = packet.read(offset + 1)?;
        if !(second.is_ascii_uppercase() || second == b'-') {
            return None;
        }
        if [first, second] == *b"HT" {
            return Some(PayloadKind::HttpResponse);
        }
    }
    // An H alone may become HEAD or HTTP; the reader of the copy decides.
    first.is_ascii_uppercase().then_some(PayloadKind::HttpRequest)
}
