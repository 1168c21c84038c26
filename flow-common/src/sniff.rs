//! Which payload deserves a copy: the first bytes of HTTP messages, looked for where one may begin; DNS messages
//! by their port; the hellos of TLS; the datagrams with which QUIC begins.
//!
//! The first touch of a payload's cache line is the dearest step of the packet path. So only the first
//! segment after the conversation turned is looked at, and, once a side has spoken HTTP or DNS, what follows the
//! end of a write, as pipelined requests and their answers do. PSH marks that end, but need not be there (RFC 9293
//! section 3.9.1.2): a segment that is not full ends one as well. What lies within the window of a head is copied in
//! any case; looking at it too tells a short message's successor from its body. Until a flow has spoken something known,
//! what follows the end of a write is looked at as well, as something may stand ahead of the first message: empty lines,
//! an address that a proxy tells. A side that was looked at some times and showed nothing known is left alone, but for
//! the answer to the other side's hello; so is a side of TLS after its own.

use core::hint::cold_path;

mod dns;
mod find;
mod http;
mod quic;
mod tls;

pub use dns::{DNS_BYTES, limit as dns_limit};
use find::{Begun, show};
pub use find::{Find, Wanted};

use crate::{
    app::{App, Apps},
    dissect::{Fragment, Headers, transport::protocol::UDP},
    event::PayloadKind,
    key::Sender,
    packet::Packet,
    record::{SharedHalf, SharedRecord, looks, sniffing},
    tcp::SegmentKind,
    wire::tcp::flag,
};

/// Bytes that tell a protocol: fewer may still become another.
const WORD: u32 = size_of::<u32>() as u32;

/// Payload bytes of a full segment where the path takes IPv6's least packets (1,280 bytes, RFC 8200 section 5), less the
/// headers with TCP timestamps. Senders fill their segments up to the last one of a write (RFC 9293 section 3.7.4).
const FULL_SEGMENT: u32 = 1208;

/// Looks without a find after which a side is left alone: what mail servers and clients say before STARTTLS takes half as
/// many.
const MAX_MISSES: u8 = 16;

/// The same where the reader of copies recognises conversations: until it has, each look at one copies its first bytes. A
/// quick client says much before the reader looks, and may be gone by then.
const MAX_OPENING: u8 = looks::UNKNOWN + MAX_MISSES;

/// Looks at a side whose segments are copied whole: what is missing of the first requests cannot be made up for.
const OPENING_WHOLE: u8 = 2;

/// Bytes of each segment after these that are copied before its conversation is recognised: some requests at once, as drivers
/// send them that do not wait for each response. Where some are cut off, nobody pairs the others.
const OPENING_BYTES: u32 = 4_096;

/// Looks at one segment after [`crate::tcp::track`] said what it is. `last_talker` is the record's, read before that.
///
/// Two CPUs may have segments of one side at the same time. Read before, and set after, it lets none miss the begin of a
/// message: where the second segment has taken the turn, the first is late.
#[inline(always)]
pub fn sniff<P: Packet>(
    packet: &P,
    record: &SharedRecord,
    sender: Sender,
    headers: &Headers,
    kind: SegmentKind,
    last_talker: u8,
    wanted: Wanted,
) -> Option<Find> {
    let (offset, len) = headers.payload();
    let segment = &headers.segment;
    if len == 0 {
        return end(record, sender, segment.flags, wanted.conversations);
    }
    // What brings nothing new, as a keep-alive, neither takes the turn nor ends a write.
    if matches!(kind, SegmentKind::Empty | SegmentKind::Repeat) {
        return None;
    }
    if record.half(sender).tcp.misses.get() == looks::FOLLOWED {
        cold_path();
        return Some(Find { app: 0, kind: PayloadKind::Message, len: len.min(u16::MAX.into()) });
    }
    let turned = last_talker != sender as u8 + 1;
    if turned {
        record.last_talker.set(sender as u8 + 1);
    }
    let sequence = segment.payload_sequence();
    let (own, peer) = record.pair(sender);
    let was = own.tcp.sniffing.get();
    let pushed = was & sniffing::PUSHED != 0;
    let spoken = own.tcp.app.get();
    if segment.flags & flag::PSH != 0 || spoken == App::Http as u8 && len < FULL_SEGMENT {
        own.tcp.sniffing.set(was | sniffing::PUSHED);
    } else if pushed {
        own.tcp.sniffing.set(was & !sniffing::PUSHED);
    }

    let others = peer.tcp.sniffing.get();
    let spoke = (was | others) & sniffing::MESSAGES != 0;
    let answers = others & sniffing::HELLO != 0;
    let may_begin = turned || pushed;
    // More of a head that began before. Its window is a stretch of sequence space, so that segments may
    // come in any order. A DNS message of its own gets a window of its own: it may be longer than what is left.
    let into = sequence.wrapping_sub(own.tcp.head_seq.get());
    let window = u32::from(own.tcp.head_window.get());
    let inside = into < window && !(spoken == App::Dns as u8 && may_begin);
    // So short may a message of HTTP be that the next one begins in its window.
    let next = may_begin && spoken == App::Http as u8 && len >= WORD;
    let begun = if inside && !next {
        cold_path();
        None
    } else {
        let late = matches!(kind, SegmentKind::Late | SegmentKind::Repair);
        let most = if wanted.conversations { MAX_OPENING } else { MAX_MISSES };
        if !(may_begin || late) || !(spoke || answers) && own.tcp.misses.get() >= most {
            return None;
        }
        // What a side of TLS sends after its hello is nobody's business.
        if was & sniffing::HELLO != 0 {
            return None;
        }
        cold_path();
        classify(packet, headers, wanted.apps, answers)
    };
    // A head of up to three bytes was a guess.
    let begins = |begun: &Begun| !inside || matches!(begun, Begun::Request | Begun::Response) || into < WORD;
    let Some(begun) = begun.filter(begins) else {
        if !inside {
            let misses = own.tcp.misses.get();
            if misses >= looks::LEFT_ALONE - 1 {
                return None;
            }
            own.tcp.misses.set(misses + 1);
            // What was proven to be known is no opening of something else.
            if !wanted.conversations || misses >= looks::UNKNOWN || record.app.get() != 0 {
                return None;
            }
            let most = if misses < OPENING_WHOLE { u16::MAX.into() } else { OPENING_BYTES };
            return Some(Find { app: 0, kind: PayloadKind::Message, len: len.min(most) });
        }
        // A few bytes may have been taken for a head: what is not proven to be one opens something else.
        let opening = if wanted.conversations && record.app.get() == 0 { OPENING_BYTES } else { 0 };
        let wanted = (window - into).max(opening).min(len);
        if spoken == App::Http as u8 && wanted == len && http::ends_head(packet, offset, len) {
            own.tcp.head_window.set(0);
        }
        return Some(Find { app: spoken, kind: PayloadKind::Continuation, len: wanted });
    };
    if begun == Begun::Foreign {
        // What looked like HTTP before was none, and what will is inside of something else.
        if record.app.get() == 0 {
            leave_alone(own);
            leave_alone(peer);
        }
        return None;
    }
    let (habits, window, ended, shown) = match begun {
        Begun::Request | Begun::Response => {
            let ended = wanted.head_bytes >= len && http::ends_head(packet, offset, len);
            // What HTTP/2's preface opens is still to be recognised, where somebody follows it, and copied whole until then.
            let preface = http::preface(packet, offset);
            let followed = preface & u32::from(wanted.apps.contains(App::Http2));
            let shown = record.app.get() == 0 && http::proves(packet, offset, preface != followed);
            let whole = followed.wrapping_neg() & u32::from(u16::MAX);
            let short = if len < FULL_SEGMENT { sniffing::PUSHED } else { 0 };
            (sniffing::MESSAGES | sniffing::NEEDS_END | short, wanted.head_bytes | whole, ended, shown)
        }
        Begun::Dns => {
            let shown = record.app.get() == 0 && dns::asks(packet, offset, true);
            (sniffing::MESSAGES, dns::limit(wanted.head_bytes), false, shown)
        }
        Begun::Hello => {
            let window = tls::window(packet, offset, len);
            (sniffing::HELLO, window, window <= len, len >= WORD)
        }
        Begun::OldHello | Begun::Foreign => (sniffing::HELLO, len, true, true),
    };
    let app = begun.app() as u8;
    if shown {
        show(record, app);
    }
    own.tcp.app.set(app);
    own.tcp.sniffing.set_bits(habits);
    own.tcp.head_seq.set(sequence);
    own.tcp.head_window.set(if ended { 0 } else { window as u16 });
    Some(Find { app, kind: begun.kind(), len: window.min(len) })
}

/// Looks at a packet that is not TCP.
#[inline(always)]
pub fn datagram<P: Packet>(
    packet: &P,
    record: &SharedRecord,
    headers: &Headers,
    wanted: Wanted,
) -> Option<Find> {
    if headers.protocol != UDP || matches!(headers.fragment, Fragment::Later) {
        return None;
    }
    if wanted.apps.contains(App::Dns) && dns::port(headers) {
        dns::message(packet, record, headers, wanted)
    } else if wanted.apps.contains(App::Quic) {
        quic::initial(packet, record, headers)
    } else {
        None
    }
}

/// Takes back what a side was guessed to speak.
#[inline(always)]
fn leave_alone(half: &SharedHalf) {
    half.tcp.misses.set(looks::LEFT_ALONE);
    half.tcp.app.set(0);
    half.tcp.head_window.set(0);
    half.tcp.sniffing.set(half.tcp.sniffing.get() & !(sniffing::MESSAGES | sniffing::NEEDS_END));
}

/// The end of a connection that spoke HTTP is told once per side, and once more where a reset follows a FIN, so that
/// what is open can be closed; of TLS, while one side's hello is without an answer; of what may be recognised, in any case.
#[inline(always)]
fn end(record: &SharedRecord, sender: Sender, flags: u16, conversations: bool) -> Option<Find> {
    let (own, peer) = record.pair(sender);
    let (habits, others) = (own.tcp.sniffing.get(), peer.tcp.sniffing.get());
    // Of a conversation that may be recognised or is, unless it is left alone.
    let followed =
        u8::from(conversations & (own.tcp.misses.get() != 0) & (own.tcp.misses.get() != looks::LEFT_ALONE));
    let open = (habits | others) & sniffing::NEEDS_END | (habits ^ others) & sniffing::HELLO | followed;
    let told = if flags & flag::RST == 0 { sniffing::END_TOLD } else { sniffing::RESET_TOLD };
    if open == 0 || flags & (flag::FIN | flag::RST) == 0 || habits & (told | sniffing::RESET_TOLD) != 0 {
        return None;
    }
    own.tcp.sniffing.set(habits | told);
    Some(Find { app: own.tcp.app.get(), kind: PayloadKind::End, len: 0 })
}

/// What the payload begins like; `answers`: the other side has sent a hello of TLS.
#[inline(always)]
fn classify<P: Packet>(packet: &P, headers: &Headers, wanted: Apps, answers: bool) -> Option<Begun> {
    let (offset, len) = headers.payload();
    let short = len < WORD;
    let word = if short {
        let first = packet.read(offset).unwrap_or(0);
        // What is not there may still become right.
        let second = if len >= 2 { packet.read(offset + 1).unwrap_or(0) } else { tls::MAJOR };
        u32::from_ne_bytes([first, second, 0, 0])
    } else {
        packet.read(offset).unwrap_or(0)
    };
    let [first, second, ..] = word.to_ne_bytes();
    let http = if short {
        http::classify_short(first, (len >= 2).then_some(second))
    } else {
        http::classify(packet, offset, word)
    };
    let old = !short && tls::is_old_hello(word.to_ne_bytes(), len);
    if wanted.contains(App::Http) && http.is_some() {
        http
    } else if wanted.contains(App::Tls) && tls::begins(first, second, answers) {
        Some(Begun::Hello)
    } else if wanted.contains(App::Tls) && old {
        Some(Begun::OldHello)
    } else if wanted.contains(App::Dns) && dns::port(headers) {
        Some(Begun::Dns)
    } else {
        None
    }
}
