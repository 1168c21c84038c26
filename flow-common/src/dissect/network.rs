//! IPv4 with options, IPv6 with extension headers, fragments, and the length of super-packets.

use super::{Fragment, Skip, link::Network};
use crate::{
    counter::{Counter, Family},
    key::Endpoint,
    packet::Packet,
    wire::{
        Be16, Be32,
        ipv4::Ipv4,
        ipv6::{self, Extension, Ipv6, extension},
    },
};

/// Extension headers in a row that are looked through. RFC 8200 section 4.1 lets each occur once, the
/// destination options twice.
const MAX_EXTENSIONS: u32 = 8;

/// Reads an IPv4 header.
#[inline(always)]
pub(super) fn ipv4<P: Packet>(packet: &P, network: &Network) -> Result<Ip, Skip> {
    let truncated = Skip::new(Counter::Truncated, Family::Ipv4);
    let header: Ipv4 = packet.read(network.offset).ok_or(truncated)?;
    let header_len = header.header_len();
    if header.version() != 4 || header_len < 20 {
        return Err(Skip::new(Counter::Malformed, Family::Ipv4));
    }
    let ip_len = match header.total_length() {
        // BIG TCP: a super-packet of over 64 KiB has no room for its length (Linux 6.3 and later).
        0 => packet.len().saturating_sub(network.offset),
        length => length,
    };
    if ip_len < header_len {
        return Err(Skip::new(Counter::Malformed, Family::Ipv4));
    }
    let identification = u32::from(header.identification());
    let fragment = if header.later_fragment() {
        Fragment::Later { identification }
    } else if header.more_fragments() {
        Fragment::First { identification }
    } else {
        Fragment::Whole
    };
    Ok(Ip {
        protocol: header.protocol,
        tos: header.tos,
        fragment,
        ip_len,
        header_len,
        source: Endpoint::v4(header.source, 0),
        destination: Endpoint::v4(header.destination, 0),
    })
}

/// Reads an IPv6 header and its extension headers.
#[inline(always)]
pub(super) fn ipv6<P: Packet>(packet: &P, network: &Network) -> Result<Ip, Skip> {
    let truncated = Skip::new(Counter::Truncated, Family::Ipv6);
    let header: Ipv6 = packet.read(network.offset).ok_or(truncated)?;
    if header.version() != 6 {
        return Err(Skip::new(Counter::Malformed, Family::Ipv6));
    }
    let mut ip_len = header.payload_length() + ipv6::HEADER_LEN;
    if header.payload_length() == 0 {
        ip_len = jumbo_len(packet, network, header.next_header);
    }
    let mut protocol = header.next_header;
    let mut header_len = ipv6::HEADER_LEN;
    let mut fragment = Fragment::Whole;
    if is_extension(protocol) {
        (protocol, header_len, fragment) = extensions(packet, network.offset, protocol);
    }
    Ok(Ip {
        protocol,
        tos: header.traffic_class(),
        fragment,
        ip_len,
        header_len,
        source: Endpoint { address: header.source, port: 0 },
        destination: Endpoint { address: header.destination, port: 0 },
    })
}

/// What both versions of IP say alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ip {
    pub protocol: u8,
    pub tos: u8,
    pub fragment: Fragment,
    pub ip_len: u32,
    /// With options or extension headers.
    pub header_len: u32,
    pub source: Endpoint,
    pub destination: Endpoint,
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

/// Protocol behind the extension headers, bytes up to it, and the role in a fragmented datagram.
///
/// A chain that is cut or longer than [`MAX_EXTENSIONS`] ends at the header that could not be passed: its
/// own number is then the protocol, and the packet is still a flow.
#[inline(always)]
fn extensions<P: Packet>(packet: &P, start: u32, first: u8) -> (u8, u32, Fragment) {
    let mut protocol = first;
    let mut len = ipv6::HEADER_LEN;
    let mut fragment = Fragment::Whole;
    for _ in 0..MAX_EXTENSIONS {
        if !is_extension(protocol) {
            break;
        }
        if protocol == extension::FRAGMENT {
            let Some(header) = packet.read::<ipv6::Fragment>(start + len) else { break };
            let identification = header.identification();
            protocol = header.next_header;
            len += size_of::<ipv6::Fragment>() as u32;
            if header.later_fragment() {
                return (protocol, len, Fragment::Later { identification });
            }
            if header.more_fragments() {
                fragment = Fragment::First { identification };
            }
        } else {
            let Some(header) = packet.read::<Extension>(start + len) else { break };
            let bytes = header.bytes(protocol);
            protocol = header.next_header;
            len += bytes;
        }
    }
    (protocol, len, fragment)
}

/// Length of a packet whose payload length is 0: the jumbo option's (RFC 2675), else the frame's where
/// that is more than the field could say (BIG TCP without the option, Linux 6.3 and later), else the header's.
#[inline(always)]
fn jumbo_len<P: Packet>(packet: &P, network: &Network, next_header: u8) -> u32 {
    let in_frame = packet.len().saturating_sub(network.offset);
    if next_header == extension::HOP_BY_HOP {
        let option = network.offset + ipv6::HEADER_LEN + 2;
        if packet.read::<Be16>(option).is_some_and(|head| head.get() == ipv6::JUMBO)
            && let Some(length) = packet.read::<Be32>(option + 2)
        {
            return length.get().saturating_add(ipv6::HEADER_LEN);
        }
    }
    if in_frame > u32::from(u16::MAX) { in_frame } else { ipv6::HEADER_LEN }
}
