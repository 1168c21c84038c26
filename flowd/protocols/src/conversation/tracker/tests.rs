use flow_common::key::Sender;

use super::*;
use crate::{
    Follow, Options, PROTOCOLS, Query, Statements,
    conversation::{RequestRecord, kit::head},
    section::{NoKeys, Schema},
};

/// What PostgreSQL is told.
fn told(statements: Statements) -> Options {
    let keys = (Schema::of::<NoKeys>().defaults)();
    Options { head_bytes: 512, query: Query::Drop, statements, on: true, keys }
}

fn postgresql(options: &Options) -> impl Iterator<Item = Entry<'_>> {
    let known = PROTOCOLS.iter().find(|known| known.app == App::Postgresql).unwrap();
    let Follow::Dialect(candidate) = known.follow else { panic!("it is a dialect") };
    let operations = known.numbers.operations();
    std::iter::once(Entry { app: known.app, candidate, operations, options })
}

/// A connection, segment by segment.
struct Story {
    conversations: Conversations,
    key: FlowKey,
    next: [u32; 2],
    time: u64,
    found: Found,
}

impl Story {
    fn says(&mut self, sender: Sender, bytes: &[u8]) {
        let [own, other] = if sender == Sender::A { [0, 1] } else { [1, 0] };
        self.time += 1_000;
        let event = PayloadEvent {
            key: self.key,
            time: self.time,
            slot: 1,
            seq: self.next[own],
            payload_len: bytes.len() as u32,
            copied: bytes.len() as u16,
            kind: PayloadKind::Request as u8,
            sender: sender as u8,
            tcp_flags: 0x18,
            app: 0,
            ack: self.next[other],
            retransmits: 0,
            own_last: 0,
            peer_last: 0,
        };
        self.conversations.event(&event, bytes, &mut self.found);
        self.next[own] += bytes.len() as u32;
    }

    /// Statements of the lines so far.
    fn statements(&self) -> Vec<Option<String>> {
        let requests = self.found.iter().map(|record| record.get::<RequestRecord>());
        requests.map(|request| request?.statement.clone()).collect()
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

/// A query and its answer.
fn ask(story: &mut Story, text: &str) {
    story.says(Sender::A, &message(b'Q', format!("{text}\0").as_bytes()));
    story.says(Sender::B, &[message(b'C', b"SELECT 0\0"), message(b'Z', b"I")].concat());
}

/// A long connection must not go on showing what its operator no longer wants to be shown.
#[test]
fn other_options_hold_for_connections_that_are_open() {
    let (keep, drop) = (told(Statements::Keep), told(Statements::Drop));
    let conversations = Conversations::new(postgresql(&keep));
    let mut story =
        Story { conversations, key: head().key, next: [1_000, 900_000], time: 0, found: Found::new() };
    story.says(Sender::A, b"\0\0\0\x10\0\x03\0\0user\0u\0\0");
    story.says(Sender::B, &[message(b'R', &[0; 4]), message(b'Z', b"I")].concat());
    let parse = message(b'P', b"named\0select 0\0\0\0");
    let sync = message(b'S', b"");
    story.says(Sender::A, &[parse, sync.clone()].concat());
    story.says(Sender::B, &[message(b'1', b""), message(b'Z', b"I")].concat());
    ask(&mut story, "select 1");
    story.conversations.configure(postgresql(&drop));
    ask(&mut story, "select 2");
    let bind = message(b'B', b"\0named\0\0\0\0\0\0\0");
    let execute = message(b'E', b"\0\0\0\0\0");
    story.says(Sender::A, &[bind, execute, sync].concat());
    let done = [message(b'2', b""), message(b'C', b"SELECT 0\0"), message(b'Z', b"I")];
    story.says(Sender::B, &done.concat());
    story.conversations.configure(postgresql(&keep));
    ask(&mut story, "select 3");
    let shown: Vec<_> = story.statements().into_iter().flatten().collect();
    assert_eq!((story.found.len(), shown), (5, ["select 1", "select 3"].map(str::to_owned).to_vec()));
}
