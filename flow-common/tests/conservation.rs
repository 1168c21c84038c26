//! Nothing is lost, or it is named: flows and named losses together are what was seen, and what was seen is
//! what was fed, to the byte.
#![allow(clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]
mod support;

use flow_common::{
    counter::{Counter, Family},
    dissect::Skip,
    observe,
    offload::Offload,
    packet::Captured,
    workspace::{Arrival, Workspace},
};
use proptest::{collection::vec, prelude::*};
use support::{
    CAPTURE, World,
    frames::{self, CLIENT6, SERVER6, Tcp, V4},
};

/// Frames of many kinds among few hosts, so that flows meet.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let port = 1..5_u16;
    let payload = vec(any::<u8>(), 0..60);
    let segment = (port.clone(), port.clone(), any::<u32>(), any::<u32>(), 0..512_u16, payload.clone())
        .prop_map(|(source, destination, sequence, acknowledgement, flags, payload)| {
            let tcp =
                Tcp { source, destination, sequence, acknowledgement, flags, window: 9, options: vec![] };
            (6_u8, tcp.wrap(&payload))
        });
    let datagram = (port.clone(), port, payload.clone())
        .prop_map(|(from, to, bytes)| (17_u8, frames::udp(from, to, &bytes)));
    let other = (any::<u8>(), payload.clone());
    let transport = prop_oneof![4 => segment, 2 => datagram, 1 => other];
    let ip = (transport, 0..4_u8, any::<bool>(), 0..3_u16, any::<bool>()).prop_map(
        |((protocol, inner), host, ipv6, offset, more)| {
            if ipv6 {
                let mut client = CLIENT6;
                client[15] = host;
                (frames::IPV6, frames::ipv6((client, SERVER6), 0, &[], protocol, &inner))
            } else {
                let ip = V4 { source: [10, 0, 0, host], offset, more, ..V4::of(protocol) };
                (frames::IPV4, ip.wrap(&inner))
            }
        },
    );
    let tags = vec((prop_oneof![Just(frames::VLAN), Just(frames::QINQ)], 0..3_u16), 0..4);
    let valid = (ip.clone(), tags).prop_map(|((kind, packet), tags)| frames::tagged(&tags, kind, &packet));
    let tunnelled = (ip, 0..4_u32).prop_map(|((kind, packet), id)| {
        let inner = frames::vxlan(id, &frames::ethernet(kind, &packet));
        frames::ethernet(frames::IPV4, &V4::of(17).wrap(&frames::udp(5000, 4789, &inner)))
    });
    let arp = Just(frames::ethernet(0x0806, &[0; 28]));
    prop_oneof![6 => valid, 2 => tunnelled, 1 => arp, 1 => vec(any::<u8>(), 0..120)]
}

/// A frame, where the capture cut it, a byte that went wrong, its segments, and the time to the next.
#[derive(Clone, Debug)]
struct Fed {
    frame: Vec<u8>,
    kept: usize,
    offload: Offload,
    moved_tag: u16,
    pause: u64,
}

fn fed() -> impl Strategy<Value = Fed> {
    let damage = prop::option::weighted(0.2, (any::<prop::sample::Index>(), any::<u8>()));
    let kept = prop::option::weighted(0.3, any::<prop::sample::Index>());
    let offload = prop::option::weighted(0.2, (0..5_u32, 1..200_u32));
    let tag = prop::option::weighted(0.1, 0..4096_u16);
    (frame(), damage, kept, offload, tag, 0..20_000_000_000_u64).prop_map(
        |(mut frame, damage, kept, offload, tag, pause)| {
            if let Some((at, byte)) = damage
                && !frame.is_empty()
            {
                *at.get_mut(&mut frame) = byte;
            }
            let kept = kept.map_or(frame.len(), |at| at.index(frame.len() + 1));
            let (segments, segment_size) = offload.unwrap_or_default();
            let offload = Offload { segments, segment_size };
            Fed { frame, kept, offload, moved_tag: tag.unwrap_or(CAPTURE.moved_tag), pause }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flows_and_named_losses_are_all_that_was_seen(sequence in vec(fed(), 1..120), slots in 0..12_usize) {
        let mut world = World::new(slots);
        let mut bytes_fed = 0;
        for fed in &sequence {
            let packet = Captured { data: &fed.frame[..fed.kept], original_len: fed.frame.len() as u32 };
            let arrival = Arrival { offload: fed.offload, moved_tag: fed.moved_tag, ..CAPTURE };
            let before = world.seen();
            world.feed_cut(&packet, arrival);
            world.now += fed.pause;
            let after = world.seen();
            // Seen is fed: skbs and their bytes always, wire packets where there is no offload.
            prop_assert_eq!(after.skb_packets - before.skb_packets, 1);
            prop_assert_eq!(after.skb_bytes - before.skb_bytes, fed.frame.len() as u64);
            if !fed.offload.is_super() {
                let tag = if fed.moved_tag == CAPTURE.moved_tag { 0 } else { 4 };
                prop_assert_eq!(after.packets - before.packets, 1);
                prop_assert_eq!(after.bytes - before.bytes, fed.frame.len() as u64 + tag);
            }
            bytes_fed += fed.frame.len() as u64;
        }
        let (flows, seen, skipped) = (world.direct_volume(), world.seen(), world.skipped());
        prop_assert_eq!(flows.packets + skipped.packets, seen.packets);
        prop_assert_eq!(flows.frame_bytes + skipped.bytes, seen.bytes);
        prop_assert_eq!(flows.skb_packets + skipped.skb_packets, sequence.len() as u64);
        prop_assert_eq!(seen.skb_bytes, bytes_fed);
        prop_assert!(world.records().len() <= slots);
        // An IP packet is never bigger than its frame, and its payload never bigger than the packet.
        for half in world.records().iter().flat_map(|record| &record.halves) {
            prop_assert!(half.volume().payload_bytes <= half.volume().ip_bytes);
        }
    }
}

#[test]
fn a_full_table_is_named() {
    let mut world = World::new(2);
    for port in 1..=5 {
        world.feed(&frames::ethernet(frames::IPV4, &V4::of(17).wrap(&frames::udp(port, 9, &[0; 10]))));
    }
    assert_eq!((world.records().len(), world.skipped_for(Counter::TableFull)), (2, 3));
    // Those that are in go on.
    world.feed(&frames::ethernet(frames::IPV4, &V4::of(17).wrap(&frames::udp(1, 9, &[0; 10]))));
    assert_eq!(world.direct_volume().packets, 3);
}

#[test]
fn every_loss_has_its_name() {
    let whole = frames::ethernet(frames::IPV4, &V4::of(6).wrap(&Tcp::default().wrap(&[])));
    let mut wrong_version = whole.clone();
    wrong_version[14] = 0x55;
    let cases: [(&[u8], Counter); 7] = [
        (&frames::ethernet(0x0806, &[0; 28]), Counter::Arp),
        (&frames::ethernet(0x88cc, &[0; 28]), Counter::NotIp),
        (&[], Counter::Truncated),
        (&whole[..13], Counter::Truncated),
        (&whole[..30], Counter::Truncated),
        (&whole[..36], Counter::Truncated),
        (&wrong_version, Counter::Malformed),
    ];
    for (frame, counter) in cases {
        let mut world = World::new(2);
        world.feed(frame);
        assert_eq!((world.skipped_for(counter), world.skipped().packets), (1, 1), "{counter:?}");
    }
    // No reason stands in metrics and records that nothing gives.
    let given = cases.map(|(_, counter)| counter);
    let elsewhere = [Counter::TableFull, Counter::UnknownInterface];
    for counter in Counter::ALL {
        assert!(
            given.contains(&counter) || elsewhere.contains(&counter),
            "nothing is skipped as {counter:?}"
        );
    }
}

#[test]
fn what_passes_an_unknown_interface_is_named() {
    let (mut world, mut work) = (World::new(2), Workspace::new(CAPTURE));
    work.set_skip(Skip { counter: Counter::UnknownInterface, family: Family::Other });
    let frame: &[u8] = &[0; 60];
    observe::skipped(&frame, &mut world, &work);
    assert_eq!((world.skipped_for(Counter::UnknownInterface), world.skipped().bytes), (1, 60));
}
