//! Ports used again, and records that idled: when a packet begins a new record and when not.

use flow_common::record::Ended;

use crate::support::story::{Step, c, client, connected, play, s, state};

/// A connection that both sides closed.
fn closed() -> Vec<Step> {
    connected([
        c(31).seq(1).ack(1).data(10),
        s(51).seq(1).ack(11).fin(),
        c(61).seq(11).ack(2).fin(),
        s(81).seq(2).ack(12),
    ])
}

#[test]
fn a_syn_on_a_closed_connection_begins_a_new_record() {
    let again = [c(2000).seq(77_000).syn(), s(2020).seq(88_000).syn().ack(77_001)];
    let world = play(&[closed().as_slice(), &again].concat());
    let [first, second] = &world.records()[..] else { panic!("two records") };
    assert_eq!((state(first), first.ended), ("SF", Ended::Fin as u8));
    assert_eq!((state(second), second.ended), ("S1", Ended::No as u8));
    assert_eq!(client(second).quality.syn_retransmits, 0);
}

#[test]
fn a_syn_on_a_reset_connection_begins_a_new_record() {
    let world = play(&[
        c(0).syn(),
        s(20).rst().ack(1),
        c(1000).seq(50_000).syn(),
        s(1020).seq(60_000).syn().ack(50_001),
    ]);
    assert_eq!(world.records().iter().map(state).collect::<Vec<_>>(), ["REJ", "S1"]);
}

#[test]
fn a_repeated_syn_on_an_open_connection_does_not() {
    let world = play(&[c(0).syn(), c(1000).syn(), s(1020).syn().ack(1), c(1025).syn()]);
    assert_eq!(world.records().len(), 1);
}

#[test]
fn late_segments_stay_with_the_connection_that_closed() {
    let late = [c(100).seq(11).ack(2).fin(), s(120).seq(2).ack(12)];
    let world = play(&[closed().as_slice(), &late].concat());
    assert_eq!(world.records().len(), 1);
    assert_eq!(client(&world.records()[0]).quality.retransmits, 1);
}

#[test]
fn an_idle_connection_is_split() {
    let quiet = [c(400_000).seq(11).ack(1).data(10)];
    let open = connected([c(31).seq(1).ack(1).data(10), s(51).seq(1).ack(11)]);
    let world = play(&[open.as_slice(), &quiet].concat());
    let [first, second] = &world.records()[..] else { panic!("two records") };
    assert_eq!(first.ended, Ended::Idle as u8);
    assert_eq!((state(first), state(second)), ("S1", "OTH"));
    assert_eq!(client(second).volume().payload_bytes, 10);
}

#[test]
fn each_stage_has_its_own_patience() {
    let records = |steps: &[Step]| play(steps).records().len();
    // Half open 30 s, established 300 s, closed 5 s.
    assert_eq!(records(&[c(0).syn(), c(29_000).syn()]), 1);
    assert_eq!(records(&[c(0).syn(), c(31_000).syn()]), 2);
    assert_eq!(records(&connected([c(299_000).seq(1).ack(1)])), 1);
    assert_eq!(records(&[closed().as_slice(), &[s(4000).seq(2).ack(12)]].concat()), 1);
    assert_eq!(records(&[closed().as_slice(), &[s(9000).seq(2).ack(12)]].concat()), 2);
}

#[test]
fn a_syn_with_other_numbers_begins_a_new_record_also_where_no_end_was_seen() {
    let first = connected([c(31).seq(1).ack(1).data(100), s(51).seq(1).ack(101).data(50)]);
    let second = [c(20_000).seq(77_000).syn(), s(20_020).seq(88_000).syn().ack(77_001)];
    let world = play(&[first.as_slice(), &second].concat());
    let [old, new] = &world.records()[..] else { panic!("two records") };
    assert_eq!((state(old), old.ended, state(new)), ("S1", Ended::Idle as u8, "S1"));
    assert_eq!((client(new).quality.retransmits, client(new).quality.syn_retransmits), (0, 0));
}

#[test]
fn one_side_tells_connections_apart() {
    // The client's, then the server's: either closes, and nobody is seen to answer.
    let ours = |at: u64, isn: u32| {
        let (next, end) = (isn + 1, isn + 11);
        [
            c(at).seq(isn).syn(),
            c(at + 30).seq(next).ack(9_001),
            c(at + 31).seq(next).ack(9_001).data(10),
            c(at + 60).seq(end).ack(9_500).fin(),
        ]
    };
    let world = play(&[ours(0, 0), ours(30_000, 500_000), ours(60_000, 90_000)].concat());
    assert_eq!(world.records().iter().map(state).collect::<Vec<_>>(), ["SH", "SH", "SH"]);
    let ended: Vec<u8> = world.records().iter().map(|record| record.ended).collect();
    assert_eq!(ended, [Ended::Fin as u8, Ended::Fin as u8, Ended::No as u8]);

    let theirs = |at: u64, isn: u32| {
        [
            s(at).seq(isn).syn().ack(1),
            s(at + 40).seq(isn + 1).ack(11).data(20),
            s(at + 50).seq(isn + 21).ack(11).fin(),
        ]
    };
    let world = play(&[theirs(0, 0), theirs(30_000, 500_000)].concat());
    assert_eq!(world.records().iter().map(state).collect::<Vec<_>>(), ["SHR", "SHR"]);
}

#[test]
fn a_syn_that_comes_behind_its_own_connection_belongs_to_it() {
    // A capture of two queues: the SYN is delivered last.
    let [_syn, rest @ ..] = &closed()[..] else { panic!("no steps") };
    let world = play(&[rest, &[c(90).syn()]].concat());
    let [one] = &world.records()[..] else { panic!("one record") };
    assert_eq!((one.ended, client(one).quality.retransmits, client(one).quality.out_of_order), (1, 0, 1));
}

#[test]
fn a_syn_that_comes_again_after_the_end_belongs_to_its_connection() {
    let world = play(&[closed().as_slice(), &[c(90).syn()]].concat());
    let [one] = &world.records()[..] else { panic!("one record") };
    assert_eq!(client(one).quality.syn_retransmits, 1);
}

#[test]
fn a_reset_that_was_injected_before_the_answer_does_not_cut_the_connection() {
    let world = play(&[
        c(0).syn(),
        s(5).seq(4_000_000).ack(1).rst(),
        s(20).syn().ack(1),
        c(30).seq(1).ack(1),
        c(31).seq(1).ack(1).data(10),
    ]);
    assert_eq!(world.records().len(), 1);
}
