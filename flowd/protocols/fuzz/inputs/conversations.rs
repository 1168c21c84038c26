//! Conversations: a byte of options, then segments.
//!
//! Bit 0 of the options: every byte passes, in order, until the conversation that was recognised has ended. Such an input
//! is told twice, the second time in small segments from where it was recognised, of a size that bits 4 to 7 say: the lines
//! must be the same. Bits 1 and 2: what is shown of statements and parameters. Bit 3: hardly any room.

use std::{cell::RefCell, collections::BTreeMap};

use flow_common::event::PayloadEvent;
use flowd_protocols::{
    Follow, Options, PROTOCOLS, Query, Registered, Statements,
    conversation::{Candidate, Conversations, Copies, Entry, Recognition, RequestRecord},
    progress::Progress,
    record::Found,
};

use super::{
    line,
    segments::{Segment, Wire, fate, segments},
};

/// One protocol that is recognised by what is said.
pub(crate) fn dialect(name: &str, input: &[u8]) {
    let own = PROTOCOLS.iter().find(|registered| registered.app.name() == name);
    let Some(Registered { follow: Follow::Dialect(candidate), .. }) = own else {
        panic!("{name} is no protocol that is recognised by what is said")
    };
    refusals(candidate, input);
    converse(name, input);
}

/// All of them.
pub(crate) fn all(input: &[u8]) {
    converse(ALL, input);
}

/// Bytes that are shown of a side.
const SHOWN: usize = 4 << 10;

/// Who has refused what two sides said refuses what follows, too.
fn refusals(candidate: &Candidate, input: &[u8]) {
    let (mut client, mut server) = (Vec::new(), Vec::new());
    let mut refused = [false; 2];
    for segment in segments(input.get(1..).unwrap_or_default()) {
        let side = if segment.is(fate::SERVER) { &mut server } else { &mut client };
        side.extend_from_slice(segment.bytes);
        side.truncate(SHOWN);
        let orders = [(&client, &server), (&server, &client)];
        for (refused, (client, server)) in refused.iter_mut().zip(orders) {
            let refuses = (candidate.recognise)(client, server) == Recognition::No;
            assert!(refuses || !*refused, "it was refused before: {client:?} {server:?}");
            *refused = refuses;
        }
    }
}

/// In place of a name.
const ALL: &str = "";

fn converse(name: &str, input: &[u8]) {
    thread_local! {
        /// By name and options. Each has ended all that it heard.
        static READY: RefCell<BTreeMap<(String, u8), Conversations>> = const { RefCell::new(BTreeMap::new()) };
    }
    let Some((&how, rest)) = input.split_first() else { return };
    let key = (name.to_owned(), how & 15);
    let ready = READY.with_borrow_mut(|ready| ready.remove(&key));
    let mut conversations = ready.unwrap_or_else(|| conversations(how, name));
    let whole = Tale::new(how, &mut conversations).tell(rest, None);
    if how & PLAIN != 0
        && let Some(known) = whole.known
        && !whole.broken
    {
        let size = usize::from(how >> 4) + 1;
        let cut = Tale::new(how, &mut conversations).tell(rest, Some((known, size)));
        assert_eq!(whole.lines, cut.lines, "in segments of {size} bytes");
    }
    READY.with_borrow_mut(|ready| ready.insert(key, conversations));
}

const PLAIN: u8 = 1;
const CROWDED: u8 = 1 << 3;

/// Bytes that connections may hold.
const fn room(how: u8) -> usize {
    if how & CROWDED == 0 { 4 << 20 } else { 12 << 10 }
}

/// Conversations of the protocol of this name.
fn conversations(how: u8, name: &str) -> Conversations {
    let (query, statements) = match how >> 1 & 3 {
        0 => (Query::Drop, Statements::Drop),
        1 => (Query::Keys, Statements::Normalized),
        _ => (Query::Keep, Statements::Keep),
    };
    let on = PROTOCOLS.iter().filter(|registered| [ALL, registered.app.name()].contains(&name));
    let options: Vec<_> = on
        .map(|registered| {
            let keys = (registered.keys.defaults)();
            (registered, Options { head_bytes: 4_096, query, statements, on: true, keys })
        })
        .collect();
    let entries = options.iter().filter_map(|(registered, options)| {
        let Follow::Dialect(candidate) = registered.follow else { return None };
        let operations = registered.numbers.operations();
        Some(Entry { app: registered.app, candidate, operations, options })
    });
    Conversations::within(2, room(how), entries)
}

/// Times that something was said that the protocol does not know, or that there was no room.
fn failures(conversations: &Conversations) -> u64 {
    let losses = conversations.losses().flat_map(|(_, losses)| losses);
    losses.filter(|(reason, _)| matches!(*reason, "malformed" | "evicted")).map(|(_, count)| count).sum()
}

/// An input as it is told.
struct Tale<'a> {
    plain: bool,
    conversations: &'a mut Conversations,
    /// Of the conversations before.
    failures: u64,
    wire: Wire,
    found: Found,
    /// Bytes that connections may hold.
    room: usize,
    told: Told,
}

/// What came of an input.
#[derive(Default)]
struct Told {
    /// The segment with which the conversation was recognised.
    known: Option<usize>,
    /// Something was said that the protocol does not know, or the conversation ended before its bytes.
    broken: bool,
    lines: Vec<String>,
}

impl<'a> Tale<'a> {
    fn new(how: u8, conversations: &'a mut Conversations) -> Self {
        Self {
            plain: how & PLAIN != 0,
            failures: failures(conversations),
            conversations,
            wire: Wire::new(),
            found: Found::new(),
            room: room(how),
            told: Told::default(),
        }
    }

    /// Tells the whole input; behind the segment of some number in pieces of so many bytes.
    fn tell(mut self, input: &[u8], cut: Option<(usize, usize)>) -> Told {
        let mut bytes = 0;
        for (at, mut segment) in segments(input).enumerate() {
            bytes += segment.bytes.len();
            if self.plain {
                segment.fate &= fate::SERVER | fate::PAUSE | fate::END;
            }
            self.wire.wait(&segment);
            let most = cut.filter(|(known, _)| at > *known).map_or(usize::MAX, |(_, size)| size);
            for piece in segment.bytes.chunks(most) {
                let event = self.wire.event(&Segment { bytes: piece, ..segment });
                self.event(&event, piece, at);
            }
            if segment.is(fate::END) {
                let event = self.wire.end(&segment);
                self.event(&event, &[], at);
            }
            if segment.is(fate::PAUSE) {
                self.expire(segment.step);
            }
            // What follows on the same ports is another conversation, and which protocol recognises that one depends on
            // how it is cut.
            if self.plain && self.told.known.is_some() && self.conversations.held() == 0 {
                break;
            }
        }
        self.conversations.finish(&mut self.found);
        assert_eq!((self.conversations.held(), self.conversations.oldest()), (0, None), "all has ended");
        assert!(self.found.len() <= bytes, "a line takes a byte at least");
        self.told.broken |= failures(self.conversations) > self.failures;
        for record in std::mem::take(&mut self.found) {
            if let Some(request) = record.get::<RequestRecord>() {
                assert!(!request.operation.is_empty(), "{request:?}");
                assert!(request.asked <= self.wire.now, "{request:?} is of the future");
                assert!(request.answered.is_none_or(|answered| answered >= request.asked), "{request:?}");
                assert!(request.answered.is_none_or(|answered| answered <= self.wire.now), "{request:?}");
            }
            self.told.lines.push(line(record.as_ref()));
        }
        self.told
    }

    fn event(&mut self, event: &PayloadEvent, payload: &[u8], at: usize) {
        self.conversations.event(event, payload, &mut self.found);
        for decision in self.conversations.decisions() {
            match decision.copies {
                Copies::All => self.told.known = self.told.known.or(Some(at)),
                Copies::None | Copies::Opening => self.told.broken = true,
            }
        }
        let held = self.conversations.held();
        assert!(held <= self.room, "{held} bytes are held");
        let oldest = self.conversations.oldest();
        assert!(oldest.is_none_or(|oldest| oldest <= event.time), "{oldest:?} is of the future");
    }

    /// Silent connections are looked at: they live, or their records cannot be had.
    fn expire(&mut self, step: u8) {
        let now = self.wire.now;
        let keys = [false, true].map(|other| {
            let fate = if other { fate::OTHER } else { 0 };
            self.wire.end(&Segment { fate, step: 0, bytes: &[] }).key
        });
        let look = &mut |slot: u32| {
            let key = keys.get(slot as usize).copied().filter(|_| step & 2 == 0)?;
            Some(Progress { key, lives: true, sides: [(0, 0); 2], retransmits: 0 })
        };
        self.conversations.expire(now, look, &mut self.found);
    }
}
