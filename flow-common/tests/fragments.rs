//! Fragments belong to the flow of their first, where that was seen (RFC 791 section 3.2, RFC 8200
//! section 4.5): no fragment is lost, whatever the order.
#![allow(clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]
mod support;

use flow_common::record::FlowRecord;
use proptest::prelude::*;
use support::{
    World,
    frames::{self, CLIENT6, SERVER6, V4},
};

const PIECE: usize = 64;

/// A UDP datagram over IPv4 in `count` fragments.
fn fragments_v4(identification: u16, port: u16, count: usize) -> Vec<Vec<u8>> {
    let datagram = frames::udp(port, 53, &vec![1; count * PIECE - 8]);
    let pieces = datagram.chunks(PIECE).enumerate().map(|(index, piece)| {
        let ip =
            V4 { identification, offset: (index * PIECE / 8) as u16, more: index + 1 < count, ..V4::of(17) };
        frames::ethernet(frames::IPV4, &ip.wrap(piece))
    });
    pieces.collect()
}

/// The same over IPv6, behind destination options where `behind_options`.
fn fragments_v6(identification: u32, port: u16, count: usize, behind_options: bool) -> Vec<Vec<u8>> {
    let datagram = frames::udp(port, 53, &vec![1; count * PIECE - 8]);
    let pieces = datagram.chunks(PIECE).enumerate().map(|(index, piece)| {
        let offset = (index * PIECE) as u16 | u16::from(index + 1 < count);
        let mut header = vec![0, 0];
        header.extend(offset.to_be_bytes());
        header.extend(identification.to_be_bytes());
        let mut chain = vec![(44, header)];
        if behind_options {
            chain.insert(0, (60, vec![0, 0, 1, 4, 0, 0, 0, 0]));
        }
        frames::ethernet(frames::IPV6, &frames::ipv6((CLIENT6, SERVER6), 0, &chain, 17, piece))
    });
    pieces.collect()
}

fn packets(record: &FlowRecord) -> u64 {
    record.halves.iter().map(|half| half.volume().packets).sum()
}

/// Packets of the flow with ports and of the one without.
fn split(world: &World) -> (u64, u64) {
    let of = |fragment: u8| world.records().into_iter().filter(move |record| record.fragment == fragment);
    let packets = |record| packets(&record);
    (of(0).map(packets).sum(), of(1).map(packets).sum())
}

fn feed_all(world: &mut World, frames: &[Vec<u8>]) {
    for frame in frames {
        world.feed(frame);
    }
}

#[test]
fn in_order_all_are_one_flow() {
    for frames in [fragments_v4(7, 999, 5), fragments_v6(7, 999, 5, false), fragments_v6(7, 999, 5, true)] {
        let mut world = World::new(8);
        feed_all(&mut world, &frames);
        assert_eq!(split(&world), (5, 0));
        let [record] = &world.records()[..] else { panic!("one flow") };
        assert_eq!(
            [record.key.a_port.min(record.key.b_port), record.key.a_port.max(record.key.b_port)],
            [53, 999]
        );
        let payload: u64 = record.halves.iter().map(|half| half.volume().payload_bytes).sum();
        assert_eq!(payload, 5 * PIECE as u64 - 8);
    }
}

#[test]
fn without_the_first_they_are_a_flow_that_says_so() {
    let mut world = World::new(8);
    feed_all(&mut world, &fragments_v4(7, 999, 5)[1..]);
    assert_eq!(split(&world), (0, 4));
    assert_eq!((world.records()[0].key.a_port, world.records()[0].key.b_port), (0, 0));
    assert_eq!(world.records()[0].key.protocol(), 17);
}

#[test]
fn answers_find_the_flow_of_a_fragmented_question() {
    let mut world = World::new(8);
    feed_all(&mut world, &fragments_v4(7, 999, 3));
    let mut ip = V4::of(17);
    (ip.source, ip.destination) = (ip.destination, ip.source);
    world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&frames::udp(53, 999, &[0; 20]))));
    assert_eq!((world.records().len(), split(&world)), (1, (4, 0)));
}

#[test]
fn datagrams_of_other_hosts_do_not_mix() {
    let mut world = World::new(8);
    feed_all(&mut world, &fragments_v4(7, 999, 1));
    let first = &fragments_v4(7, 999, 3)[0];
    world.feed(first);
    // The same identification from elsewhere.
    let mut later = fragments_v4(7, 999, 3).remove(1);
    later[14 + 15] = 99;
    world.feed(&later);
    assert_eq!(split(&world), (2, 1));
}

#[test]
fn what_was_forgotten_is_a_flow_without_ports() {
    let mut world = World::new(64).remembering_fragments(4);
    let datagrams: Vec<_> = (0..6).map(|id| fragments_v4(id, 1000 + id, 2)).collect();
    for datagram in &datagrams {
        world.feed(&datagram[0]);
    }
    for datagram in &datagrams {
        world.feed(&datagram[1]);
    }
    // The two oldest gave way.
    assert_eq!(split(&world), (6 + 4, 2));
}

#[test]
fn an_identification_used_again_leads_to_the_newer_datagram() {
    let mut world = World::new(8);
    feed_all(&mut world, &fragments_v4(7, 1000, 2));
    feed_all(&mut world, &fragments_v4(7, 2000, 3));
    let counts: Vec<u64> = world.records().iter().map(packets).collect();
    assert_eq!(counts, [2, 3]);
}

#[test]
fn an_atomic_fragment_is_a_whole_packet() {
    // RFC 6946: offset 0, no more to come; it says nothing of other fragments of that identification.
    let mut world = World::new(8);
    feed_all(&mut world, &fragments_v6(7, 999, 1, false));
    feed_all(&mut world, &fragments_v6(7, 999, 3, false)[1..]);
    assert_eq!(split(&world), (1, 2));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Datagrams interleaved in any order: every fragment is in one flow, with ports exactly where the first
    /// of its datagram came before it.
    #[test]
    fn any_order_of_any_datagrams(
        order in Just((0..4_usize).flat_map(|d| (0..4_usize).map(move |f| (d, f))).collect::<Vec<_>>()).prop_shuffle(),
        ipv6 in any::<bool>(),
    ) {
        let datagrams: Vec<Vec<Vec<u8>>> = (0..4)
            .map(|id| if ipv6 {
                fragments_v6(id, 1000 + id as u16, 4, false)
            } else {
                fragments_v4(id as u16, 1000 + id as u16, 4)
            })
            .collect();
        let mut world = World::new(8);
        let mut first_seen = [false; 4];
        let mut expected = (0, 0);
        for (datagram, fragment) in order {
            first_seen[datagram] |= fragment == 0;
            if first_seen[datagram] { expected.0 += 1 } else { expected.1 += 1 }
            world.feed(&datagrams[datagram][fragment]);
        }
        prop_assert_eq!(split(&world), expected);
        prop_assert_eq!(world.seen().packets, 16);
        prop_assert_eq!(world.skipped().packets, 0);
    }
}
