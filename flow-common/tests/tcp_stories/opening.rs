//! How connections begin: handshakes plain, repeated, crossed and split; starts in the middle.

use flow_common::record::RoleBy;

use crate::support::story::{
    CLEAN, Quality, c, client, connected, handshake, handshake_ms, history, one, play, quality, rtt_ms, s,
    server, state,
};

#[test]
fn a_whole_conversation() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(100),
        s(51).seq(1).ack(101),
        s(60).seq(1).ack(101).data(500),
        c(70).seq(101).ack(501),
        c(80).seq(101).ack(501).fin(),
        s(100).seq(501).ack(102).fin(),
        c(110).seq(102).ack(502),
    ]));
    let flow = &one(&world);
    assert_eq!((state(flow), history(flow).as_str()), ("SF", "ShADadFf"));
    assert_eq!(flow.role_by, RoleBy::Syn as u8);
    assert_eq!(quality(flow), (CLEAN, CLEAN));
    assert_eq!(handshake_ms(flow), (Some(20), Some(10)));
    assert_eq!(rtt_ms(&server(flow).rtt), (3, 20, 20), "handshake, data, FIN");
    assert_eq!(rtt_ms(&client(flow).rtt), (3, 10, 10));
    assert_eq!((client(flow).volume().packets, server(flow).volume().packets), (6, 4));
    assert_eq!((client(flow).volume().payload_bytes, server(flow).volume().payload_bytes), (100, 500));
}

#[test]
fn the_server_closes_first() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(10),
        s(51).seq(1).ack(11).data(10),
        s(52).seq(11).ack(11).fin(),
        c(62).seq(11).ack(12).fin(),
        s(82).seq(12).ack(12),
    ]));
    assert_eq!((state(&one(&world)), history(&one(&world)).as_str()), ("SF", "ShADdfFa"));
}

#[test]
fn a_syn_without_answer() {
    let world = play(&[c(0).syn()]);
    assert_eq!((state(&one(&world)), history(&one(&world)).as_str()), ("S0", "S"));
    assert_eq!(handshake_ms(&one(&world)), (None, None));
}

#[test]
fn repeated_syns_count_as_retransmits_and_the_last_one_is_timed() {
    let world =
        play(&[c(0).syn(), c(1000).syn(), c(3000).syn(), s(3020).syn().ack(1), c(3030).seq(1).ack(1)]);
    let flow = &one(&world);
    assert_eq!(quality(flow), (Quality { retransmits: 2, syn_retransmits: 2, ..CLEAN }, CLEAN));
    assert_eq!(handshake_ms(flow), (Some(20), Some(10)));
    assert_eq!((state(flow), history(flow).as_str()), ("S1", "ShA"));
}

#[test]
fn a_repeated_syn_ack() {
    let world = play(&[c(0).syn(), s(20).syn().ack(1), s(1020).syn().ack(1), c(1030).seq(1).ack(1)]);
    let flow = &one(&world);
    assert_eq!(quality(flow), (CLEAN, Quality { retransmits: 1, syn_retransmits: 1, ..CLEAN }));
    // Nobody knows which one the client answered.
    assert_eq!(handshake_ms(flow), (Some(20), None));
}

#[test]
fn a_mirrors_copy_of_the_syn_ack_is_none_that_was_sent_again() {
    let world = play(&[c(0).syn(), s(20).syn().ack(1), s(20).us(5).syn().ack(1), c(30).seq(1).ack(1)]);
    assert_eq!(handshake_ms(&one(&world)), (Some(20), Some(10)));
}

#[test]
fn both_sides_open_at_once() {
    // RFC 9293 section 3.5, figure 7.
    let world = play(&[
        c(0).syn(),
        s(5).syn(),
        c(10).syn().ack(1),
        s(20).syn().ack(1),
        c(25).seq(1).ack(1),
        c(30).seq(1).ack(1).data(10),
        s(50).seq(1).ack(11),
    ]);
    let flow = &one(&world);
    assert_eq!(state(flow), "S1");
    assert_eq!(client(flow).volume().payload_bytes, 10);
    // Either side's SYN-ACK repeats its SYN.
    assert_eq!((quality(flow).0.syn_retransmits, quality(flow).1.syn_retransmits), (1, 1));
    // Each SYN to its SYN-ACK, in whichever order these pass.
    assert_eq!(handshake_ms(flow), (Some(20), Some(5)));
    let world = play(&[c(0).syn(), s(1).syn(), s(20).syn().ack(1), c(22).syn().ack(1)]);
    assert_eq!(handshake_ms(&one(&world)), (Some(20), Some(21)));
}

#[test]
fn a_split_handshake() {
    // The server acknowledges the SYN and sends its own in a second segment (RFC 9293 section 3.5).
    let world = play(&[
        c(0).syn(),
        s(20).ack(1),
        s(21).syn(),
        c(31).syn().ack(1),
        s(51).seq(1).ack(1),
        c(61).seq(1).ack(1).data(10),
    ]);
    let flow = &one(&world);
    assert_eq!(flow.role_by, RoleBy::Syn as u8);
    assert_eq!(client(flow).volume().payload_bytes, 10);
}

#[test]
fn a_start_in_the_middle() {
    let world = play(&[
        c(0).seq(5000).ack(9000).data(100),
        s(20).seq(9000).ack(5100).data(100),
        c(30).seq(5100).ack(9100),
    ]);
    let flow = &one(&world);
    assert_eq!((state(flow), history(flow).as_str()), ("OTH", "DdA"));
    assert_eq!(flow.role_by, RoleBy::Port as u8);
    assert_eq!(quality(flow), (CLEAN, CLEAN));
    assert_eq!(rtt_ms(&server(flow).rtt), (1, 20, 20));
    assert_eq!(handshake_ms(flow), (None, None));
}

#[test]
fn a_capture_that_begins_with_the_syn_ack_names_the_client() {
    let world = play(&[s(0).syn().ack(1), c(10).seq(1).ack(1), c(11).seq(1).ack(1).data(10)]);
    let flow = &one(&world);
    assert_eq!(flow.role_by, RoleBy::Syn as u8);
    assert_eq!(client(flow).volume().payload_bytes, 10);
    assert_eq!(handshake_ms(flow), (None, Some(10)));
    assert_eq!(history(flow), "hAD");
}

#[test]
fn only_the_clients_direction() {
    let world = play(&[
        c(0).syn(),
        c(30).seq(1).ack(1),
        c(31).seq(1).ack(1).data(100),
        c(60).seq(101).ack(3000),
        c(90).seq(101).ack(3000).fin(),
    ]);
    let flow = &one(&world);
    assert_eq!((state(flow), history(flow).as_str()), ("SH", "SADF"));
    assert_eq!(quality(flow), (CLEAN, CLEAN));
    assert_eq!(handshake_ms(flow), (None, None));
    assert_eq!(server(flow).volume().packets, 0);
}

#[test]
fn only_the_servers_direction() {
    let world = play(&[
        s(20).syn().ack(1),
        s(60).seq(1).ack(101).data(1000),
        s(61).seq(1001).ack(101).data(1000),
        s(90).seq(2001).ack(101).fin(),
    ]);
    let flow = &one(&world);
    assert_eq!((state(flow), history(flow).as_str()), ("SHR", "hdf"));
    assert_eq!(server(flow).volume().payload_bytes, 2000);
    assert_eq!(quality(flow), (CLEAN, CLEAN));
}

#[test]
fn data_on_the_syn() {
    // TCP Fast Open (RFC 7413): accepted at once.
    let world = play(&[
        c(0).syn().data(200),
        s(20).syn().ack(201),
        c(30).seq(201).ack(1),
        s(40).seq(1).ack(201).data(300),
    ]);
    let flow = &one(&world);
    assert_eq!(quality(flow), (CLEAN, CLEAN));
    assert_eq!(client(flow).volume().payload_bytes, 200);
    assert_eq!(handshake_ms(flow), (Some(20), Some(10)));
}

#[test]
fn data_on_the_syn_that_is_refused_goes_out_again() {
    let world = play(&[
        c(0).syn().data(200),
        s(20).syn().ack(1),
        c(30).seq(1).ack(1).data(200),
        s(50).seq(1).ack(201),
    ]);
    let flow = &one(&world);
    assert_eq!(quality(flow), (Quality { retransmits: 1, ..CLEAN }, CLEAN));
    assert_eq!(rtt_ms(&server(flow).rtt).0, 0);
}

#[test]
fn marks_and_classes_are_kept_per_direction() {
    let mut steps = handshake();
    steps.extend([
        c(31).seq(1).ack(1).data(10).tos(0xb8),
        s(51).seq(1).ack(11).data(10).tos(0x03),
        s(52).seq(11).ack(11).data(10).tos(0x2b),
        s(53).seq(21).ack(11).data(10).tos(0x02),
    ]);
    let world = play(&steps);
    let flow = &one(&world);
    assert_eq!((client(flow).dscp, client(flow).ecn_ce), (1 | 1 << 46, 0));
    assert_eq!((server(flow).dscp, server(flow).ecn_ce), (1 | 1 << 10, 2));
}
