//! Super-packets of segmentation offload count as the packets that cross the wire.
//!
//! Each case is a payload in one super-packet, and the same payload cut into packets by hand; both are
//! accounted, and every total must be equal but the count of skbs.
mod support;

use flow_common::{
    dissect::{Link, NO_TAG},
    offload::Offload,
    packet::Captured,
    record::{FlowRecord, Half, Volume},
    workspace::Arrival,
};
use support::{
    CAPTURE, World,
    frames::{self, CLIENT6, SERVER6, Tcp, V4},
};

/// What wraps a transport's header and payload into a frame.
type Wrap = dyn Fn(&[u8]) -> Vec<u8>;

/// The totals that must be equal, per flow in the order of the flows' appearance.
fn totals(world: &World) -> Vec<Volume> {
    let both = |record: &FlowRecord| {
        let [a, b] = record.halves.each_ref().map(Half::volume);
        assert!(a.packets == 0 || b.packets == 0, "one direction");
        Volume { skb_packets: 0, ..if a.packets == 0 { b } else { a } }
    };
    world.records().iter().map(both).collect()
}

/// Accounts the super-packet with and without `gso_segs`, and its segments of `size` bytes.
fn same_on_the_wire(
    transport: &dyn Fn(&[u8]) -> Vec<u8>,
    wrap: &Wrap,
    wrap_super: &Wrap,
    len: usize,
    size: usize,
) {
    let payload = vec![7; len];
    let mut wire = World::new(8);
    for segment in payload.chunks(size) {
        wire.feed(&wrap(&transport(segment)));
    }
    let whole = wrap_super(&transport(&payload));
    let segments = len.div_ceil(size) as u32;
    for told in [segments, 0] {
        let offload = Offload { segments: told, segment_size: size as u32 };
        let mut world = World::new(8);
        world.feed_as(&whole, Arrival { offload, ..CAPTURE });
        assert_eq!(totals(&world), totals(&wire), "{len} bytes by {size}, gso_segs {told}");
        let skbs: u64 =
            world.records().iter().flat_map(|r| &r.halves).map(|half| half.volume().skb_packets).sum();
        assert_eq!(skbs, world.records().len() as u64);
        let (seen, segments_seen) = (world.seen(), wire.seen());
        assert_eq!((seen.packets, seen.bytes), (segments_seen.packets, segments_seen.bytes));
        assert_eq!((seen.skb_packets, seen.skb_bytes), (1, whole.len() as u64));
    }
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let header = Tcp {
        source: 40_000,
        destination: 443,
        sequence: 1,
        acknowledgement: 1,
        flags: 0x10,
        window: 500,
        options: frames::timestamps(1, 2),
    };
    header.wrap(payload)
}

fn udp(payload: &[u8]) -> Vec<u8> {
    frames::udp(40_000, 443, payload)
}

fn v4(protocol: u8) -> impl Fn(&[u8]) -> Vec<u8> {
    move |inner| frames::ethernet(frames::IPV4, &V4::of(protocol).wrap(inner))
}

fn v6(protocol: u8) -> impl Fn(&[u8]) -> Vec<u8> {
    move |inner| frames::ethernet(frames::IPV6, &frames::ipv6((CLIENT6, SERVER6), 0, &[], protocol, inner))
}

/// Whole, with a short last segment, and one segment only.
const SHAPES: [(usize, usize); 5] =
    [(14_480, 1448), (14_481, 1448), (1448, 1448), (100, 1448), (60_000, 1400)];

#[test]
fn tcp_over_either_ip() {
    for (len, size) in SHAPES {
        same_on_the_wire(&tcp, &v4(6), &v4(6), len, size);
        same_on_the_wire(&tcp, &v6(6), &v6(6), len, size);
    }
}

#[test]
fn udp_over_either_ip() {
    for (len, size) in SHAPES {
        same_on_the_wire(&udp, &v4(17), &v4(17), len, size);
        same_on_the_wire(&udp, &v6(17), &v6(17), len, size);
    }
}

#[test]
fn options_and_tags_are_repeated_too() {
    let wrap = |inner: &[u8]| {
        let ip = V4 { options: vec![1; 8], ..V4::of(6) };
        frames::tagged(&[(frames::QINQ, 7), (frames::VLAN, 9)], frames::IPV4, &ip.wrap(inner))
    };
    let in_pppoe =
        |inner: &[u8]| frames::ethernet(frames::PPPOE, &frames::pppoe(0x21, &V4::of(6).wrap(inner)));
    for (len, size) in SHAPES {
        same_on_the_wire(&tcp, &wrap, &wrap, len, size);
        same_on_the_wire(&tcp, &in_pppoe, &in_pppoe, len, size);
    }
}

#[test]
fn a_tag_moved_into_the_skb_is_on_every_segment() {
    let frame = v4(6)(&tcp(&[0; 3000]));
    let offload = Offload { segments: 3, segment_size: 1000 };
    let mut world = World::new(8);
    world.feed_as(&frame, Arrival { offload, moved_tag: 5, ..CAPTURE });
    let mut wire = World::new(8);
    for _ in 0..3 {
        wire.feed(&frames::tagged(&[(frames::VLAN, 5)], frames::IPV4, &V4::of(6).wrap(&tcp(&[0; 1000]))));
    }
    assert_eq!(totals(&world), totals(&wire));
    assert_eq!(world.records()[0].key, wire.records()[0].key);
    assert_eq!(NO_TAG, CAPTURE.moved_tag, "the others have none");
}

#[test]
fn inside_of_tunnels_outer_and_inner_headers_are_repeated() {
    let vxlan = |inner: &[u8]| {
        let frame = v4(6)(inner);
        v4(17)(&frames::udp(50_000, 4789, &frames::vxlan(77, &frame)))
    };
    let geneve = |inner: &[u8]| {
        let packet = V4::of(6).wrap(inner);
        v6(17)(&frames::udp(50_000, 6081, &frames::geneve(77, &[0; 8], frames::IPV4, &packet)))
    };
    let gre = |inner: &[u8]| {
        let packet = frames::ipv6((CLIENT6, SERVER6), 0, &[], 6, inner);
        v4(47)(&frames::gre(Some(9), frames::IPV6, &packet))
    };
    let ipip = |inner: &[u8]| v4(4)(&V4::of(6).wrap(inner));
    let six_in_four = |inner: &[u8]| v4(41)(&frames::ipv6((CLIENT6, SERVER6), 0, &[], 6, inner));
    let wraps: [&Wrap; 5] = [&vxlan, &geneve, &gre, &ipip, &six_in_four];
    for wrap in wraps {
        for (len, size) in SHAPES {
            same_on_the_wire(&tcp, wrap, wrap, len, size);
        }
    }
}

#[test]
fn udp_segments_inside_of_a_tunnel() {
    let vxlan = |inner: &[u8]| v4(17)(&frames::udp(50_000, 4789, &frames::vxlan(77, &v6(17)(inner))));
    for (len, size) in SHAPES {
        same_on_the_wire(&udp, &vxlan, &vxlan, len, size);
    }
}

/// BIG TCP for IPv4: what does not fit into the length field is written as 0.
#[test]
fn big_tcp_over_ipv4() {
    let big = |inner: &[u8]| {
        let ip = V4 { total_length: Some(0), ..V4::of(6) };
        frames::ethernet(frames::IPV4, &ip.wrap(inner))
    };
    same_on_the_wire(&tcp, &v4(6), &big, 180_000, 1448);
}

/// BIG TCP for IPv6 without the jumbo option.
#[test]
fn big_tcp_over_ipv6() {
    let big = |inner: &[u8]| {
        let mut frame = v6(6)(inner);
        frame[18..20].fill(0);
        frame
    };
    same_on_the_wire(&tcp, &v6(6), &big, 180_000, 1448);
}

/// BIG TCP for IPv6 with the jumbo option, which is inside this host only: the segments go out without it.
#[test]
fn big_tcp_over_ipv6_with_the_jumbo_option() {
    let big = |inner: &[u8]| {
        let jumbo = [&[0, 0, 0xc2, 4], (inner.len() as u32 + 8).to_be_bytes().as_slice()].concat();
        let mut frame =
            frames::ethernet(frames::IPV6, &frames::ipv6((CLIENT6, SERVER6), 0, &[(0, jumbo)], 6, inner));
        frame[18..20].fill(0);
        frame
    };
    same_on_the_wire(&tcp, &v6(6), &big, 180_000, 1448);
}

/// A capture that holds such a packet as it was, not segmented, counts what it holds.
#[test]
fn a_jumbogram_that_is_no_super_packet_counts_as_it_is() {
    let inner = tcp(&vec![0; 70_000]);
    let jumbo = [&[0, 0, 0xc2, 4], (inner.len() as u32 + 8).to_be_bytes().as_slice()].concat();
    let mut packet = frames::ipv6((CLIENT6, SERVER6), 0, &[(0, jumbo)], 6, &inner);
    packet[4..6].fill(0);
    let mut world = World::new(8);
    world.feed(&frames::ethernet(frames::IPV6, &packet));
    let [volume] = totals(&world)[..] else { panic!("one flow") };
    assert_eq!((volume.packets, volume.ip_bytes, volume.payload_bytes), (1, packet.len() as u64, 70_000));
}

/// A length that a header claims beyond the frame's end crossed no wire.
#[test]
fn a_jumbo_option_cannot_claim_more_than_there_is() {
    let jumbo = vec![0, 0, 0xc2, 4, 0xff, 0xff, 0xff, 0xff];
    let mut packet = frames::ipv6((CLIENT6, SERVER6), 0, &[(0, jumbo)], 6, &tcp(&[0; 10]));
    packet[4..6].fill(0);
    let mut world = World::new(8);
    world.feed(&frames::ethernet(frames::IPV6, &packet));
    assert_eq!(totals(&world)[0].ip_bytes, packet.len() as u64);
}

#[test]
fn devices_without_a_link_header() {
    let packet = V4::of(6).wrap(&tcp(&[0; 4000]));
    let offload = Offload { segments: 4, segment_size: 1000 };
    let mut world = World::new(8);
    world.feed_as(&packet, Arrival { offload, link: Link::Ip, ..CAPTURE });
    let [volume] = totals(&world)[..] else { panic!("one flow") };
    assert_eq!((volume.packets, volume.frame_bytes), (4, volume.ip_bytes));
    assert_eq!(volume.ip_bytes, 4 * (20 + 32 + 1000));
}

/// A capture that kept the first bytes only still knows the length on the wire.
#[test]
fn cut_by_the_snap_length() {
    let frame = v4(6)(&tcp(&[0; 1448]));
    let (mut whole, mut cut) = (World::new(8), World::new(8));
    whole.feed(&frame);
    cut.feed_cut(&Captured { data: &frame[..66], original_len: frame.len() as u32 }, CAPTURE);
    assert_eq!(totals(&whole), totals(&cut));
}
