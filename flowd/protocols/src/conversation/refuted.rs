//! What begins like a protocol and is none: it makes no line that a second message would have refuted.

use std::sync::Arc;

use flow_common::{
    event::{PayloadEvent, PayloadKind},
    key::{FlowKey, Sender},
    wire::tcp::flag,
};

use super::{
    dialect::Side,
    kit,
    member::Entry,
    openings::{Opening, openings},
    tracker::Conversations,
};
use crate::{AppRecord, Follow, Options, PROTOCOLS, Query, Statements, record::Found, section::NoKeys};

use Side::{Client, Server};

/// Every protocol, on one connection.
struct Wire {
    conversations: Conversations,
    found: Found,
    key: FlowKey,
    time: u64,
    next: [u32; 2],
}

impl Wire {
    fn new(options: &Options) -> Self {
        let entries = PROTOCOLS.iter().filter_map(|registered| {
            let Follow::Dialect(candidate) = registered.follow else { return None };
            let operations = registered.numbers.operations();
            Some(Entry { app: registered.app, candidate, operations, options })
        });
        let conversations = Conversations::new(entries);
        Self { conversations, found: Found::new(), key: kit::head().key, time: 0, next: [9, 70] }
    }

    fn say(&mut self, side: Side, bytes: &[u8]) {
        self.time += 1_000;
        let [own, peer] = if side == Client { self.next } else { [self.next[1], self.next[0]] };
        let event = PayloadEvent {
            key: self.key,
            time: self.time,
            slot: 1,
            seq: own,
            payload_len: bytes.len() as u32,
            copied: bytes.len() as u16,
            kind: PayloadKind::Message as u8,
            sender: if side == Client { Sender::A } else { Sender::B } as u8,
            ack: peer,
            tcp_flags: flag::ACK as u8,
            app: 0,
            retransmits: 0,
            own_last: 0,
            peer_last: 0,
        };
        self.conversations.event(&event, bytes, &mut self.found);
        self.next[usize::from(side == Server)] += bytes.len() as u32;
    }

    /// The lines in the end.
    fn end(&mut self) -> Vec<String> {
        self.conversations.finish(&mut self.found);
        let shown = |record: Box<dyn AppRecord>| format!("{} {:?}", record.app().name(), record.request());
        self.found.drain(..).map(shown).collect()
    }
}

/// Of [`garbage`], that with control characters: it is no text in any case.
const BYTES: usize = 3;

/// What follows: nothing that any protocol says.
fn garbage() -> Vec<Vec<u8>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |len: usize| -> Vec<u8> {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..len).map(|_| next()).collect()
    };
    let text = b"What is it, that nobody knows? \n".repeat(40);
    vec![random(1_400), random(1_400), random(60), vec![0xff; 1_400], text]
}

fn options() -> Options {
    let keys = Arc::new(NoKeys {});
    Options { head_bytes: 4_096, query: Query::Drop, statements: Statements::Drop, on: true, keys }
}

/// The opening up to `cut` bytes behind the front of its message `at`, and garbage of both sides.
fn told(
    wire: &mut Wire,
    opening: &Opening,
    at: usize,
    cut: usize,
    garbage: &[u8],
    joined: bool,
) -> Vec<String> {
    for (side, bytes) in &opening.messages[..at] {
        wire.say(*side, bytes);
    }
    let (side, message) = &opening.messages[at];
    if joined {
        wire.say(*side, &[&message[..cut], garbage].concat());
    } else {
        wire.say(*side, &message[..cut]);
        wire.say(*side, garbage);
    }
    for round in 0..6 {
        let side = if round % 2 == 0 { side.other() } else { *side };
        wire.say(side, garbage);
    }
    wire.end()
}

#[test]
fn garbage_that_begins_like_a_protocol_makes_no_line() {
    let (options, mut wrong) = (options(), Vec::new());
    let mut wire = Wire::new(&options);
    for opening in openings() {
        let first = opening.messages.iter().position(|(side, _)| *side == Client);
        let Some(first) = first else { continue };
        let message = &opening.messages[first].1;
        let len = message.len();
        // On lines any word may be a command that the server does not know.
        let lines = message.ends_with(b"\n");
        let garbage = garbage().into_iter().enumerate().filter(|(kind, _)| !lines || *kind < BYTES);
        for (kind, garbage) in garbage {
            for cut in 1..=len {
                for joined in [true, false] {
                    let lines = told(&mut wire, &opening, first, cut, &garbage, joined);
                    if let Some(line) = lines.first() {
                        wrong.push(format!("{} {cut}/{len}, garbage {kind}, {joined}: {line}", opening.name));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
