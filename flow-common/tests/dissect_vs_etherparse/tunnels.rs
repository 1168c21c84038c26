//! What etherparse does not know is held against the numbers it was made from: the frame kinds above IP's
//! own, and every tunnel with the packet inside.

use flow_common::{
    dissect::{Headers, Link, NO_TAG, Start, dissect, tunnel},
    key::TunnelKind,
    packet::Captured,
};

use super::try_everything;
use crate::support::frames::{self, CLIENT6, IPV4, IPV6, SERVER6, V4};

/// An IPv4 packet with ports to be recognised by.
fn inner_v4() -> Vec<u8> {
    V4 { source: [1, 2, 3, 4], ..V4::of(17) }.wrap(&frames::udp(1234, 4321, b"inside"))
}

fn inner_v6() -> Vec<u8> {
    frames::ipv6((SERVER6, CLIENT6), 0, &[], 17, &frames::udp(1234, 4321, b"inside"))
}

fn v4_udp(port: u16, payload: &[u8]) -> Vec<u8> {
    frames::ethernet(IPV4, &V4::of(17).wrap(&frames::udp(55_555, port, payload)))
}

fn read(frame: &[u8], start: Start) -> Headers {
    let mut headers = Headers::NONE;
    let packet = Captured { data: frame, original_len: frame.len() as u32 };
    assert!(dissect(&packet, &start, &mut headers).is_ok(), "{frame:02x?}");
    headers
}

const ETHERNET: Start = Start { offset: 0, link: Link::Ethernet, moved_tag: NO_TAG };

/// Reads the packet inside, and tries every cut and damage.
fn holds(frame: &[u8], kind: TunnelKind, id: u32) {
    let outer = read(frame, ETHERNET);
    let packet = Captured { data: frame, original_len: frame.len() as u32 };
    let Some(inner) = tunnel::inner(&packet, &outer) else { panic!("{kind:?} not seen") };
    assert_eq!((inner.kind, inner.id), (kind, id));
    let headers = read(frame, inner.start);
    assert_eq!((headers.source.port, headers.destination.port), (1234, 4321));
    assert_eq!(headers.payload_len, 6);
    assert_eq!(headers.end() as usize, frame.len());
    try_everything(frame);
}

#[test]
fn vxlan_on_both_ports() {
    for port in [4789, 8472] {
        holds(
            &v4_udp(port, &frames::vxlan(0xab_cdef, &frames::ethernet(IPV6, &inner_v6()))),
            TunnelKind::Vxlan,
            0xab_cdef,
        );
    }
}

#[test]
fn geneve_with_and_without_options() {
    for options in [&[][..], &[1; 4], &[1; 60], &[1; 252]] {
        holds(&v4_udp(6081, &frames::geneve(77, options, IPV4, &inner_v4())), TunnelKind::Geneve, 77);
    }
    let frame = frames::ethernet(IPV4, &inner_v4());
    holds(&v4_udp(6081, &frames::geneve(77, &[], 0x6558, &frame)), TunnelKind::Geneve, 77);
}

#[test]
fn gtp_with_and_without_extensions() {
    for extended in [false, true] {
        holds(&v4_udp(2152, &frames::gtp(0x0102_0304, extended, &inner_v6())), TunnelKind::GtpU, 0x0102_0304);
    }
}

#[test]
fn teredo_with_its_indications() {
    let origin = [0, 0, 0xaa, 0xbb, 1, 2, 3, 4];
    let authentication = [0, 1, 1, 2, 9, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for lead in [&[][..], &origin, &authentication, &[&authentication[..], &origin].concat()] {
        holds(&v4_udp(3544, &[lead, &inner_v6()].concat()), TunnelKind::Teredo, 0);
    }
}

#[test]
fn gre_with_every_set_of_fields() {
    for bits in 0..8_u16 {
        let (checksum, key, sequence) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        let flags = u16::from(checksum) << 15 | u16::from(key) << 13 | u16::from(sequence) << 12;
        let mut header = [flags.to_be_bytes(), IPV4.to_be_bytes()].concat();
        for (present, word) in [(checksum, 1_u32), (key, 0xfeed), (sequence, 3)] {
            if present {
                header.extend(word.to_be_bytes());
            }
        }
        header.extend(inner_v4());
        holds(
            &frames::ethernet(IPV4, &V4::of(47).wrap(&header)),
            TunnelKind::Gre,
            if key { 0xfeed } else { 0 },
        );
    }
}

#[test]
fn ip_in_ip_in_all_four_ways() {
    let in_v4 = |protocol: u8, inner: &[u8]| frames::ethernet(IPV4, &V4::of(protocol).wrap(inner));
    let in_v6 = |protocol: u8, inner: &[u8]| {
        frames::ethernet(IPV6, &frames::ipv6((CLIENT6, SERVER6), 0, &[], protocol, inner))
    };
    holds(&in_v4(4, &inner_v4()), TunnelKind::Ipip, 0);
    holds(&in_v4(41, &inner_v6()), TunnelKind::SixInFour, 0);
    holds(&in_v6(4, &inner_v4()), TunnelKind::FourInSix, 0);
    holds(&in_v6(41, &inner_v6()), TunnelKind::SixInSix, 0);
}

#[test]
fn sessions_labels_and_tags_before_ip() {
    let tags = [(frames::QINQ, 4095), (frames::VLAN, 1), (frames::VLAN, 2)];
    let labels = frames::mpls(&[16, 17, 18, 19], &inner_v4());
    let cases = [
        frames::ethernet(frames::PPPOE, &frames::pppoe(0x21, &inner_v4())),
        frames::ethernet(frames::PPPOE, &frames::pppoe(0x57, &inner_v6())),
        frames::ethernet(frames::MPLS, &labels),
        frames::tagged(&tags, frames::MPLS, &labels),
        frames::tagged(&tags, frames::PPPOE, &frames::pppoe(0x21, &inner_v4())),
        frames::tagged(&tags[..1], frames::PPPOE, &frames::pppoe(0x0281, &labels)),
    ];
    for frame in cases {
        let headers = read(&frame, ETHERNET);
        assert_eq!((headers.source.port, headers.destination.port), (1234, 4321));
        assert_eq!(headers.end() as usize, frame.len());
        try_everything(&frame);
    }
    assert_eq!(read(&frames::tagged(&tags, IPV4, &inner_v4()), ETHERNET).vlans, 4095 | 1 << 12 | 2 << 24);
}

#[test]
fn a_moved_tag_comes_first() {
    let start = Start { moved_tag: 7, ..ETHERNET };
    let headers = read(&frames::tagged(&[(frames::VLAN, 9), (frames::VLAN, 11)], IPV4, &inner_v4()), start);
    assert_eq!(headers.vlans, 7 | 9 << 12 | 11 << 24);
}

#[test]
fn link_layers_of_captures() {
    let sll = [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &IPV4.to_be_bytes()[..]].concat();
    let sll2 = [&IPV4.to_be_bytes()[..], &[0; 18]].concat();
    let nflog = {
        let len = (inner_v4().len() + 4) as u16;
        // A prefix record of five bytes, padded, before the packet's.
        let head = [2, 0, 0, 0, 9, 0, 10, 0, b'x', b'y', b'z', b'!', 0, 0, 0, 0];
        [&head[..], &len.to_le_bytes(), &[9, 0]].concat()
    };
    let cases: [(Link, &[u8]); 9] = [
        (Link::Ip, &[]),
        (Link::Sll, &sll),
        (Link::Sll2, &sll2),
        (Link::Null, &[2, 0, 0, 0]),
        (Link::Null, &[0, 0, 0, 2]),
        (Link::Ppp, &[0xff, 3, 0, 0x21]),
        (Link::Ppp, &[0x21]),
        (Link::CiscoHdlc, &[0x0f, 0, 8, 0]),
        (Link::Nflog, &nflog),
    ];
    for (link, header) in cases {
        let frame = [header, &inner_v4()].concat();
        let start = Start { link, ..ETHERNET };
        let headers = read(&frame, start);
        assert_eq!((headers.source.port, headers.end() as usize), (1234, frame.len()), "{link:?}");
        let (mut damaged, mut headers, original_len) = (frame.clone(), Headers::NONE, frame.len() as u32);
        for at in 0..frame.len() {
            let _ = dissect(&Captured { data: &frame[..at], original_len }, &start, &mut headers);
            for value in [0, 0xff, frame[at] ^ 0x80] {
                damaged[at] = value;
                let _ = dissect(&Captured { data: &damaged, original_len }, &start, &mut headers);
            }
            damaged[at] = frame[at];
        }
    }
}

/// RFC 8200 section 4.1 lets every extension header occur once, destination options twice: a chain that goes
/// on and on is not walked to its end, and still is a flow.
#[test]
fn chains_without_end() {
    let options = (60, vec![0, 0, 1, 4, 0, 0, 0, 0]);
    for (headers, protocol, port) in [(7, 17, 53), (8, 17, 53), (9, 60, 0), (20, 60, 0)] {
        let chain = vec![options.clone(); headers];
        let packet = frames::ipv6((CLIENT6, SERVER6), 0, &chain, 17, &frames::udp(9, 53, &[0; 8]));
        let read = read(&frames::ethernet(IPV6, &packet), ETHERNET);
        assert_eq!((read.protocol, read.destination.port), (protocol, port), "{headers} headers");
    }
}
