//! Sequence numbers wrap at 2^32: every story is the same wherever its numbers begin.

use crate::support::story::{
    Origin, Step, c, connected, handshake_ms, history, one, play_from, quality, rtt_ms, s, server, state,
};

/// Loss, reordering, duplicates, a closed window and a keep-alive in one conversation of some 700 bytes.
fn eventful() -> Vec<Step> {
    connected([
        c(31).seq(1).ack(1).data(100),
        c(32).seq(201).ack(1).data(100),
        c(33).seq(101).ack(1).data(100),
        s(53).seq(1).ack(301).data(200),
        s(54).seq(301).ack(301).data(100),
        c(63).seq(301).ack(201),
        c(64).seq(301).ack(201),
        s(400).seq(201).ack(301).data(100),
        c(410).seq(301).ack(401).window(0),
        c(500).seq(301).ack(401),
        c(6000).seq(300).ack(401),
        s(6020).seq(401).ack(301),
        c(6030).seq(301).ack(401).fin(),
        s(6050).seq(401).ack(302).fin(),
        c(6060).seq(302).ack(402),
    ])
}

#[test]
fn the_wrap_changes_nothing() {
    let tell = |origin: Origin| {
        let world = play_from(origin, &eventful());
        let flow = &one(&world);
        let rtt = rtt_ms(&server(flow).rtt);
        (quality(flow), state(flow), history(flow), handshake_ms(flow), rtt)
    };
    let plain = tell(Origin { client: 5000, server: 70_000 });
    assert_eq!((plain.0.0.out_of_order, plain.0.1.retransmits, plain.1), (1, 1, "SF"));
    for back in 0..450 {
        let wrapped = Origin { client: 0_u32.wrapping_sub(back), server: 0_u32.wrapping_sub(back) };
        assert_eq!(tell(wrapped), plain, "{back} bytes before the wrap");
    }
    for origin in [0, 0x7fff_fff0, 0x8000_0000] {
        assert_eq!(tell(Origin { client: origin, server: origin }), plain, "from {origin:#x}");
    }
}

#[test]
fn a_jump_of_half_the_space_is_survived() {
    // What comes before and what after cannot be told: nothing may panic, every packet counts.
    let world = play_from(
        Origin { client: 0, server: 0 },
        &connected([
            c(31).seq(0x8000_0001).ack(1).data(100),
            c(32).seq(1).ack(0x8000_0000).data(100),
            c(33).seq(0xffff_fff0).ack(0xffff_ffff).data(100),
        ]),
    );
    assert_eq!(crate::support::story::client(&one(&world)).volume().packets, 5);
}
