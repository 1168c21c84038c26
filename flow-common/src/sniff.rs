//! Which payload deserves a copy: the first bytes of HTTP messages, looked for where one may begin; DNS messages
//! by their port; the hellos of TLS.
//!
//! The first touch of a payload's cache line is the dearest step of the packet path. So only the first
//! segment after the conversation turned is looked at, and, once a side has spoken HTTP or DNS, what follows the
//! end of a write (PSH), as pipelined requests and their answers do. What lies within the window of a head is
//! copied in any case; looking at it too tells a short message's successor from its body. A flow that was looked
//! at a few times and showed nothing known is left alone, and so is a side of TLS after its hello.

use core::hint::cold_path;

mod dns;
mod http;
mod tls;

pub use dns::{DNS_BYTES, datagram, limit as dns_limit};

use crate::{
    dissect::Headers,
    event::PayloadKind,
    key::Sender,
    packet::Packet,
    record::{FlowRecord, sniffing},
    settings::copies,
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

/// What the settings ask for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Bits of [`copies`].
    pub what: u32,
    /// Bytes of an HTTP head.
    pub head_bytes: u32,
}

/// Looks at one segment after [`crate::tcp::track`] said what it is.
#[inline(always)]
pub fn sniff<P: Packet>(
    packet: &P,
    record: &mut FlowRecord,
    sender: Sender,
    headers: &Headers,
    order: Order,
    wanted: Wanted,
) -> Option<Find> {
    let (offset, len) = headers.payload();
    let segment = &headers.segment;
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

    let spoke = (own.tcp.sniffing | peer.tcp.sniffing) & (sniffing::HTTP | sniffing::DNS) != 0;
    let may_begin = turned || spoke && pushed;
    // More of a head that began before. Its window is a stretch of sequence space, so that segments may
    // come in any order. A DNS message of its own gets a window of its own: it may be longer than what is left.
    let into = sequence.wrapping_sub(own.tcp.head_seq);
    let inside = own.tcp.head_window != 0
        && into < u32::from(own.tcp.head_window)
        && !(own.tcp.sniffing & sniffing::DNS != 0 && may_begin);
    // So short may a message of HTTP be that the next one begins in its window.
    let next = may_begin && own.tcp.sniffing & sniffing::HTTP != 0 && len >= 4;
    let kind = if inside && !next {
        cold_path();
        None
    } else {
        let late = matches!(order, Order::Late | Order::Repair);
        if !(may_begin || late) || !spoke && own.tcp.misses >= MAX_MISSES {
            return None;
        }
        // What a side of TLS sends after its hello is nobody's business.
        if own.tcp.sniffing & sniffing::TLS != 0 {
            return None;
        }
        cold_path();
        let answers = peer.tcp.sniffing & sniffing::TLS != 0;
        classify(packet, headers, wanted.what, answers)
    };
    let begins =
        |kind: &PayloadKind| !inside || matches!(kind, PayloadKind::HttpRequest | PayloadKind::HttpResponse);
    let Some(kind) = kind.filter(begins) else {
        if !inside {
            own.tcp.misses = own.tcp.misses.saturating_add(1);
            return None;
        }
        let wanted = (u32::from(own.tcp.head_window) - into).min(len);
        let kind = continuation(own.tcp.sniffing);
        if matches!(kind, PayloadKind::Continuation) && wanted == len && http::ends_head(packet, offset, len)
        {
            own.tcp.head_window = 0;
        }
        return Some(Find { kind, len: wanted });
    };
    let (spoken, window, ended) = match kind {
        PayloadKind::Dns => (sniffing::DNS, dns::limit(wanted.head_bytes), false),
        PayloadKind::TlsHello => {
            let window = tls::window(packet, offset, len);
            (sniffing::TLS, window, window <= len)
        }
        _ => (
            sniffing::HTTP,
            wanted.head_bytes,
            wanted.head_bytes >= len && http::ends_head(packet, offset, len),
        ),
    };
    own.tcp.sniffing |= spoken;
    own.tcp.head_seq = sequence;
    own.tcp.head_window = if ended { 0 } else { window as u16 };
    Some(Find { kind, len: window.min(len) })
}

/// What the next bytes of a side's window belong to, by what it spoke.
#[inline(always)]
const fn continuation(spoken: u8) -> PayloadKind {
    if spoken & sniffing::TLS != 0 {
        PayloadKind::TlsHello
    } else if spoken & sniffing::DNS != 0 {
        PayloadKind::Dns
    } else {
        PayloadKind::Continuation
    }
}

/// The end of a connection that spoke HTTP is told once per side, so that what is open can be closed; of TLS,
/// while one side's hello is without an answer.
#[inline(always)]
fn end(record: &mut FlowRecord, sender: Sender, flags: u16) -> Option<Find> {
    let (own, peer) = pair(record, sender);
    let (own_spoke, peer_spoke) = (own.tcp.sniffing, peer.tcp.sniffing);
    let open = (own_spoke | peer_spoke) & sniffing::HTTP | (own_spoke ^ peer_spoke) & sniffing::TLS;
    if open == 0 || flags & (flag::FIN | flag::RST) == 0 || own.tcp.sniffing & sniffing::END_TOLD != 0 {
        return None;
    }
    own.tcp.sniffing |= sniffing::END_TOLD;
    Some(Find { kind: PayloadKind::End, len: 0 })
}

/// What the payload begins like; `answers`: the other side has sent a hello of TLS.
#[inline(always)]
fn classify<P: Packet>(packet: &P, headers: &Headers, wanted: u32, answers: bool) -> Option<PayloadKind> {
    let (offset, len) = headers.payload();
    let (http, first, second) = if len < 4 {
        let first: u8 = packet.read(offset)?;
        if len >= 2 {
            let second: u8 = packet.read(offset + 1)?;
            (http::classify_short(first, Some(second)), first, second)
        } else {
            // What is not there may still become right.
            (http::classify_short(first, None), first, tls::MAJOR)
        }
    } else {
        let word: u32 = packet.read(offset)?;
        let [first, second, ..] = word.to_ne_bytes();
        (http::classify(word), first, second)
    };
    if wanted & copies::HTTP != 0 && http.is_some() {
        http
    } else if wanted & copies::TLS != 0 && tls::begins(first, second, answers) {
        Some(PayloadKind::TlsHello)
    } else if wanted & copies::DNS != 0 && dns::port(headers) {
        Some(PayloadKind::Dns)
    } else {
        None
    }
}
