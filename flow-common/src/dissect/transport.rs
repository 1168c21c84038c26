//! Ports, TCP's fields, ICMP's type, and where the payload begins.

use super::{Fragment, Headers, Skip, link::Network, network::Ip};
use crate::{
    counter::{Counter, Family},
    packet::Packet,
    wire::{
        Be16, Be32,
        icmp::{self, Icmp},
        sctp,
        tcp::{AlignedTimestamps, Tcp, flag, option},
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

/// What the transport header says beside the ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Nothing more.
    Other,
    Tcp(Segment),
    Icmp { kind: u8, code: u8, answer: bool },
}

/// A TCP segment's header, in host order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    pub sequence: u32,
    pub acknowledgement: u32,
    /// Not scaled.
    pub window: u16,
    /// Bits of [`crate::wire::tcp::flag`].
    pub flags: u16,
    /// Value and echo of the timestamps option (RFC 7323); 0 and 0 where there is none.
    pub timestamp: u32,
    pub echo: u32,
}

impl Segment {
    /// Sequence number of the first payload byte: a SYN takes one itself (RFC 9293 section 3.4).
    #[inline(always)]
    #[must_use]
    pub const fn payload_sequence(&self) -> u32 {
        self.sequence.wrapping_add((self.flags & flag::SYN != 0) as u32)
    }
}

/// Reads the transport header behind `ip`.
#[inline(always)]
pub(super) fn read<P: Packet>(packet: &P, network: &Network, ip: &Ip) -> Result<Headers, Skip> {
    let at = network.offset + ip.header_len;
    let mut headers = Headers {
        source: ip.source,
        destination: ip.destination,
        vlans: network.vlans,
        family: network.family,
        protocol: ip.protocol,
        tos: ip.tos,
        fragment: ip.fragment,
        ip_offset: network.offset,
        ip_len: ip.ip_len,
        payload_offset: at,
        payload_len: ip.ip_len.saturating_sub(ip.header_len),
        transport: Transport::Other,
    };
    if matches!(ip.fragment, Fragment::Later { .. }) {
        return Ok(headers);
    }
    let header_len = match ip.protocol {
        protocol::TCP => tcp(packet, at, &mut headers)?,
        protocol::UDP | protocol::UDP_LITE => ports(packet, at, &mut headers, udp::HEADER_LEN)?,
        protocol::SCTP | protocol::DCCP => ports(packet, at, &mut headers, sctp::HEADER_LEN)?,
        protocol::ICMP | protocol::ICMPV6 => icmp(packet, at, &mut headers)?,
        _ => 0,
    };
    headers.payload_offset = at + header_len;
    headers.payload_len = headers.payload_len.saturating_sub(header_len);
    Ok(headers)
}

/// A header cut behind its ports still names its flow: routers that send ICMP errors quote no more, and
/// tiny first fragments hold no more (RFC 1858).
#[inline(always)]
fn tcp<P: Packet>(packet: &P, at: u32, headers: &mut Headers) -> Result<u32, Skip> {
    let Some(header) = packet.read::<Tcp>(at) else {
        return ports(packet, at, headers, 20);
    };
    headers.source.port = header.source();
    headers.destination.port = header.destination();
    let header_len = header.header_len();
    if header_len < 20 {
        return Err(Skip::new(Counter::Malformed, headers.family));
    }
    let (timestamp, echo) = if header_len >= 32 { timestamps(packet, at, header_len) } else { (0, 0) };
    headers.transport = Transport::Tcp(Segment {
        sequence: header.sequence(),
        acknowledgement: header.acknowledgement(),
        window: header.window(),
        flags: header.flags(),
        timestamp,
        echo,
    });
    Ok(header_len)
}

/// Value and echo of the timestamps option, 0 and 0 where there is none.
#[inline(always)]
fn timestamps<P: Packet>(packet: &P, at: u32, header_len: u32) -> (u32, u32) {
    let Some(options) = packet.read::<AlignedTimestamps>(at + 20) else { return (0, 0) };
    if let Some(pair) = options.get() {
        return pair;
    }
    let mut offset = 20;
    for _ in 0..MAX_OPTIONS {
        if offset + 10 > header_len {
            break;
        }
        let Some(head) = packet.read::<Be16>(at + offset) else { break };
        let (kind, length) = ((head.get() >> 8) as u8, head.get() as u8);
        offset += match kind {
            option::END => break,
            option::NO_OPERATION => 1,
            option::TIMESTAMPS if length == 10 => {
                let value = packet.read::<Be32>(at + offset + 2);
                let echo = packet.read::<Be32>(at + offset + 6);
                return (value.unwrap_or_default().get(), echo.unwrap_or_default().get());
            }
            _ if length < 2 => break,
            _ => u32::from(length),
        };
    }
    (0, 0)
}

/// TCP options in a row that are looked through for a timestamp in an unusual place.
const MAX_OPTIONS: u32 = 8;

#[inline(always)]
fn ports<P: Packet>(packet: &P, at: u32, headers: &mut Headers, header_len: u32) -> Result<u32, Skip> {
    let header: Ports = packet.read(at).ok_or(Skip::new(Counter::Truncated, headers.family))?;
    headers.source.port = header.source();
    headers.destination.port = header.destination();
    Ok(header_len)
}

/// Messages of a pair carry the same identifier: it stands in for both ports, so that each echo sequence
/// is a flow of its own. The eight bytes of the ICMP header count as header.
#[inline(always)]
fn icmp<P: Packet>(packet: &P, at: u32, headers: &mut Headers) -> Result<u32, Skip> {
    let header: Icmp = packet.read(at).ok_or(Skip::new(Counter::Truncated, headers.family))?;
    let ipv6 = matches!(headers.family, Family::Ipv6);
    if header.has_identifier(ipv6) {
        let identifier = packet.read::<icmp::Identifier>(at + icmp::IDENTIFIER_OFFSET).unwrap_or_default().get();
        headers.source.port = identifier;
        headers.destination.port = identifier;
    }
    headers.transport =
        Transport::Icmp { kind: header.kind, code: header.code, answer: header.is_answer(ipv6) };
    Ok(icmp::HEADER_LEN)
}
