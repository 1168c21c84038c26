//! What stands between the frame's addresses and the IP packet.
#![allow(clippy::indexing_slicing, reason = "helpers of tests are tests")]
mod support;

use flow_common::{counter::Counter, dissect::Link, key::TunnelKind, record::FlowRecord, workspace::Arrival};
use support::{
    CAPTURE, World,
    frames::{self, IPV4, V4},
};

fn datagram() -> Vec<u8> {
    V4::of(17).wrap(&frames::udp(4_000, 53, &[1; 20]))
}

/// The one flow of one frame.
fn flow(frame: &[u8]) -> Option<FlowRecord> {
    let mut world = World::new(8);
    world.feed(frame);
    let mut records = world.records();
    assert!(records.len() <= 1, "more than one flow");
    records.pop()
}

fn vlans(frame: &[u8]) -> Option<[u16; 3]> {
    flow(frame).map(|record| record.key.vlans())
}

/// Whether the one flow is that of [`datagram`] or [`datagram6`], and of nobody else.
fn is_ours(frame: &[u8]) -> bool {
    flow(frame).is_some_and(|record| {
        let mut ports = [record.key.a_port, record.key.b_port];
        ports.sort_unstable();
        ports == [53, 4_000]
    })
}

fn datagram6() -> Vec<u8> {
    let addresses = (frames::CLIENT6, frames::SERVER6);
    frames::ipv6(addresses, 0, &[], 17, &frames::udp(4_000, 53, &[1; 20]))
}

fn labelled(inner: &[u8]) -> Vec<u8> {
    frames::ethernet(frames::MPLS, &frames::mpls(&[100, 17], inner))
}

/// Tags of switches older than IEEE 802.1ad are tags.
#[test]
fn tags_by_any_of_their_ethertypes() {
    for kind in [0x8100, 0x88a8, 0x9100, 0x9200] {
        let found = flow(&frames::tagged(&[(kind, 7)], IPV4, &datagram()));
        let vlans = found.map(|record| record.key.vlans());
        assert_eq!(vlans.map(|vlans| vlans[0]), Some(7), "{kind:04x}");
    }
}

/// IP behind LLC and SNAP (RFC 1042); what is LLC without it is no IP.
#[test]
fn ip_behind_llc_and_snap() {
    let snap = |organisation: [u8; 2]| {
        let head = [0xaa, 0xaa, 3, 0, organisation[0], organisation[1], 8, 0];
        let payload = [&head[..], &datagram()].concat();
        frames::ethernet(payload.len() as u16, &payload)
    };
    assert!(is_ours(&snap([0, 0])));
    assert!(is_ours(&snap([0, 0xf8])), "IEEE 802.1H");
    assert!(flow(&snap([0, 9])).is_none(), "another organisation's protocol");
    let spanning_tree = [0x42, 0x42, 3, 0, 0, 0, 0, 0];
    assert!(flow(&frames::ethernet(spanning_tree.len() as u16, &spanning_tree)).is_none());
}

/// Four tags are looked through, and the ids of three are kept; a priority tag names no VLAN, wherever it stands.
#[test]
fn four_tags_and_priority_tags() {
    let tags = |ids: &[u16]| {
        let tags: Vec<_> = ids.iter().map(|id| (0x8100, *id)).collect();
        vlans(&frames::tagged(&tags, IPV4, &datagram()))
    };
    assert_eq!(tags(&[0]), Some([0; 3]));
    assert_eq!(tags(&[0, 5]), Some([5, 0, 0]));
    assert_eq!(tags(&[5, 0, 6]), Some([5, 6, 0]));
    assert_eq!(tags(&[5, 6, 7, 8]), Some([5, 6, 7]));
    assert_eq!(tags(&[5, 6, 7, 8, 9]), None);
    assert_eq!(vlans(&frames::tagged(&[(0x9200, 5), (0x9100, 6)], IPV4, &datagram())), Some([5, 6, 0]));
    assert_eq!(
        vlans(&frames::tagged(&[(0x88a8, 0)], frames::MPLS, &frames::mpls(&[9], &datagram()))),
        Some([0; 3])
    );
}

/// Customers' addresses begin with any bits, those of IP and of a control word included (RFC 4928 section 3).
#[test]
fn ethernet_behind_labels() {
    let source = [2, 0, 0, 0, 0, 1];
    let macs: [[u8; 6]; 12] = [
        [0x45, 0, 0, 0x30, 1, 2],
        [0x46, 0, 0, 0x3c, 1, 2],
        [0x4c, 0x5e, 0xc, 1, 2, 3],
        [0x40, 1, 2, 3, 4, 5],
        [0x60, 0, 0, 0, 0, 8],
        [0x64, 0xd1, 0x54, 0, 0x28, 5],
        [0, 0x1b, 0x21, 1, 2, 3],
        [0, 0, 0x5e, 0, 1, 1],
        [0, 0, 0, 0, 0, 2],
        [0x10, 0, 0, 0x21, 0, 1],
        [0xff; 6],
        [2, 0, 0, 0, 0, 9],
    ];
    let words: [&[u8]; 3] = [&[], &[0, 0, 0, 0], &[0, 0, 0x12, 0x34]];
    for (mac, word) in macs.iter().flat_map(|mac| words.map(|word| (*mac, word))) {
        let packet = frames::summed(datagram());
        let inside = [
            frames::between(mac, source, IPV4, &packet),
            frames::between(mac, source, frames::IPV6, &datagram6()),
            frames::between(source, mac, IPV4, &packet),
            frames::between(mac, source, 0x8100, &[&[0, 7, 8, 0], &packet[..]].concat()),
            frames::between(mac, source, frames::PPPOE, &frames::pppoe(0x21, &packet)),
        ];
        for frame in inside {
            assert!(is_ours(&labelled(&[word, &frame].concat())), "{mac:02x?} {word:?} {frame:02x?}");
        }
        // What no rule knows is no IP, whatever the address looks like.
        for kind in [0x88cc, 0x8863, 0x88f7, 60] {
            let frame =
                frames::between(mac, source, kind, &[0x42, 0x42, 3, 0, 0, 0, 0, 0, 0x47, 1, 2, 3, 4, 5, 6]);
            assert!(flow(&labelled(&[word, &frame].concat())).is_none(), "{mac:02x?} {word:?} {kind:04x}");
        }
    }
}

/// The customer's tags follow those of the provider.
#[test]
fn tags_of_a_pseudowire() {
    let packet = frames::summed(datagram());
    let inner = frames::tagged(&[(0x88a8, 8), (0x8100, 9)], IPV4, &packet);
    let outer = |inner: &[u8]| frames::tagged(&[(0x8100, 7)], frames::MPLS, &frames::mpls(&[100], inner));
    assert_eq!(vlans(&outer(&inner)), Some([7, 8, 9]));
    assert_eq!(vlans(&outer(&[&[0; 4], &inner[..]].concat())), Some([7, 8, 9]));
}

/// IP itself, padded and with a frame's check sequence behind it; the source address of the third may look like an
/// EtherType.
#[test]
fn ip_behind_labels() {
    let like_a_tag = {
        let mut source = frames::CLIENT6;
        source[4..6].copy_from_slice(&[0x81, 0]);
        frames::ipv6((source, frames::SERVER6), 0, &[], 17, &frames::udp(4_000, 53, &[1; 20]))
    };
    for packet in [datagram(), frames::summed(datagram()), datagram6(), like_a_tag] {
        assert!(is_ours(&labelled(&packet)), "{packet:02x?}");
    }
    let behind = [0xde, 0xad, 0xbe, 0xef];
    assert!(is_ours(&labelled(&[frames::summed(datagram()), behind.to_vec()].concat())));
    assert!(is_ours(&labelled(&[datagram6(), behind.to_vec()].concat())));
    assert!(is_ours(&labelled(&[datagram6(), vec![0; 26]].concat())));
    // Super-packets say no length (BIG TCP).
    let (mut big, mut big6) = (datagram(), datagram6());
    big[2..4].fill(0);
    big6[4..6].fill(0);
    big6.resize(70_000, 0);
    assert!(is_ours(&labelled(&big)) && is_ours(&labelled(&big6)));
    let short = frames::summed(V4::of(17).wrap(&frames::udp(4_000, 53, &[])));
    assert!(is_ours(&frames::ethernet(frames::MPLS, &frames::mpls(&[3], &[short, vec![0; 14]].concat()))));
}

/// Both framings of HDLC come under the link types of either.
#[test]
fn cisco_framing_and_ppp() {
    let heads: [&[u8]; 4] =
        [&[0xff, 3, 0, 0x21], &[0x0f, 0, 8, 0], &[0x8f, 0, 8, 0], &[0x0f, 0, 0x88, 0x47, 0, 1, 1, 64]];
    for link in [Link::Ppp, Link::CiscoHdlc] {
        for head in heads {
            let mut world = World::new(8);
            world.feed_as(&[head, &datagram()].concat(), Arrival { link, ..CAPTURE });
            assert_eq!(world.records().len(), 1, "{link:?} {head:02x?}");
        }
    }
    // Keep-alives and loop tests are no IP.
    let mut world = World::new(8);
    world.feed_as(&[&[0x8f, 0, 0x80, 0x35][..], &[0; 18]].concat(), Arrival { link: Link::Ppp, ..CAPTURE });
    assert_eq!((world.records().len(), world.skipped_for(Counter::Arp)), (0, 1));
}
/// Mirrored frames in GRE: three types, of which the first has no header of its own.
#[test]
fn frames_of_a_mirror() {
    let frame = frames::tagged(&[(0x8100, 7)], IPV4, &datagram());
    let gre = |sequence: bool, kind: u16, inner: &[u8]| {
        let flags: u16 = if sequence { 0x1000 } else { 0 };
        let number: &[u8] = if sequence { &[0, 0, 0, 1] } else { &[] };
        let gre = [&flags.to_be_bytes(), &kind.to_be_bytes(), number, inner].concat();
        frames::ethernet(IPV4, &V4::of(47).wrap(&gre))
    };
    let second = [0x10, 0, 0, 0x64, 0, 0, 0, 1];
    let third = |flags: [u8; 2]| [&[0x20, 0, 0, 0x64, 0, 0, 0, 1, 0, 0][..], &flags].concat();
    let cases = [
        (gre(false, 0x88be, &frame), 0),
        (gre(true, 0x88be, &[&second, &frame[..]].concat()), 100),
        (gre(true, 0x22eb, &[&third([0, 0])[..], &frame].concat()), 100),
        (gre(true, 0x22eb, &[&third([0, 1])[..], &[9; 8], &frame].concat()), 100),
    ];
    for (packet, session) in cases {
        let mut world = World::new(8);
        world.feed(&packet);
        let inner: Vec<_> =
            world.records().into_iter().filter(|record| record.key.tunnel() == TunnelKind::Erspan).collect();
        assert_eq!(inner.len(), 1, "{packet:02x?}");
        assert_eq!((inner[0].key.tunnel_id, inner[0].key.vlans()), (session, [7, 0, 0]));
    }
    let mut world = World::new(8);
    world.feed(&gre(true, 0x22eb, &[&third([2 << 2, 0])[..], &datagram()].concat()));
    assert_eq!(world.records().len(), 2, "a bare IP packet");
    world.feed(&gre(true, 0x88be, &[&[0x50, 0, 0, 0, 0, 0, 0, 0], &frame[..]].concat()));
    assert_eq!(world.records().len(), 2, "a version that nobody knows");
}
