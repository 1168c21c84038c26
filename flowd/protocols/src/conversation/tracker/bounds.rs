//! Conversations through the tracker, by a protocol of lines: a client's begin with `?`, a server's with `!`.

use std::sync::Arc;

use flow_common::wire::tcp::flag;

use super::*;
use crate::{
    Options, Query, Statements,
    conversation::{
        Ask, Candidate, Dialect, Input, Recognition, RequestRecord, Side, Status, Step, Talk, lines,
    },
    section::NoKeys,
    testing::{scope, v4},
};

#[derive(Debug)]
struct Lines;

impl Dialect for Lines {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let (line, read) = match lines::text_line(input.bytes, 9_000) {
            Ok(line) => line,
            Err(step) => return step,
        };
        match (side, line.first(), talk.oldest()) {
            (Side::Client, Some(b'?'), _) => drop(talk.ask(Ask::new("ASK"))),
            (Side::Server, Some(b'!'), Some(oldest)) => talk.close(oldest, Status::Ok),
            _ => return Step::Lost,
        }
        Step::Take(read)
    }

    fn resume(&mut self, _: Side, bytes: &[u8]) -> bool {
        matches!(bytes.first(), Some(b'?' | b'!'))
    }
}

fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    match (client.first(), server.first()) {
        (Some(b'?'), None | Some(b'!')) => Recognition::Yes,
        (None | Some(b'~'), None) => Recognition::Maybe,
        _ => Recognition::No,
    }
}

struct Story {
    conversations: Conversations,
    found: Found,
    time: u64,
    retransmits: u16,
    next: [u32; 2],
}

impl Story {
    fn new(connections: usize, held: usize) -> Self {
        let options = Options {
            head_bytes: 4_096,
            query: Query::Drop,
            statements: Statements::Drop,
            on: true,
            keys: Arc::new(NoKeys {}),
        };
        let candidate = Candidate { recognise, start: |_| Box::new(Lines) };
        let entry = Entry { app: App::Redis, candidate, operations: &["ASK"], options: &options };
        let conversations = Conversations::within(connections, held, [entry].into_iter());
        Self { conversations, found: Found::new(), time: 0, retransmits: 0, next: [1_000, 5_000] }
    }

    fn event(&self, port: u16, client: bool, len: usize, kind: PayloadKind) -> PayloadEvent {
        let ends = (v4([10, 0, 0, 1], port), v4([10, 0, 0, 2], 80));
        let (key, from) = FlowKey::new(ends.0, ends.1, &scope(1, 6, false), None);
        let [own, peer] = if client { self.next } else { [self.next[1], self.next[0]] };
        PayloadEvent {
            key,
            time: self.time,
            slot: u32::from(port),
            seq: own,
            payload_len: len as u32,
            copied: len as u16,
            kind: kind as u8,
            sender: if client { from } else { from.other() } as u8,
            ack: peer,
            tcp_flags: flag::ACK as u8,
            app: 0,
            retransmits: self.retransmits,
            own_last: 0,
            peer_last: 0,
        }
    }

    /// One side of the connection from this port says something; whether a dialect follows it.
    fn say(&mut self, port: u16, client: bool, text: &[u8]) -> bool {
        self.time += 1;
        let event = self.event(port, client, text.len(), PayloadKind::Message);
        let known = self.conversations.event(&event, text, &mut self.found);
        self.next[usize::from(!client)] += text.len() as u32;
        known
    }

    fn losses(&self) -> Vec<(&'static str, u64)> {
        let lost = |(_, losses): (App, Vec<(&'static str, u64)>)| losses;
        self.conversations.losses().flat_map(lost).filter(|(_, count)| *count > 0).collect()
    }

    /// Retransmits, times, and how they ended, of all requests.
    fn lines(&mut self) -> Vec<(u32, u64, Option<u64>, &'static str)> {
        self.conversations.finish(&mut self.found);
        assert_eq!((self.conversations.held(), self.conversations.oldest()), (0, None));
        let records = self.found.iter().map(|record| record.get::<RequestRecord>().unwrap());
        records.map(|r| (r.retransmits, r.asked, r.answered, r.status().unwrap_or("-"))).collect()
    }
}

#[test]
fn requests_before_the_recognition_are_told_with_their_own_retransmits() {
    let mut story = Story::new(9, HELD);
    story.retransmits = 70;
    assert!(!story.say(1, true, b"~"));
    assert!(story.say(1, true, b"?\n"));
    story.retransmits = 72;
    assert!(story.say(1, false, b"!\n"));
    assert_eq!(story.lines(), [(2, 2, Some(3), "ok")]);
}

#[test]
fn what_grows_makes_room_as_what_begins_does() {
    let room = 64 << 10;
    let mut story = Story::new(1_000, room);
    let said = |story: &mut Story, port| story.say(port, true, b"~");
    let kept = (0..30).filter(|port| !said(&mut story, *port)).count();
    assert_eq!(kept, 30);
    // Nobody begins anything from here on.
    for round in 0..10 {
        for port in 0..30 {
            story.say(port, true, &[b'~'; 1_400]);
            assert!(story.conversations.held() <= room, "{round}: {}", story.conversations.held());
        }
    }
    assert!(story.say(99, true, b"?\n"));
    for port in 0..60 {
        story.say(port, true, &[b'~'; 1_400]);
    }
    assert_eq!(story.losses(), [("evicted", 1)]);
    assert_eq!(story.lines(), [(0, 331, None, "-")]);
}

#[test]
fn what_the_dialect_does_not_know_is_counted() {
    let mut story = Story::new(9, HELD);
    story.say(1, true, b"?\n");
    story.say(1, false, b"!\nwhat\n");
    story.say(1, true, b"?\n");
    story.say(1, false, b"!\n");
    assert_eq!(story.losses(), [("malformed", 1)]);
    assert_eq!(story.lines(), [(0, 1, Some(2), "ok"), (0, 3, Some(4), "ok")]);
}

#[test]
fn no_response_takes_less_than_no_time() {
    let mut story = Story::new(9, HELD);
    story.say(1, true, b"?\n");
    story.say(1, false, b"!\n!");
    story.say(1, true, b"?\n");
    story.say(1, false, b"\n");
    assert_eq!(story.lines(), [(0, 1, Some(2), "ok"), (0, 3, None, "ok")]);
}

#[test]
fn another_connection_between_the_same_ends_is_another_one() {
    let mut story = Story::new(9, HELD);
    story.say(1, true, b"?\n");
    let mut event = story.event(1, true, 2, PayloadKind::Message);
    event.slot = 77;
    assert!(story.conversations.event(&event, b"?\n", &mut story.found));
    assert_eq!(story.found.len(), 1, "the first one has ended");
    event.kind = PayloadKind::End as u8;
    event.tcp_flags = flag::RST as u8;
    assert!(story.conversations.event(&event, b"", &mut story.found));
    assert_eq!(story.lines().len(), 2);
}
