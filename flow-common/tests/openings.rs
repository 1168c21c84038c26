//! What is copied of conversations that the packet path does not know, and what their reader decides.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use flow_common::{
    app::{App, Apps},
    event::PayloadKind,
    record::looks,
    wire::tcp::flag,
};
use support::talk::{PSH, Talk, What};

const UNKNOWN: What = (0, PayloadKind::Message as u8);
const END: What = (0, PayloadKind::End as u8);
const REQUEST: What = (App::Http as u8, PayloadKind::Request as u8);

#[test]
fn what_nobody_knows_is_copied_in_part_until_it_has_been_looked_at_for_long() {
    let mut talk = Talk::new(6379, Apps::ALL);
    talk.send(true, PSH, &[b'*'; 600]);
    // More of the same write is no look; then come answers.
    talk.send(false, flag::ACK, &[b'$'; 1_400]);
    talk.send(false, PSH, &[b'$'; 10]);
    talk.send(true, PSH, &[b'*'; 9_000]);
    talk.send(true, PSH, &[b'*'; 9_000]);
    assert_eq!(talk.copied(), [600, 1_400, 9_000, 4_096].map(|len| (UNKNOWN, len)));
    for _ in 0..300 {
        talk.send(true, PSH, &[b'*'; 20]);
    }
    assert_eq!(talk.copied().len(), 4 + 197);
    let mut off = Talk::new(6379, Apps::of(&[App::Http, App::Dns, App::Tls]));
    off.send(true, PSH, &[b'*'; 600]);
    assert_eq!(off.copied(), []);
}

#[test]
fn what_is_followed_is_copied_whole_once_and_its_end_told() {
    let mut talk = Talk::new(6379, Apps::ALL);
    talk.send(true, PSH, b"*1\r\n");
    talk.world.steer(looks::FOLLOWED);
    talk.send(false, flag::ACK, &[b'$'; 1_400]);
    talk.send(false, flag::ACK, &[b'$'; 1_400]);
    talk.raw(false, flag::ACK, -1_400, &[b'$'; 1_400]);
    talk.raw(true, flag::ACK, -1, b"x");
    talk.send(false, PSH, &[b'$'; 9_000]);
    talk.send(false, PSH, b"GET / HTTP/1.1\r\n\r\n");
    talk.send(false, flag::FIN | flag::ACK, &[]);
    let whole = [1_400, 1_400, 9_000, 18].map(|len| (UNKNOWN, len));
    assert_eq!(talk.copied()[1..], [&whole[..], &[(END, 0)]].concat());
    assert_eq!(talk.app(), None);
}

#[test]
fn a_hello_is_found_behind_what_nobody_recognised() {
    let hello = [22, 3, 1, 0, 50, 1, 0, 0, 46, 3];
    for (lines, found) in [(15, true), (16, false)] {
        let mut talk = Talk::new(143, Apps::ALL);
        talk.world.steer(looks::UNKNOWN);
        talk.send(true, PSH, b"a001 CAPABILITY\r\n");
        talk.world.steer(looks::UNKNOWN);
        for _ in 0..lines {
            talk.send(true, PSH, b"a002 STARTTLS\r\n");
        }
        talk.send(true, PSH, &hello);
        let of_tls = talk.copied().iter().any(|(what, _)| what.0 == App::Tls as u8);
        assert_eq!(of_tls, found, "{lines} lines: {:?}", talk.copied());
    }
}

#[test]
fn what_is_left_alone_is_not_copied() {
    let mut talk = Talk::new(22, Apps::ALL);
    talk.send(false, PSH, b"SSH-2.0-x\r\n");
    talk.world.steer(looks::LEFT_ALONE);
    for _ in 0..300 {
        talk.send(true, PSH, b"GET / HTTP/1.1\r\n\r\n");
        talk.send(false, PSH, &[1; 100]);
    }
    assert_eq!(talk.copied(), [(UNKNOWN, 11)]);
}

#[test]
fn what_begins_anew_may_be_known() {
    let mut talk = Talk::new(25, Apps::ALL);
    talk.send(true, PSH, b"STARTTLS\r\n");
    talk.world.steer(looks::FOLLOWED);
    talk.send(false, PSH, b"220 go\r\n");
    talk.world.steer(0);
    talk.send(true, PSH, &[22, 3, 1, 0, 50, 1, 0, 0, 46, 3]);
    assert_eq!(talk.copied().last(), Some(&((App::Tls as u8, PayloadKind::Message as u8), 10)));
}

#[test]
fn http2_opens_a_conversation_and_follows_an_upgrade() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut talk = Talk::new(8080, Apps::ALL);
    talk.send(true, PSH, PREFACE);
    talk.send(false, PSH, &[0, 0, 0, 4, 0, 0, 0, 0, 0]);
    talk.send(true, PSH, &[0, 0, 1, 1, 5, 0, 0, 0, 1, 0x82]);
    assert_eq!(talk.copied(), [(REQUEST, PREFACE.len()), (UNKNOWN, 9), (UNKNOWN, 10)]);
    assert_eq!(talk.app(), None);
    // With more behind it in the same write.
    let mut talk = Talk::new(8080, Apps::ALL);
    for part in [&[PREFACE, &[0; 1_000]].concat()[..], &[0; 1_000], &[0; 1_000]] {
        talk.send(true, PSH, part);
    }
    assert_eq!(
        talk.copied().iter().map(|(_, len)| *len).collect::<Vec<_>>(),
        [PREFACE.len() + 1_000, 1_000, 1_000]
    );
    let mut talk = Talk::new(8080, Apps::ALL);
    talk.send(true, PSH, b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
    talk.send(false, PSH, b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
    talk.send(true, PSH, PREFACE);
    assert_eq!(talk.copied().last(), Some(&(REQUEST, PREFACE.len())));
    // Without those who follow it, it ends what HTTP/1 has to say.
    let mut talk = Talk::new(8080, Apps::ALL.without(App::Http2));
    talk.send(true, PSH, PREFACE);
    assert_eq!((talk.copied(), talk.app()), (vec![(REQUEST, PREFACE.len())], Some(App::Http)));
}

#[test]
fn a_word_of_http_does_not_hide_the_answer_of_something_else() {
    let mut talk = Talk::new(6379, Apps::ALL);
    talk.send(true, PSH, b"GET key\r\n");
    talk.send(false, PSH, b"$3\r\nabc\r\n");
    assert_eq!(talk.copied(), [(REQUEST, 9), (UNKNOWN, 9)]);
    // HTTP itself is proven by more than a word, and its bodies are no openings.
    let mut talk = Talk::new(80, Apps::ALL);
    talk.send(true, PSH, b"POST / HTTP/1.1\r\n\r\n");
    talk.send(true, PSH, &[b'x'; 1_000]);
    talk.send(true, PSH, &[b'x'; 1_000]);
    assert!(talk.copied().iter().all(|(what, _)| *what != UNKNOWN), "{:?}", talk.copied());
}

#[test]
fn a_byte_that_may_begin_http_cuts_nothing_of_what_follows() {
    let mut talk = Talk::new(5432, Apps::ALL);
    // PostgreSQL's server refuses TLS: `NOTIFY` begins like this, too, and the first 512 bytes would be its head's.
    talk.send(true, PSH, &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]);
    talk.send(false, PSH, b"N");
    let mut sent = vec![8, 1];
    for len in [424, 66, 66] {
        talk.send(true, PSH, &[b'Q'; 63]);
        talk.send(false, PSH, &vec![b'S'; len]);
        sent.extend([63, len]);
    }
    assert_eq!(talk.copied().iter().map(|(_, len)| *len).collect::<Vec<_>>(), sent);
}
