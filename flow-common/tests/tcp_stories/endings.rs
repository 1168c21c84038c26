//! How connections end, and what Zeek calls that.

use flow_common::record::Ended;

use crate::support::story::{CLEAN, Quality, Step, c, connected, history, one, play, quality, s, state};

fn ends_as(steps: &[Step], expected: &str) {
    let world = play(steps);
    assert_eq!(state(&one(&world)), expected, "history {}", history(&one(&world)));
}

#[test]
fn refused() {
    let world = play(&[c(0).syn(), s(20).rst().ack(1)]);
    let flow = &one(&world);
    assert_eq!((state(flow), history(flow).as_str()), ("REJ", "Sr"));
    assert_eq!(quality(flow), (CLEAN, Quality { resets: 1, ..CLEAN }));
    assert_eq!(flow.ended, Ended::Rst as u8);
}

#[test]
fn reset_by_either_side() {
    ends_as(&connected([c(31).seq(1).ack(1).data(10), c(40).seq(11).ack(1).rst()]), "RSTO");
    ends_as(&connected([c(31).seq(1).ack(1).data(10), s(51).seq(1).ack(11).rst()]), "RSTR");
}

#[test]
fn reset_by_the_client_before_and_after_the_answer() {
    ends_as(&[c(0).syn(), c(5).seq(1).rst()], "RSTOS0");
    ends_as(&[c(0).syn(), s(20).syn().ack(1), c(30).seq(1).rst()], "RSTO");
}

#[test]
fn reset_by_a_server_whose_client_was_not_seen() {
    ends_as(&[s(0).syn().ack(1), s(50).seq(1).ack(1).rst()], "RSTRH");
}

#[test]
fn half_closed() {
    ends_as(&connected([c(31).seq(1).ack(1).fin(), s(51).seq(1).ack(2)]), "S2");
    ends_as(&connected([s(31).seq(1).ack(1).fin(), c(41).seq(1).ack(2)]), "S3");
    // The other side may go on sending (RFC 9293 section 3.6).
    ends_as(&connected([c(31).seq(1).ack(1).fin(), s(51).seq(1).ack(2).data(500)]), "S2");
}

#[test]
fn opened_and_left_so() {
    ends_as(&connected([]), "S1");
    ends_as(&connected([c(31).seq(1).ack(1).data(10), s(51).seq(1).ack(11)]), "S1");
}

#[test]
fn closed_without_an_answer() {
    ends_as(&[c(0).syn(), c(50).seq(1).fin()], "SH");
    ends_as(&[s(0).syn().ack(1), s(50).seq(1).ack(1).fin()], "SHR");
}

#[test]
fn a_reset_after_both_fins_changes_nothing() {
    let world = play(&connected([
        c(31).seq(1).ack(1).fin(),
        s(51).seq(1).ack(2).fin(),
        c(61).seq(2).ack(2),
        s(62).seq(2).rst(),
    ]));
    assert_eq!(state(&one(&world)), "SF");
    assert_eq!(one(&world).ended, Ended::Fin as u8);
    assert_eq!(quality(&one(&world)).1.resets, 1);
}

#[test]
fn a_reset_after_one_fin() {
    ends_as(&connected([c(31).seq(1).ack(1).fin(), s(51).seq(1).ack(2).rst()]), "RSTR");
    ends_as(&connected([s(31).seq(1).ack(1).fin(), c(41).seq(1).ack(2).rst()]), "RSTO");
}

#[test]
fn resets_are_counted_one_by_one() {
    let world = play(&connected([
        c(31).seq(1).ack(1).data(10),
        s(51).seq(1).ack(11).rst(),
        s(52).seq(1).rst(),
        s(53).seq(1).rst(),
    ]));
    assert_eq!(quality(&one(&world)).1.resets, 3);
}

#[test]
fn odd_flags_have_letters_of_their_own() {
    let world = play(&connected([c(31).seq(1).ack(1).fin().rst()]));
    assert_eq!(history(&one(&world)), "ShAI");
    let world = play(&[c(0).syn().fin()]);
    assert_eq!(history(&one(&world)), "Q");
}
