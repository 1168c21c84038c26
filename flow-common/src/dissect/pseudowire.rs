//! What stands behind MPLS labels, which do not say: an IP packet, or the Ethernet frame of a pseudowire.

use crate::{
    packet::Packet,
    verifier::count,
    wire::{
        ethernet::{self, ethertype},
        ipv6,
        mpls::{self, Payload},
    },
};

/// How much speaks for an IP packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ip {
    No,
    /// Unless it is more like a frame.
    Perhaps,
    Yes,
}

/// No EtherType: IEEE keeps this one for nobody.
const NOTHING: u16 = 0xffff;
/// Bytes of the shortest Ethernet frame, with its check sequence (IEEE 802.3 section 3.2.8).
const MIN_FRAME: u32 = 64;
/// Bytes of a frame's check sequence.
const CHECK: u32 = 4;

/// Says what begins at `at`: where to go on, and by which EtherType, which is no known one where there is neither IP
/// nor a frame; `None` where the packet ends too early to tell.
///
/// Routers go by the first four bits: 4 and 6 for IP, 0 for a control word, all else for a frame (RFC 4928). But a frame
/// without control word begins with a MAC address, which may have any of them. So IP must have the right length or
/// checksum, or say no length, or look like no frame, and a frame an EtherType that is known and fits what follows; what is neither is no IP.
///
/// By numbers and with one reading: the verifier walks each more once for every way here.
#[inline(always)]
pub(super) fn behind_labels<P: Packet>(packet: &P, at: u32) -> Option<(u32, u16)> {
    let payload = packet.read::<Payload>(at)?;
    let room = packet.len().saturating_sub(at);
    let padded = packet.len() <= MIN_FRAME;
    let (ip, kind) = match payload.bits() {
        4 => (ipv4(&payload, room), ethertype::IPV4),
        6 => (ipv6(&payload, room), ethertype::IPV6),
        _ => (Ip::No, NOTHING),
    };
    if ip == Ip::Yes {
        return Some((at, kind));
    }
    // With the control word, and without.
    let mut words = u64::from(is_control_word(&payload, room, padded)) + 1;
    while count(words) != 0 {
        words -= 1;
        let (word, control) =
            if words == 0 { (payload.at(12), 0) } else { (payload.at(16), mpls::CONTROL_WORD_LEN) };
        if is_frame(word) {
            return Some((at + control + ethernet::HEADER_LEN, (word >> 16) as u16));
        }
    }
    Some((at, if ip == Ip::Perhaps { kind } else { NOTHING }))
}

#[inline(always)]
const fn ipv4(payload: &Payload, room: u32) -> Ip {
    let (header_len, length) = ((payload.at(0) >> 24 & 0xf) * 4, payload.at(0) & 0xffff);
    if header_len < 20 {
        return Ip::No;
    }
    if header_len == 20 && payload.sums_up() {
        return Ip::Yes;
    }
    // Anonymisers leave a wrong checksum; super-packets may say no length (BIG TCP), and have none yet.
    if length == room || length == 0 || has_more(payload, length, room) { Ip::Perhaps } else { Ip::No }
}

/// Whether bytes follow the packet, and none that stands where a frame has its EtherType is like one: those assigned
/// begin with 8 or 9, but for a few that [`is_frame`] knows (IANA "IEEE 802 Numbers"); below are lengths of LLC.
#[inline(always)]
const fn has_more(payload: &Payload, length: u32, room: u32) -> bool {
    let kind = (payload.at(12) >> 16) as u16;
    length < room && !matches!(kind, 1..=ethernet::MAX_LENGTH | 0x8000..=0x9fff)
}

/// The header has no checksum, and is longer than what Ethernet pads.
#[inline(always)]
const fn ipv6(payload: &Payload, room: u32) -> Ip {
    let length = (payload.at(4) >> 16) + ipv6::HEADER_LEN;
    if length == room {
        Ip::Yes
    } else if length + CHECK == room || length == ipv6::HEADER_LEN || has_more(payload, length, room) {
        Ip::Perhaps
    } else {
        Ip::No
    }
}

/// Whether a control word may stand in front: four bits of 0, no flags, no fragments, and the length only of what is so
/// short that Ethernet pads it (RFC 4385 section 3, RFC 4448 section 4.6).
#[inline(always)]
const fn is_control_word(payload: &Payload, room: u32, padded: bool) -> bool {
    let start = payload.at(0) >> 16;
    start == 0 || start < 64 && (start == room || padded)
}

/// Whether a frame's EtherType and the two bytes behind it look like ones.
#[inline(always)]
const fn is_frame(word: u32) -> bool {
    let (kind, version) = ((word >> 16) as u16, word >> 12 & 0xf);
    match kind {
        ethertype::IPV4 => version == 4,
        ethertype::IPV6 => version == 6,
        ethertype::ARP | ethertype::PPPOE_SESSION => true,
        kind => ethernet::is_vlan(kind),
    }
}
