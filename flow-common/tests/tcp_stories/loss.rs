//! Lost, late and repeated segments, and the acknowledgements that complain of them.

use flow_common::{offload::Offload, workspace::Arrival};

use crate::support::{
    CAPTURE,
    story::{
        CLEAN, ORIGIN, Quality, c, client, connected, frame, history, one, play, quality, rtt_ms, s, server,
    },
};

#[test]
fn a_segment_seen_here_and_lost_behind_is_sent_again() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(32).seq(101).ack(1).data(100),
        s(51).seq(1).ack(101),
        c(300).seq(101).ack(1).data(100),
        s(320).seq(1).ack(201),
    ]));
    let flow = &one(&world);
    assert_eq!(quality(flow), (Quality { retransmits: 1, ..CLEAN }, CLEAN));
    assert_eq!(client(flow).quality.retransmitted_bytes, 100);
    assert_eq!(history(flow), "ShADaT");
}

#[test]
fn a_segment_lost_before_here_is_seen_once_and_still_a_retransmit() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(32).seq(201).ack(1).data(100),
        s(51).seq(1).ack(101),
        c(300).seq(101).ack(1).data(100),
        s(320).seq(1).ack(301),
    ]));
    assert_eq!(quality(&one(&world)), (Quality { retransmits: 1, ..CLEAN }, CLEAN));
}

#[test]
fn a_fast_retransmit_after_three_duplicate_acks() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(31).us(100).seq(101).ack(1).data(100),
        c(31).us(200).seq(201).ack(1).data(100),
        c(31).us(300).seq(301).ack(1).data(100),
        c(31).us(400).seq(401).ack(1).data(100),
        s(51).seq(1).ack(101),
        s(51).us(200).seq(1).ack(101),
        s(51).us(300).seq(1).ack(101),
        s(51).us(400).seq(1).ack(101),
        c(52).seq(101).ack(1).data(100),
        s(72).seq(1).ack(501),
    ]));
    let flow = &one(&world);
    assert_eq!(quality(flow), (Quality { retransmits: 1, ..CLEAN }, Quality { duplicate_acks: 3, ..CLEAN }));
}

#[test]
fn a_fast_retransmit_within_the_round_trip_is_no_reordering() {
    // The first copy was lost before this point: only the three duplicates tell it from a late segment.
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(32).seq(201).ack(1).data(100),
        c(33).seq(301).ack(1).data(100),
        c(40).seq(401).ack(1).data(100),
        s(41).seq(1).ack(101),
        s(42).seq(1).ack(101),
        s(43).seq(1).ack(101),
        s(44).seq(1).ack(101),
        c(50).seq(101).ack(1).data(100),
    ]));
    let flow = &one(&world);
    assert_eq!(quality(flow), (Quality { retransmits: 1, ..CLEAN }, Quality { duplicate_acks: 3, ..CLEAN }));
}

#[test]
fn reordering_within_the_round_trip() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(32).seq(201).ack(1).data(100),
        c(33).seq(101).ack(1).data(100),
        s(52).seq(1).ack(301),
    ]));
    let flow = &one(&world);
    assert_eq!(quality(flow), (Quality { out_of_order: 1, ..CLEAN }, CLEAN));
    assert_eq!(history(flow), "ShADa");
}

#[test]
fn reordering_where_the_round_trip_is_not_known() {
    // Without a handshake, 3 ms are the limit.
    let story = |late: u64| {
        play(&[
            c(0).seq(1).ack(1).data(100),
            c(1).seq(201).ack(1).data(100),
            c(late).seq(101).ack(1).data(100),
        ])
    };
    assert_eq!(quality(&one(&story(3))).0, Quality { out_of_order: 1, ..CLEAN });
    assert_eq!(quality(&one(&story(9))).0, Quality { retransmits: 1, ..CLEAN });
}

#[test]
fn many_holes_at_once() {
    // Every second segment is late: four gaps are open together, and fill one by one.
    let mut rest = vec![c(31).seq(1).ack(1).data(100)];
    rest.extend((0..4).map(|n| c(32).us(n).seq(201 + 200 * n as u32).ack(1).data(100)));
    rest.extend((0..4).map(|n| c(33).us(n).seq(101 + 200 * n as u32).ack(1).data(100)));
    let world = play(&connected(rest));
    assert_eq!(quality(&one(&world)), (Quality { out_of_order: 4, ..CLEAN }, CLEAN));
}

#[test]
fn more_holes_than_are_remembered() {
    // Of six gaps the two oldest are forgotten: filling them looks like a repeat, never like nothing.
    let mut rest = vec![c(31).seq(1).ack(1).data(100)];
    rest.extend((0..6).map(|n| c(32).us(n).seq(201 + 200 * n as u32).ack(1).data(100)));
    rest.extend((0..6).map(|n| c(33).us(n).seq(101 + 200 * n as u32).ack(1).data(100)));
    let world = play(&connected(rest));
    let sent = quality(&one(&world)).0;
    assert_eq!(sent.retransmits + sent.out_of_order, 6);
    assert!(sent.out_of_order >= 4, "{sent:?}");
}

#[test]
fn a_gap_filled_in_pieces() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(32).seq(401).ack(1).data(100),
        c(33).seq(201).ack(1).data(100),
        c(33).us(100).seq(101).ack(1).data(100),
        c(33).us(200).seq(301).ack(1).data(100),
    ]));
    assert_eq!(quality(&one(&world)), (Quality { out_of_order: 3, ..CLEAN }, CLEAN));
}

#[test]
fn what_was_acknowledged_before_is_a_retransmit_however_soon() {
    // Spurious: the acknowledgement was on its way.
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(31).us(100).seq(101).ack(1).data(100),
        s(51).seq(1).ack(201),
        c(51).us(100).seq(1).ack(1).data(100),
    ]));
    assert_eq!(quality(&one(&world)), (Quality { retransmits: 1, ..CLEAN }, CLEAN));
}

#[test]
fn a_whole_window_sent_again() {
    let burst =
        |ms: u64| (0..5_u32).map(move |n| c(ms).us(u64::from(n) * 10).seq(1 + 100 * n).ack(1).data(100));
    let world = play(&connected(burst(31).chain(burst(400))));
    let flow = &one(&world);
    assert_eq!(quality(flow), (Quality { retransmits: 5, ..CLEAN }, CLEAN));
    assert_eq!(client(flow).quality.retransmitted_bytes, 500);
}

/// tshark 4.0 calls this out-of-order, as it does not remember which bytes it saw; what passed before cannot
/// have been late.
#[test]
fn what_was_seen_before_is_a_retransmit_within_the_round_trip_too() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(32).seq(101).ack(1).data(100),
        c(33).seq(1).ack(1).data(100),
    ]));
    assert_eq!(quality(&one(&world)), (Quality { retransmits: 1, ..CLEAN }, CLEAN));
}

#[test]
fn a_repeat_that_brings_new_bytes_too() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        c(300).seq(1).ack(1).data(300),
        s(320).seq(1).ack(301),
        c(330).seq(301).ack(1).data(100),
    ]));
    assert_eq!(quality(&one(&world)), (Quality { retransmits: 1, ..CLEAN }, CLEAN));
}

#[test]
fn a_repeated_fin() {
    let world = play(&connected([
        c(31).seq(1).ack(1).fin(),
        c(400).seq(1).ack(1).fin(),
        s(420).seq(1).ack(2).fin(),
        c(430).seq(2).ack(2),
    ]));
    assert_eq!(quality(&one(&world)), (Quality { retransmits: 1, ..CLEAN }, CLEAN));
}

#[test]
fn acknowledgements_with_data_are_no_duplicates() {
    let world = play(&connected([
        s(40).seq(1).ack(1).data(100),
        s(41).seq(101).ack(1).data(100),
        c(50).seq(1).ack(201),
        s(61).seq(201).ack(1),
        s(62).seq(201).ack(1).fin(),
    ]));
    assert_eq!(
        quality(&one(&world)).1.duplicate_acks,
        1,
        "only the bare one at 61 ms repeats the one before"
    );
}

#[test]
fn a_super_packet_sent_again_counts_as_its_segments() {
    let mut world = play(&connected([c(31).seq(1).ack(1).data(3_000), s(51).seq(1).ack(1_001)]));
    let arrival = Arrival { offload: Offload { segments: 3, segment_size: 1_000 }, ..CAPTURE };
    world.now += 300_000_000;
    // Two segments again and a new one behind them, as receive offload merges them.
    world.feed_as(&frame(&c(0).seq(1_001).ack(1).data(3_000), ORIGIN), arrival);
    assert_eq!(quality(&one(&world)), (Quality { retransmits: 2, ..CLEAN }, CLEAN));
    assert_eq!(client(&one(&world)).quality.retransmitted_bytes, 2_000);
    // All of it, and the last one short of full.
    let arrival = Arrival { offload: Offload { segments: 0, segment_size: 1_500 }, ..CAPTURE };
    world.feed_as(&frame(&c(0).seq(1).ack(1).data(4_000), ORIGIN), arrival);
    assert_eq!(quality(&one(&world)), (Quality { retransmits: 5, ..CLEAN }, CLEAN));
}

#[test]
fn a_repeat_filled_up_with_new_bytes_counts_those_sent_before() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(1_000),
        c(31).us(10).seq(1_001).ack(1).data(100),
        s(51).seq(1).ack(1_001),
        c(300).seq(1_001).ack(1).data(1_000),
    ]));
    let flow = one(&world);
    let quality = &client(&flow).quality;
    assert_eq!((quality.retransmits, quality.retransmitted_bytes), (1, 100));
}

#[test]
fn data_behind_its_own_acknowledgement_is_no_retransmit() {
    // A capture of two queues, the client's 50 us behind.
    let mut steps = Vec::new();
    for number in 0..5 {
        let (at, begin) = (31 + 30 * u64::from(number), 1 + 1_000 * number);
        steps.push(s(at).seq(1).ack(begin + 1_000));
        steps.push(c(at).us(50).seq(begin).ack(1).data(1_000));
    }
    let world = play(&connected(steps));
    assert_eq!(quality(&one(&world)), (CLEAN, CLEAN));
    assert_eq!(rtt_ms(&server(&one(&world)).rtt).0, 1, "the handshake: data that was answered times nothing");
}

#[test]
fn data_that_was_acknowledged_long_before_was_sent_before() {
    let world = play(&connected([s(31).seq(1).ack(1_001), c(231).seq(1).ack(1).data(1_000)]));
    assert_eq!(quality(&one(&world)), (Quality { retransmits: 1, ..CLEAN }, CLEAN));
}
