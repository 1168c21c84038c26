//! The packet inside a packet: GRE, ERSPAN, IP in IP, VXLAN, Geneve, GTP-U, Teredo.

use core::hint::cold_path;

use super::{
    headers::{Fragment, Headers, Link, NO_TAG, Start},
    transport::protocol,
};
use crate::{
    counter::Family,
    key::TunnelKind,
    packet::Packet,
    verifier::count,
    wire::{
        Be16, Be32,
        erspan::{self, Erspan},
        ethernet::ethertype,
        geneve::{self, Geneve},
        gre::Gre,
        gtp::{self, Gtp},
        ipv6::{self, Ipv6},
        teredo,
        vxlan::{self, Vxlan},
    },
};

/// A tunnelled packet: where it begins, and what wraps it.
#[derive(Clone, Copy, Debug)]
pub struct Inner {
    pub start: Start,
    pub kind: TunnelKind,
    /// VNI, TEID, GRE key or mirror session; 0 where the tunnel has none.
    pub id: u32,
}

/// The packet that `headers` carry, if they are a tunnel's. A later fragment shows no inner header.
#[inline(always)]
pub fn inner<P: Packet>(packet: &P, headers: &Headers) -> Option<Inner> {
    if matches!(headers.fragment, Fragment::Later) {
        return None;
    }
    let at = headers.payload_offset;
    let outer_v4 = matches!(headers.family, Family::Ipv4);
    match headers.protocol {
        protocol::IPIP => Some(plain(at, if outer_v4 { TunnelKind::Ipip } else { TunnelKind::FourInSix })),
        protocol::IPV6 => {
            Some(plain(at, if outer_v4 { TunnelKind::SixInFour } else { TunnelKind::SixInSix }))
        }
        protocol::GRE => gre(packet, at),
        protocol::UDP => match (headers.source.port, headers.destination.port) {
            (_, port) if vxlan::PORTS.contains(&port) => vxlan(packet, at),
            (_, geneve::PORT) => geneve(packet, at),
            (gtp::PORT, _) | (_, gtp::PORT) => gtp(packet, at),
            (teredo::PORT, _) | (_, teredo::PORT) => teredo(packet, at),
            _ => teredo_relayed(packet, at, headers.payload_len),
        },
        _ => None,
    }
}

/// Teredo between clients and relays uses any ports (RFC 4380 section 5.4): then the payload must be just one
/// IPv6 packet, and one of its addresses a Teredo address.
#[inline(always)]
fn teredo_relayed<P: Packet>(packet: &P, at: u32, len: u32) -> Option<Inner> {
    let header: Ipv6 = packet.read(at)?;
    let fits = header.version() == 6 && header.payload_length() + ipv6::HEADER_LEN == len;
    (fits && (is_teredo(header.source) || is_teredo(header.destination)))
        .then(|| plain(at, TunnelKind::Teredo))
}

/// Whether an address is in 2001::/32 (RFC 4380 section 2.6).
#[inline(always)]
const fn is_teredo(address: [u64; 2]) -> bool {
    u64::from_be(address[0]) >> 32 == 0x2001_0000
}

#[inline(always)]
const fn begin(offset: u32, link: Link) -> Start {
    Start { offset, link, moved_tag: NO_TAG }
}

#[inline(always)]
const fn plain(offset: u32, kind: TunnelKind) -> Inner {
    Inner { start: begin(offset, Link::Ip), kind, id: 0 }
}

/// How an EtherType inside GRE or Geneve begins.
#[inline(always)]
const fn link_of(ethertype: u16) -> Option<Link> {
    match ethertype {
        ethertype::IPV4 | ethertype::IPV6 => Some(Link::Ip),
        ethertype::TRANSPARENT_ETHERNET => Some(Link::Ethernet),
        ethertype::PPP => Some(Link::Ppp),
        _ => None,
    }
}

#[inline(always)]
fn gre<P: Packet>(packet: &P, at: u32) -> Option<Inner> {
    let header: Gre = packet.read(at)?;
    if matches!(header.protocol(), ethertype::ERSPAN | ethertype::ERSPAN_III) {
        cold_path();
        return erspan(packet, at + header.bytes()?, header.has_sequence());
    }
    let link = link_of(header.protocol())?;
    let id = match header.key_offset() {
        Some(offset) => packet.read::<Be32>(at + offset)?.get(),
        None => 0,
    };
    // PPTP's key is a payload length and the call id that the receiver chose (RFC 2637 section 4.1).
    let id = id & u32::from(header.version() == 1).wrapping_sub(1);
    Some(Inner { start: begin(at + header.bytes()?, link), kind: TunnelKind::Gre, id })
}

/// Type I has no header of its own, and its GRE no sequence number; the others say which type they are.
#[inline(always)]
fn erspan<P: Packet>(packet: &P, at: u32, has_header: bool) -> Option<Inner> {
    let (len, link, id) = if has_header {
        let header: Erspan = packet.read(at)?;
        match header.version() {
            1 => (erspan::HEADER_LEN_II, Link::Ethernet, header.session()),
            2 => {
                let flags: erspan::Flags = packet.read(at + erspan::FLAGS_OFFSET)?;
                let link = match flags.frame_type() {
                    0 => Link::Ethernet,
                    2 => Link::Ip,
                    _ => return None,
                };
                let subheader = if flags.has_subheader() { erspan::SUBHEADER_LEN } else { 0 };
                (erspan::HEADER_LEN_III + subheader, link, header.session())
            }
            _ => return None,
        }
    } else {
        (0, Link::Ethernet, 0)
    };
    Some(Inner { start: begin(at + len, link), kind: TunnelKind::Erspan, id })
}

#[inline(always)]
fn vxlan<P: Packet>(packet: &P, at: u32) -> Option<Inner> {
    let id = packet.read::<Vxlan>(at)?.vni()?;
    Some(Inner { start: begin(at + vxlan::HEADER_LEN, Link::Ethernet), kind: TunnelKind::Vxlan, id })
}

#[inline(always)]
fn geneve<P: Packet>(packet: &P, at: u32) -> Option<Inner> {
    let header: Geneve = packet.read(at)?;
    if header.version() != 0 {
        return None;
    }
    let link = link_of(header.protocol())?;
    Some(Inner { start: begin(at + header.bytes(), link), kind: TunnelKind::Geneve, id: header.vni() })
}

/// GTP-U extension headers in a row that are looked through; 5G sends one (PDU session container).
const MAX_GTP_EXTENSIONS: u64 = 4;

#[inline(always)]
fn gtp<P: Packet>(packet: &P, at: u32) -> Option<Inner> {
    let header: Gtp = packet.read(at)?;
    if !header.is_version_1() || header.kind() != gtp::G_PDU {
        return None;
    }
    let mut offset = at + header.bytes();
    if header.has_extensions() {
        let mut next = packet.read::<u8>(offset - 1)?;
        let mut taken = 0;
        while count(taken) < MAX_GTP_EXTENSIONS && next != 0 {
            taken += 1;
            // An extension's length counts units of four bytes; its last byte names the next one.
            let length = u32::from(packet.read::<u8>(offset)?) * 4;
            if length == 0 {
                return None;
            }
            offset += length;
            next = packet.read::<u8>(offset - 1)?;
        }
    }
    Some(Inner { start: begin(offset, Link::Ip), kind: TunnelKind::GtpU, id: header.teid() })
}

#[inline(always)]
fn teredo<P: Packet>(packet: &P, at: u32) -> Option<Inner> {
    let mut offset = at;
    if packet.read::<Be16>(offset)?.get() == teredo::AUTHENTICATION {
        let [client, authentication] = packet.read::<Be16>(offset + 2)?.get().to_be_bytes();
        offset += teredo::AUTHENTICATION_LEN + u32::from(client) + u32::from(authentication);
    }
    if packet.read::<Be16>(offset)?.get() == teredo::ORIGIN {
        offset += teredo::ORIGIN_LEN;
    }
    if packet.read::<u8>(offset)? >> 4 != 6 {
        return None;
    }
    Some(plain(offset, TunnelKind::Teredo))
}
