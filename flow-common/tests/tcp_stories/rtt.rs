//! Round-trip samples: which segments are timed, and which answers count (Karn; RFC 7323 section 4).
//!
//! The handshake of [`connected`] gives each side its first sample: 20 ms to the server, 10 ms to the client.

use crate::support::story::{c, client, connected, handshake_ms, one, play, rtt_ms, s, server};

#[test]
fn both_sides_of_the_path() {
    let world = play(&connected([
        c(100).seq(1).ack(1).data(10),
        s(125).seq(1).ack(11).data(10),
        c(132).seq(11).ack(11).data(10),
        s(152).seq(11).ack(21),
    ]));
    let flow = &one(&world);
    assert_eq!(handshake_ms(flow), (Some(20), Some(10)));
    assert_eq!(rtt_ms(&server(flow).rtt), (3, 20, 25));
    assert_eq!(rtt_ms(&client(flow).rtt), (2, 7, 10));
}

#[test]
fn the_first_and_the_latest_segment_are_timed() {
    let world = play(&connected([
        c(100).seq(1).ack(1).data(10),
        c(104).seq(11).ack(1).data(10),
        c(105).seq(21).ack(1).data(10),
        s(120).seq(1).ack(11),
        s(124).seq(1).ack(21),
        s(125).seq(1).ack(31),
    ]));
    assert_eq!(rtt_ms(&server(&one(&world)).rtt), (3, 20, 20));
}

#[test]
fn without_timestamps_a_repeat_spoils_the_sample() {
    let world = play(&connected([
        c(100).seq(1).ack(1).data(10),
        c(300).seq(1).ack(1).data(10),
        s(310).seq(1).ack(11),
    ]));
    assert_eq!(rtt_ms(&server(&one(&world)).rtt), (1, 20, 20));
}

#[test]
fn without_timestamps_the_repair_of_an_earlier_segment_spoils_it_too() {
    // The timed segment arrived, but its acknowledgement waited for the one before it.
    let world = play(&connected([
        c(90).seq(1).ack(1).data(10),
        c(100).seq(21).ack(1).data(10),
        c(101).seq(31).ack(1).data(10),
        s(110).seq(1).ack(11),
        c(300).seq(11).ack(1).data(10),
        s(320).seq(1).ack(41),
    ]));
    assert_eq!(rtt_ms(&server(&one(&world)).rtt), (2, 20, 20));
}

#[test]
fn with_timestamps_the_echo_says_which_copy_was_answered() {
    let world = play(&connected([
        c(100).seq(1).ack(1).data(10).ts(1000, 500),
        c(300).seq(1).ack(1).data(10).ts(1200, 500),
        s(320).seq(1).ack(11).ts(720, 1200),
    ]));
    assert_eq!(rtt_ms(&server(&one(&world)).rtt), (2, 20, 20));
}

#[test]
fn with_timestamps_an_answer_to_the_first_copy_is_no_sample_of_the_second() {
    let world = play(&connected([
        c(100).seq(1).ack(1).data(10).ts(1000, 500),
        c(300).seq(1).ack(1).data(10).ts(1200, 500),
        s(302).seq(1).ack(11).ts(702, 1000),
        c(400).seq(11).ack(1).data(10).ts(1300, 702),
        s(420).seq(1).ack(21).ts(820, 1300),
    ]));
    assert_eq!(rtt_ms(&server(&one(&world)).rtt), (2, 20, 20));
}

#[test]
fn an_acknowledgement_of_less_leaves_the_probe_running() {
    let world =
        play(&connected([c(100).seq(1).ack(1).data(100), s(110).seq(1).ack(51), s(130).seq(1).ack(101)]));
    assert_eq!(rtt_ms(&server(&one(&world)).rtt), (2, 20, 30));
}

#[test]
fn keep_alives_are_not_timed() {
    let world = play(&connected([
        c(100).seq(1).ack(1).data(10),
        s(120).seq(1).ack(11),
        c(5000).seq(10).ack(1).data(1),
        c(6000).seq(10).ack(1).data(1),
        s(6020).seq(1).ack(11),
    ]));
    assert_eq!(rtt_ms(&server(&one(&world)).rtt), (2, 20, 20));
}

#[test]
fn the_timestamps_option_in_an_unusual_place() {
    use crate::support::{World, frames};
    // Kind, length and words behind a window scale and a selective acknowledgement, not aligned.
    let options = |value: u32, echo: u32| {
        let mut bytes = vec![3, 3, 7, 4, 2, 8, 10];
        bytes.extend(value.to_be_bytes());
        bytes.extend(echo.to_be_bytes());
        bytes.extend([1; 5]);
        bytes
    };
    let mut world = World::new(8);
    let begin = world.now;
    let mut send = |ms: u64, from_client: bool, tcp: frames::Tcp, len: usize| {
        world.now = begin + ms * 1_000_000;
        let mut ip = frames::V4::of(6);
        if !from_client {
            (ip.source, ip.destination) = (ip.destination, ip.source);
        }
        world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&tcp.wrap(&vec![0; len]))));
    };
    let there = |value: u32| frames::Tcp {
        source: 40_000,
        destination: 80,
        sequence: 1,
        acknowledgement: 1,
        flags: 0x10,
        window: 9,
        options: options(value, 5),
    };
    let back = frames::Tcp {
        source: 80,
        destination: 40_000,
        sequence: 1,
        acknowledgement: 11,
        flags: 0x10,
        window: 9,
        options: options(6, 1200),
    };
    send(0, true, there(1000), 10);
    send(200, true, there(1200), 10);
    send(220, false, back, 0);
    assert_eq!(rtt_ms(&server(&one(&world)).rtt), (1, 20, 20));
}
