//! Ports, TCP's fields, ICMP's type, and where the payload begins.

use core::hint::cold_path;

use super::headers::{Fragment, Headers, Segment, Skip, Transport};
use crate::{
    counter::{Counter, Family},
    packet::{Packet, Wire},
    verifier::{count, launder},
    wire::{
        Be16, Be32,
        icmp::{self, Icmp},
        sctp,
        tcp::{AlignedTimestamps, Tcp, option},
        udp::{self, Ports},
    },
};

/// IP protocol numbers with a meaning here (IANA "Protocol Numbers").
pub mod protocol {
    pub const ICMP: u8 = 1;
    pub const IPIP: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const GRE: u8 = 47;
    pub const ICMPV6: u8 = 58;
    pub const SCTP: u8 = 132;
    pub const UDP_LITE: u8 = 136;
    pub const DCCP: u8 = 33;
}

/// Reads the transport header at `at`; returns its length.
///
/// The IP packet may end before the frame does, which is padded: what stands behind its end is no header.
#[inline(always)]
pub(super) fn read<P: Packet>(packet: &P, at: u32, protocol: u8, headers: &mut Headers) -> Result<u32, Skip> {
    if matches!(headers.fragment, Fragment::Later) {
        return Ok(0);
    }
    let room = headers.end().saturating_sub(at);
    match protocol {
        protocol::TCP => tcp(packet, at, room, headers),
        protocol::UDP | protocol::UDP_LITE => ports(packet, at, room, headers, udp::HEADER_LEN),
        protocol::SCTP | protocol::DCCP => ports(packet, at, room, headers, sctp::HEADER_LEN),
        protocol::ICMP | protocol::ICMPV6 => icmp(packet, at, room, headers),
        _ => Ok(0),
    }
}

/// A value of the transport header, which has `room` bytes.
#[inline(always)]
fn within<T: Wire, P: Packet>(packet: &P, at: u32, room: u32) -> Option<T> {
    if room < size_of::<T>() as u32 { None } else { packet.read(at) }
}

/// A header cut behind its ports still names its flow: routers that send ICMP errors quote no more, and
/// tiny first fragments hold no more (RFC 1858).
#[inline(always)]
fn tcp<P: Packet>(packet: &P, at: u32, room: u32, headers: &mut Headers) -> Result<u32, Skip> {
    let Some(header) = within::<Tcp, P>(packet, at, room) else {
        return ports(packet, at, room, headers, 20);
    };
    headers.source.port = header.source();
    headers.destination.port = header.destination();
    let header_len = header.header_len();
    if header_len < 20 {
        return Err(Skip::new(Counter::Malformed, headers.family));
    }
    headers.transport = Transport::Tcp;
    headers.segment = Segment {
        sequence: header.sequence(),
        acknowledgement: header.acknowledgement(),
        window: header.window(),
        flags: header.flags(),
        timestamp: 0,
        echo: 0,
    };
    if header_len >= 32 {
        timestamps(packet, at, header_len, &mut headers.segment);
    }
    Ok(header_len)
}

/// Value and echo of the timestamps option.
#[inline(always)]
fn timestamps<P: Packet>(packet: &P, at: u32, header_len: u32, segment: &mut Segment) {
    let Some(options) = packet.read::<AlignedTimestamps>(at + 20) else { return };
    if let Some(pair) = options.get() {
        (segment.timestamp, segment.echo) = pair;
        return;
    }
    cold_path();
    let mut offset = 20;
    let mut taken = 0;
    while count(taken) < MAX_OPTIONS {
        taken += 1;
        offset = launder(&mut segment.echo, offset);
        if offset + 10 > header_len {
            break;
        }
        let Some(head) = packet.read::<Be16>(at + offset) else { break };
        if head.get() == option::TIMESTAMPS {
            segment.timestamp = packet.read::<Be32>(at + offset + 2).unwrap_or_default().get();
            segment.echo = packet.read::<Be32>(at + offset + 6).unwrap_or_default().get();
            return;
        }
        offset += option::step(head.get());
    }
    segment.echo = 0;
}

/// TCP options in a row that are looked through for a timestamp in an unusual place.
const MAX_OPTIONS: u64 = 8;

#[inline(always)]
fn ports<P: Packet>(
    packet: &P,
    at: u32,
    room: u32,
    headers: &mut Headers,
    header_len: u32,
) -> Result<u32, Skip> {
    let header: Ports = within(packet, at, room).ok_or(Skip::new(Counter::Truncated, headers.family))?;
    headers.source.port = header.source();
    headers.destination.port = header.destination();
    Ok(header_len)
}

/// Messages of a pair carry the same identifier: it stands in for both ports, so that each echo sequence
/// is a flow of its own. The eight bytes of the ICMP header count as header.
#[inline(always)]
fn icmp<P: Packet>(packet: &P, at: u32, room: u32, headers: &mut Headers) -> Result<u32, Skip> {
    let header: Icmp = within(packet, at, room).ok_or(Skip::new(Counter::Truncated, headers.family))?;
    let ipv6 = matches!(headers.family, Family::Ipv6);
    if header.has_identifier(ipv6) {
        let (at, room) = (at + icmp::IDENTIFIER_OFFSET, room.saturating_sub(icmp::IDENTIFIER_OFFSET));
        let identifier = within::<icmp::Identifier, P>(packet, at, room).unwrap_or_default().get();
        headers.source.port = identifier;
        headers.destination.port = identifier;
    }
    headers.transport = if header.is_answer(ipv6) { Transport::IcmpAnswer } else { Transport::Icmp };
    headers.icmp = (header.kind(), header.code());
    Ok(icmp::HEADER_LEN)
}
