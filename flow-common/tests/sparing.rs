//! What is left out to spare the processor is copies and round-trip samples, and nothing else.
#![allow(clippy::indexing_slicing, reason = "tests")]

mod support;

use flow_common::{record::FlowRecord, settings::Omissions, wire::tcp::flag, workspace::Arrival};
use proptest::{collection::vec, prelude::*};
use support::{CAPTURE, World, frames};

/// A segment of a conversation: who, nanoseconds since the last, bytes from where the side is, flags, payload.
#[derive(Clone, Debug)]
struct Said {
    client: bool,
    pause: u64,
    step: i32,
    flags: u16,
    payload: Vec<u8>,
}

fn said() -> impl Strategy<Value = Said> {
    let step = prop_oneof![6 => Just(0), 1 => -3_000..3_000_i32];
    let flags = prop_oneof![
        8 => Just(flag::ACK),
        8 => Just(flag::ACK | flag::PSH),
        1 => Just(flag::SYN),
        1 => Just(flag::ACK | flag::FIN),
        1 => Just(flag::ACK | flag::RST),
    ];
    let text = prop_oneof![
        Just(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        Just(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
    ];
    let payload = prop_oneof![4 => text, 2 => Just(Vec::new()), 2 => vec(any::<u8>(), 1..1_400)];
    (any::<bool>(), 0..40_000_000_u64, step, flags, payload)
        .prop_map(|(client, pause, step, flags, payload)| Said { client, pause, step, flags, payload })
}

fn play(sequence: &[Said], omissions: Omissions) -> World {
    let mut world = World::new(8);
    let mut next = [1_000_000_u32, 3_000_000_000];
    for said in sequence {
        let [own, peer] = if said.client { [0, 1] } else { [1, 0] };
        let (source, destination) = if said.client { (40_000, 80) } else { (80, 40_000) };
        let tcp = frames::Tcp {
            source,
            destination,
            sequence: next[own].wrapping_add_signed(said.step),
            acknowledgement: next[peer],
            flags: said.flags,
            window: 1_000,
            options: Vec::new(),
        };
        let mut ip = frames::V4::of(6);
        if !said.client {
            (ip.source, ip.destination) = (ip.destination, ip.source);
        }
        if said.step >= 0 {
            let control = said.flags & (flag::SYN | flag::FIN) != 0;
            let len = said.payload.len() as u32 + u32::from(control);
            next[own] = next[own].wrapping_add_signed(said.step).wrapping_add(len);
        }
        world.now += said.pause;
        let frame = frames::ethernet(frames::IPV4, &ip.wrap(&tcp.wrap(&said.payload)));
        world.feed_as(&frame, Arrival { omissions, ..CAPTURE });
    }
    world
}

/// All of a record that no omissions may change.
fn exact(record: &FlowRecord) -> String {
    let halves = record.halves.each_ref().map(|half| {
        let (tcp, quality) = (&half.tcp, &half.quality);
        let counts =
            [quality.retransmits, quality.out_of_order, quality.duplicate_acks, quality.zero_windows];
        let rare = [quality.syn_retransmits, quality.resets];
        let stamps = (half.first, half.last, half.tcp_flags, tcp.state, tcp.sniffing, tcp.copies);
        format!("{:?} {counts:?} {} {rare:?} {stamps:?}", half.volume(), quality.retransmitted_bytes)
    });
    let handshake = (record.handshake_server_rtt, record.handshake_client_rtt);
    format!("{halves:?} {handshake:?} {:?} {} {}", record.history, record.ended, record.client)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_those_of_an_unburdened_machine(sequence in vec(said(), 1..80), untimed in 0..4_u32) {
        let untimed = ((1_u32 << (2 * untimed)) - 1) as u8;
        let full = play(&sequence, Omissions::NONE);
        let spared = play(&sequence, Omissions { no_copies: 1, untimed });
        prop_assert_eq!(full.seen(), spared.seen());
        prop_assert_eq!(full.skipped(), spared.skipped());
        prop_assert_eq!(full.records().len(), spared.records().len());
        for (full, spared) in full.records().iter().zip(&spared.records()) {
            prop_assert_eq!(exact(full), exact(spared));
            for (full, spared) in full.halves.iter().zip(&spared.halves) {
                prop_assert!(untimed != 0 || spared.rtt == full.rtt);
            }
        }
        // Every copy is made or counted.
        prop_assert!(spared.events.is_empty() && full.totals.events_skipped == 0);
        prop_assert_eq!(spared.totals.events_skipped, full.events.len() as u64);
    }
}

/// Segments that are answered one by one: each gives a sample, or one of sixteen does; the handshake's two stay.
#[test]
fn samples_are_thinned_and_handshakes_stay() {
    let answer =
        |client, flags, len| Said { client, pause: 1_000_000, step: 0, flags, payload: vec![b'x'; len] };
    let mut sequence =
        vec![answer(true, flag::SYN, 0), answer(false, flag::SYN | flag::ACK, 0), answer(true, flag::ACK, 0)];
    for _ in 0..1_600 {
        sequence.extend([answer(true, flag::ACK, 1_448), answer(false, flag::ACK, 0)]);
    }
    let samples = |untimed| {
        let world = play(&sequence, Omissions { no_copies: 0, untimed });
        let [client, server] = world.records()[0].halves.each_ref().map(|half| half.rtt.count);
        client.max(server)
    };
    assert_eq!(samples(0), 1_601);
    assert!((80..=125).contains(&samples(15)), "{}", samples(15));
    assert_eq!(
        exact(&play(&sequence, Omissions::NONE).records()[0]),
        exact(&play(&sequence, Omissions { no_copies: 0, untimed: 15 }).records()[0])
    );
}
