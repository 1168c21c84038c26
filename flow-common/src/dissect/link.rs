//! Finds the IP packet in a frame: VLAN tags, PPPoE, MPLS, and the link layers that captures bring.

use core::hint::cold_path;

use super::{
    headers::{Headers, Link, NO_TAG, Skip, Start},
    pseudowire,
};
use crate::{
    counter::{Counter, Family},
    packet::Packet,
    verifier::{count, launder},
    wire::{
        Be16, Be32,
        ethernet::{self, Snap, VlanTag, ethertype},
        link, mpls, ppp,
    },
};

/// The IP packet of a frame.
#[derive(Clone, Copy, Debug)]
pub struct IpPacket {
    /// Where its header begins.
    pub offset: u32,
    /// [`Family::Ipv4`] or [`Family::Ipv6`].
    pub family: Family,
}

/// VLAN tags in a row that are looked through; the ids of the first three are kept.
const MAX_TAGS: u64 = 4;
/// MPLS labels in a row that are looked through; provider cores stack three or four.
const MAX_LABELS: u64 = 8;

const TRUNCATED: Skip = Skip::new(Counter::Truncated, Family::Other);
const NOT_IP: Skip = Skip::new(Counter::NotIp, Family::Other);

/// Walks from the start of a frame to its IP packet; notes the VLAN ids on the way in `headers`, whose other fields
/// are of no use then.
#[inline(always)]
pub fn find_ip<P: Packet>(packet: &P, start: &Start, headers: &mut Headers) -> Result<IpPacket, Skip> {
    headers.vlans = if start.moved_tag == NO_TAG { 0 } else { u64::from(start.moved_tag) };
    let at = start.offset;
    let (offset, ethertype) = match start.link {
        Link::Ethernet => (at + ethernet::HEADER_LEN, word(packet, at + ethernet::ETHERTYPE_OFFSET)?),
        Link::Ip => return by_version(packet, at),
        other => {
            cold_path();
            match rare_link(packet, at, other)? {
                Found::Ip(offset) => return by_version(packet, offset),
                Found::Ethertype(offset, ethertype) => (offset, ethertype),
            }
        }
    };
    match ethertype {
        ethertype::IPV4 => Ok(IpPacket { offset, family: Family::Ipv4 }),
        ethertype::IPV6 => Ok(IpPacket { offset, family: Family::Ipv6 }),
        _ => {
            cold_path();
            behind_tags(packet, offset, ethertype, headers)
        }
    }
}

/// What stands between an unusual link header and the IP packet.
enum Found {
    Ip(u32),
    Ethertype(u32, u16),
}

#[inline(always)]
fn rare_link<P: Packet>(packet: &P, at: u32, link: Link) -> Result<Found, Skip> {
    match link {
        // Of link type PPP_HDLC and of Cisco HDLC alike, the first bytes say which of both framings it is.
        Link::Ppp | Link::CiscoHdlc if P::CAPTURED && ppp::is_cisco(word(packet, at)?) => {
            Ok(Found::Ethertype(at + link::CHDLC_LEN, word(packet, at + 2)?))
        }
        Link::Ppp | Link::CiscoHdlc if matches!(link, Link::Ppp) || P::CAPTURED => {
            let framing = if word(packet, at)? == ppp::ADDRESS_CONTROL { 2 } else { 0 };
            ppp_payload(packet, at + framing)
        }
        _ if !P::CAPTURED => Err(NOT_IP),
        Link::Sll => Ok(Found::Ethertype(at + link::SLL_LEN, word(packet, at + link::SLL_PROTOCOL)?)),
        Link::Sll2 => Ok(Found::Ethertype(at + link::SLL2_LEN, word(packet, at)?)),
        Link::Null => {
            let family = packet.read::<Be32>(at).ok_or(TRUNCATED)?.get();
            link::null_family(family).or(link::null_family(family.swap_bytes())).ok_or(NOT_IP)?;
            Ok(Found::Ip(at + link::NULL_LEN))
        }
        Link::Nflog => nflog(packet, at),
        Link::Ethernet | Link::Ip | Link::Ppp | Link::CiscoHdlc => Ok(Found::Ip(at)),
    }
}

/// PPP's protocol field is one byte where both sides agreed to compress it: its last bit is then set
/// (RFC 1661 section 2).
#[inline(always)]
fn ppp_payload<P: Packet>(packet: &P, at: u32) -> Result<Found, Skip> {
    let first = packet.read::<u8>(at).ok_or(TRUNCATED)?;
    let (protocol, len) = if first & 1 == 1 { (u16::from(first), 1) } else { (word(packet, at)?, 2) };
    match protocol {
        ppp::protocol::IPV4 | ppp::protocol::IPV6 => Ok(Found::Ip(at + len)),
        ppp::protocol::MPLS => Ok(Found::Ethertype(at + len, ethertype::MPLS)),
        _ => Err(NOT_IP),
    }
}

/// NFLOG wraps the packet in type-length-value records, each padded to four bytes.
#[inline(always)]
fn nflog<P: Packet>(packet: &P, at: u32) -> Result<Found, Skip> {
    let mut offset = at + link::NFLOG_LEN;
    for _ in 0..32 {
        let record: link::NflogRecord = packet.read(offset).ok_or(TRUNCATED)?;
        if record.kind() == link::NFLOG_PAYLOAD {
            return Ok(Found::Ip(offset + 4));
        }
        if record.bytes() < 4 {
            return Err(Skip::new(Counter::Malformed, Family::Other));
        }
        offset = offset.saturating_add((record.bytes() + 3) & !3);
    }
    Err(NOT_IP)
}

/// VLAN tags, LLC with SNAP, a PPPoE session, an MPLS stack: in this order, each optional. Behind the labels an
/// Ethernet pseudowire has a frame of its own, and with it the same once more.
#[inline(always)]
fn behind_tags<P: Packet>(
    packet: &P,
    mut offset: u32,
    mut ethertype: u16,
    headers: &mut Headers,
) -> Result<IpPacket, Skip> {
    let mut frame = 0;
    loop {
        let mut tag = 0;
        while count(tag) < MAX_TAGS && ethernet::is_vlan(ethertype) {
            let header: VlanTag = packet.read(offset).ok_or(TRUNCATED)?;
            add_vlan(&mut headers.vlans, header.id());
            ethertype = header.ethertype();
            offset += size_of::<VlanTag>() as u32;
            tag += 1;
        }
        offset = launder(&mut headers.ip_offset, offset);
        ethertype = launder(&mut headers.source.port, ethertype);
        if ethertype <= ethernet::MAX_LENGTH {
            cold_path();
            // Frames of LLC alone, such as spanning tree's, may be shorter.
            let snap: Snap = packet.read(offset).ok_or(NOT_IP)?;
            ethertype = snap.ethertype().ok_or(NOT_IP)?;
            offset += size_of::<Snap>() as u32;
        }
        if ethertype == ethertype::PPPOE_SESSION {
            match ppp_payload(packet, offset + ppp::PPPOE_LEN)? {
                Found::Ip(inner) => return by_version(packet, inner),
                Found::Ethertype(inner, inner_type) => (offset, ethertype) = (inner, inner_type),
            }
        }
        match ethertype {
            ethertype::IPV4 => return Ok(IpPacket { offset, family: Family::Ipv4 }),
            ethertype::IPV6 => return Ok(IpPacket { offset, family: Family::Ipv6 }),
            ethertype::ARP | ethertype::RARP => return Err(Skip::new(Counter::Arp, Family::Other)),
            ethertype::MPLS | ethertype::MPLS_MULTICAST if count(frame) == 0 => {}
            _ => return Err(NOT_IP),
        }
        let payload = labels_end(packet, launder(&mut headers.ip_offset, offset))?;
        let (inner, inner_type) =
            pseudowire::behind_labels(packet, launder(&mut headers.ip_offset, payload)).ok_or(TRUNCATED)?;
        offset = launder(&mut headers.ip_offset, inner);
        ethertype = launder(&mut headers.source.port, inner_type);
        frame += 1;
    }
}

/// Keeps the ids of the first tags that have one: a priority tag (id 0) names no VLAN (IEEE 802.1Q section 9.6).
#[inline(always)]
const fn add_vlan(vlans: &mut u64, id: u16) {
    let taken = match *vlans {
        0 => 0,
        1..0x1000 => 1,
        0x1000..0x100_0000 => 2,
        _ => return,
    };
    *vlans |= (id as u64) << (12 * taken);
}

/// Where the label stack ends.
#[inline(always)]
fn labels_end<P: Packet>(packet: &P, mut offset: u32) -> Result<u32, Skip> {
    let mut label = 0;
    while count(label) < MAX_LABELS {
        label += 1;
        let entry = packet.read::<Be32>(offset).ok_or(TRUNCATED)?.get();
        offset += mpls::ENTRY_LEN;
        if mpls::is_bottom(entry) {
            return Ok(offset);
        }
    }
    Err(NOT_IP)
}

/// Where no field names the protocol, the version in its first byte does.
#[inline(always)]
fn by_version<P: Packet>(packet: &P, offset: u32) -> Result<IpPacket, Skip> {
    let family = match packet.read::<u8>(offset).ok_or(TRUNCATED)? >> 4 {
        4 => Family::Ipv4,
        6 => Family::Ipv6,
        _ => return Err(NOT_IP),
    };
    Ok(IpPacket { offset, family })
}

#[inline(always)]
fn word<P: Packet>(packet: &P, offset: u32) -> Result<u16, Skip> {
    Ok(packet.read::<Be16>(offset).ok_or(TRUNCATED)?.get())
}
