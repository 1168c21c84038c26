//! Finds the IP packet in a frame: VLAN tags, PPPoE, MPLS, and the link layers that captures bring.

use core::hint::cold_path;

use super::headers::{Link, NO_TAG, Skip, Start};
use crate::{
    counter::{Counter, Family},
    packet::Packet,
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

/// VLAN tags in a row that are looked through, the moved one included.
const MAX_TAGS: usize = 3;
/// MPLS labels in a row that are looked through; provider cores stack three or four.
const MAX_LABELS: u32 = 8;

const TRUNCATED: Skip = Skip::new(Counter::Truncated, Family::Other);
const NOT_IP: Skip = Skip::new(Counter::NotIp, Family::Other);

/// Walks from the start of a frame to its IP packet; notes the VLAN ids on the way, 12 bits each.
#[inline(always)]
pub fn find_ip<P: Packet>(packet: &P, start: &Start, vlans: &mut u64) -> Result<IpPacket, Skip> {
    let moved = start.moved_tag != NO_TAG;
    *vlans = if moved { u64::from(start.moved_tag) } else { 0 };
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
            behind_tags(packet, offset, ethertype, vlans, moved)
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
        Link::Ppp => {
            let framing = if word(packet, at)? == ppp::ADDRESS_CONTROL { 2 } else { 0 };
            ppp_payload(packet, at + framing)
        }
        _ if !P::CAPTURED => Err(NOT_IP),
        Link::Sll => Ok(Found::Ethertype(at + link::SLL_LEN, word(packet, at + link::SLL_PROTOCOL)?)),
        Link::Sll2 => Ok(Found::Ethertype(at + link::SLL2_LEN, word(packet, at)?)),
        Link::CiscoHdlc => Ok(Found::Ethertype(at + link::CHDLC_LEN, word(packet, at + 2)?)),
        Link::Null => {
            let family = packet.read::<Be32>(at).ok_or(TRUNCATED)?.get();
            link::null_family(family).or(link::null_family(family.swap_bytes())).ok_or(NOT_IP)?;
            Ok(Found::Ip(at + link::NULL_LEN))
        }
        Link::Nflog => nflog(packet, at),
        Link::Ethernet | Link::Ip => Ok(Found::Ip(at)),
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

/// VLAN tags, LLC with SNAP, a PPPoE session, an MPLS stack: in this order, each optional.
#[inline(always)]
fn behind_tags<P: Packet>(
    packet: &P,
    mut offset: u32,
    mut ethertype: u16,
    vlans: &mut u64,
    moved: bool,
) -> Result<IpPacket, Skip> {
    for index in 0..MAX_TAGS {
        if (index == 0 && moved) || !ethernet::is_vlan(ethertype) {
            continue;
        }
        let tag: VlanTag = packet.read(offset).ok_or(TRUNCATED)?;
        *vlans |= u64::from(tag.id()) << (12 * index);
        ethertype = tag.ethertype();
        offset += size_of::<VlanTag>() as u32;
    }
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
        ethertype::IPV4 => Ok(IpPacket { offset, family: Family::Ipv4 }),
        ethertype::IPV6 => Ok(IpPacket { offset, family: Family::Ipv6 }),
        ethertype::MPLS | ethertype::MPLS_MULTICAST => {
            for _ in 0..MAX_LABELS {
                let entry = packet.read::<Be32>(offset).ok_or(TRUNCATED)?.get();
                offset += mpls::ENTRY_LEN;
                if mpls::is_bottom(entry) {
                    return by_version(packet, offset);
                }
            }
            Err(NOT_IP)
        }
        ethertype::ARP | ethertype::RARP => Err(Skip::new(Counter::Arp, Family::Other)),
        _ => Err(NOT_IP),
    }
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
