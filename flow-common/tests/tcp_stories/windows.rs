//! Keep-alives, closed windows and their probes, window updates: none of them is a loss.

use crate::support::story::{CLEAN, Quality, c, client, connected, one, play, quality, rtt_ms, s, server};

#[test]
fn keep_alives_with_and_without_a_byte() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        s(51).seq(1).ack(101),
        c(7000).seq(100).ack(1),
        s(7020).seq(1).ack(101),
        c(14_000).seq(100).ack(1).data(1),
        s(14_020).seq(1).ack(101),
        c(21_000).seq(101).ack(1).data(10),
        s(21_020).seq(1).ack(111),
    ]));
    let flow = &one(&world);
    assert_eq!(quality(flow), (CLEAN, CLEAN));
    assert_eq!(rtt_ms(&server(flow).rtt), (3, 20, 20));
}

#[test]
fn a_closed_window_its_probes_and_its_opening() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        s(51).seq(1).ack(101).window(0),
        c(300).seq(101).ack(1).data(1),
        s(320).seq(1).ack(101).window(0),
        c(800).seq(101).ack(1).data(1),
        s(820).seq(1).ack(101).window(0),
        s(2000).seq(1).ack(101).window(1000),
        c(2010).seq(101).ack(1).data(100),
        s(2030).seq(1).ack(201),
    ]));
    let flow = &one(&world);
    assert_eq!(quality(flow), (CLEAN, Quality { zero_windows: 3, ..CLEAN }));
    // A probe's answer says nothing of the byte it carried: no round trip of seconds.
    assert_eq!(rtt_ms(&server(flow).rtt), (3, 20, 20));
}

#[test]
fn a_probe_whose_byte_is_taken() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        s(51).seq(1).ack(101).window(0),
        c(300).seq(101).ack(1).data(1),
        s(320).seq(1).ack(102).window(1000),
        c(330).seq(102).ack(1).data(100),
        s(350).seq(1).ack(202),
    ]));
    let flow = &one(&world);
    assert_eq!(quality(flow), (CLEAN, Quality { zero_windows: 1, ..CLEAN }));
}

#[test]
fn a_probe_whose_byte_is_taken_into_a_window_that_stays_closed() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        s(51).seq(1).ack(101).window(0),
        c(300).seq(101).ack(1).data(1),
        s(320).seq(1).ack(102).window(0),
        s(400).seq(1).ack(102).window(1000),
        c(410).seq(102).ack(1).data(100),
        s(430).seq(1).ack(202),
    ]));
    assert_eq!(quality(&one(&world)), (CLEAN, Quality { zero_windows: 2, ..CLEAN }));
}

#[test]
fn a_linux_probe_looks_like_a_keep_alive() {
    // Linux asks with an empty segment from one byte back (tcp_xmit_probe_skb).
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        s(51).seq(1).ack(101).window(0),
        c(300).seq(100).ack(1),
        s(320).seq(1).ack(101).window(0),
        s(500).seq(1).ack(101).window(500),
        c(510).seq(101).ack(1).data(100),
        s(530).seq(1).ack(201).window(500),
    ]));
    assert_eq!(quality(&one(&world)), (CLEAN, Quality { zero_windows: 2, ..CLEAN }));
}

#[test]
fn window_updates_are_no_duplicate_acks() {
    let world = play(&connected([
        s(40).seq(1).ack(1).data(100),
        c(50).seq(1).ack(101).window(900),
        c(55).seq(1).ack(101).window(1000),
        c(56).seq(1).ack(101).window(1100),
        c(57).seq(1).ack(101).window(1100),
    ]));
    assert_eq!(quality(&one(&world)), (Quality { duplicate_acks: 1, ..CLEAN }, CLEAN));
}

#[test]
fn data_from_one_byte_back_continues_after_a_probe() {
    // The byte of a probe goes out again with those behind it: nothing was lost.
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        s(51).seq(1).ack(101).window(0),
        c(300).seq(101).ack(1).data(1),
        s(320).seq(1).ack(101).window(0),
        s(400).seq(1).ack(101).window(1000),
        c(401).seq(101).ack(1).data(1),
        c(402).seq(101).ack(1).data(200),
        s(422).seq(1).ack(301),
    ]));
    assert_eq!(quality(&one(&world)), (CLEAN, Quality { zero_windows: 2, ..CLEAN }));
}

#[test]
fn resets_do_not_announce_closed_windows() {
    let world = play(&connected([c(31).seq(1).ack(1).rst().window(0)]));
    let flow = &one(&world);
    assert_eq!(client(flow).quality.zero_windows, 0);
    assert_eq!(quality(flow), (Quality { resets: 1, ..CLEAN }, CLEAN));
}
