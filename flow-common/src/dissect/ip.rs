//! IPv4 with options, IPv6 with extension headers, fragments, and the length of super-packets.

use core::hint::cold_path;

use super::headers::{Fragment, Headers, Skip};
use crate::{
    counter::{Counter, Family},
    key::Endpoint,
    packet::Packet,
    verifier::launder,
    wire::{
        Be16, Be32,
        ipv4::{self, Ipv4},
        ipv6::{self, Extension, Ipv6, extension},
    },
};

/// Extension headers in a row that are looked through. RFC 8200 section 4.1 lets each occur once, the
/// destination options twice.
const MAX_EXTENSIONS: u32 = 8;

/// Reads an IPv4 header; returns where the transport header begins, and its protocol.
#[inline(always)]
pub(super) fn ipv4<P: Packet>(packet: &P, offset: u32, headers: &mut Headers) -> Result<(u32, u8), Skip> {
    let header: Ipv4 = packet.read(offset).ok_or(Skip::new(Counter::Truncated, Family::Ipv4))?;
    let header_len = header.header_len();
    if header.version() != 4 || header_len < 20 {
        return Err(Skip::new(Counter::Malformed, Family::Ipv4));
    }
    headers.ip_len = match header.total_length() {
        // BIG TCP: a super-packet of over 64 KiB has no room for its length (Linux 6.3 and later).
        0 => {
            cold_path();
            packet.len().saturating_sub(offset)
        }
        length => length,
    };
    if headers.ip_len < header_len {
        return Err(Skip::new(Counter::Malformed, Family::Ipv4));
    }
    if header.later_fragment() {
        headers.fragment = Fragment::Later;
    } else if header.more_fragments() {
        headers.fragment = Fragment::First;
    }
    headers.identification = u32::from(header.identification());
    headers.tos = header.tos();
    headers.source = Endpoint::v4(header.source, 0);
    headers.destination = Endpoint::v4(header.destination, 0);
    if header_len > 20 {
        cold_path();
        follow_source_route(packet, offset, header_len, headers);
    }
    Ok((offset + header_len, header.protocol()))
}

/// IPv4 options in a row that are looked through.
const MAX_OPTIONS: u32 = 10;

/// The destination of a source-routed packet is the last address of its route, until that is reached: the field
/// in the header is only the next hop (RFC 791 section 3.1).
#[inline(always)]
fn follow_source_route<P: Packet>(packet: &P, start: u32, header_len: u32, headers: &mut Headers) {
    let mut at = 20;
    for _ in 0..MAX_OPTIONS {
        at = launder(&mut headers.payload_offset, at);
        if at + 3 > header_len {
            break;
        }
        let Some(head) = packet.read::<Be16>(start + at) else { break };
        let (kind, length) = ((head.get() >> 8) as u8, head.get() & 0xff);
        if kind == 0 || kind != 1 && length < 3 {
            break;
        }
        if ipv4::SOURCE_ROUTES.contains(&kind) {
            let Some(pointer) = packet.read::<u8>(start + at + 2) else { break };
            let last = start + at + u32::from(length) - 4;
            if u16::from(pointer) < length
                && length >= 7
                && let Some(address) = packet.read::<u32>(last)
            {
                headers.destination = Endpoint::v4(address, 0);
            }
            break;
        }
        at += if kind == 1 { 1 } else { u32::from(length) };
    }
}

/// Reads an IPv6 header and its extension headers; returns where the transport header begins, and its protocol.
#[inline(always)]
pub(super) fn ipv6<P: Packet>(packet: &P, offset: u32, headers: &mut Headers) -> Result<(u32, u8), Skip> {
    let header: Ipv6 = packet.read(offset).ok_or(Skip::new(Counter::Truncated, Family::Ipv6))?;
    if header.version() != 6 {
        return Err(Skip::new(Counter::Malformed, Family::Ipv6));
    }
    headers.ip_len = match header.payload_length() {
        0 => {
            cold_path();
            jumbo_len(packet, offset, header.next_header(), headers)
        }
        length => length + ipv6::HEADER_LEN,
    };
    headers.tos = header.traffic_class();
    headers.source = Endpoint { address: header.source, port: 0 };
    headers.destination = Endpoint { address: header.destination, port: 0 };
    let at = offset + ipv6::HEADER_LEN;
    if is_extension(header.next_header()) {
        cold_path();
        return Ok(extensions(packet, at, header.next_header(), headers));
    }
    Ok((at, header.next_header()))
}

#[inline(always)]
const fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        extension::HOP_BY_HOP
            | extension::ROUTING
            | extension::FRAGMENT
            | extension::AUTHENTICATION
            | extension::DESTINATION
            | extension::MOBILITY
            | extension::HIP
            | extension::SHIM6
    )
}

/// Walks the extension headers; returns where the chain ends, and the protocol there.
///
/// A chain that is cut or longer than [`MAX_EXTENSIONS`] ends at the header that could not be passed: its
/// own number is then the protocol, and the packet is still a flow.
#[inline(always)]
fn extensions<P: Packet>(packet: &P, start: u32, first: u8, headers: &mut Headers) -> (u32, u8) {
    let mut at = start;
    let mut protocol = first;
    for _ in 0..MAX_EXTENSIONS {
        at = launder(&mut headers.payload_offset, at);
        protocol = launder(&mut headers.protocol, protocol);
        if !is_extension(protocol) {
            break;
        }
        if protocol == extension::FRAGMENT {
            let Some(header) = packet.read::<ipv6::Fragment>(at) else { break };
            protocol = header.next_header();
            at += size_of::<ipv6::Fragment>() as u32;
            headers.identification = header.identification();
            if header.later_fragment() {
                headers.fragment = Fragment::Later;
                break;
            }
            if header.more_fragments() {
                headers.fragment = Fragment::First;
            }
        } else {
            let Some(header) = packet.read::<Extension>(at) else { break };
            at = at.saturating_add(header.bytes(protocol));
            protocol = header.next_header();
        }
    }
    (at, protocol)
}

/// Length of a packet whose payload length is 0: the jumbo option's (RFC 2675), else the frame's where
/// that is more than the field could say (BIG TCP without the option, Linux 6.3 and later), else the header's.
/// An option that claims more than the frame holds counts for what there is.
#[inline(always)]
fn jumbo_len<P: Packet>(packet: &P, offset: u32, next_header: u8, headers: &mut Headers) -> u32 {
    let in_frame = packet.len().saturating_sub(offset);
    if next_header == extension::HOP_BY_HOP {
        let options = offset + ipv6::HEADER_LEN;
        if packet.read::<Be16>(options + 2).is_some_and(|head| head.get() == ipv6::JUMBO)
            && let Some(length) = packet.read::<Be32>(options + 4)
        {
            headers.jumbo_len = ipv6::JUMBO_LEN;
            return length.get().saturating_add(ipv6::HEADER_LEN).min(in_frame);
        }
    }
    if in_frame > u32::from(u16::MAX) { in_frame } else { ipv6::HEADER_LEN }
}
