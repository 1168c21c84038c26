//! Conversations of all connections.

use std::borrow::Cow;

use flow_common::{
    app::App,
    dissect::transport::protocol,
    event::{PayloadEvent, PayloadKind},
    key::{FlowKey, Sender},
    record::looks,
    wire::tcp::flag,
};

use super::{
    dialect::{Candidate, Side},
    dialogue::{Dialogue, Records},
    opening::{Kept, Opening, Verdict},
    record::RequestRecord,
    stream::{Segment, Told},
    talk::Closed,
};
use crate::{
    options::Options,
    privacy::Statements,
    progress::Look,
    record::{Found, Head},
    waiting::Waiting,
};

/// What the packet path is to do with the payload of a flow from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// Nothing more of it, unless something known begins.
    None,
    /// All that is new.
    All,
    /// What it would copy of a new flow.
    Opening,
}

impl Copies {
    /// The same as a record says it ([`looks`]).
    #[must_use]
    pub const fn looks(self) -> u8 {
        match self {
            Self::None => looks::UNKNOWN,
            Self::All => looks::FOLLOWED,
            Self::Opening => 0,
        }
    }
}

/// A decision on the flow of `key`, whose record is in `slot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub key: FlowKey,
    pub slot: u32,
    pub copies: Copies,
    /// The protocol that was recognised.
    pub app: Option<App>,
}

/// Connections that are followed at once, and the bytes that all of them hold.
const CONNECTIONS: usize = 65_536;
/// Bytes that all connections hold at most.
pub const HELD: usize = 32 << 20;
/// A connection that nobody speaks on for so long is looked at, ns.
const IDLE: u64 = 30_000_000_000;
/// A request without a response on a connection that is silent and lives waits so long, ns.
const UNANSWERED: u64 = 600_000_000_000;
/// Why something was not followed to its end.
const REASONS: [&str; 3] = ["unpaired", "evicted", "unseen"];

/// A protocol that may recognise a conversation, as the registry has it.
#[derive(Debug)]
pub struct Entry<'a> {
    pub app: App,
    pub candidate: Candidate,
    /// The closed list of its operations.
    pub operations: &'static [&'static str],
    pub options: &'a Options,
}

/// A protocol that may recognise a conversation.
#[derive(Debug)]
struct Member {
    app: App,
    options: Options,
    operations: &'static [&'static str],
    losses: [u64; REASONS.len()],
}

#[derive(Debug)]
enum State {
    Opening(Opening),
    Known { member: usize, dialogue: Box<Dialogue> },
}

#[derive(Debug)]
struct Conversation {
    slot: u32,
    client: Sender,
    state: State,
    /// By A and by B: it has sent its FIN.
    closed: [bool; 2],
}

impl Conversation {
    fn weight(&self) -> usize {
        match &self.state {
            State::Opening(opening) => opening.weight(),
            State::Known { dialogue, .. } => size_of::<Dialogue>() + dialogue.weight(),
        }
    }
}

/// Follows what dialects recognise over all connections.
#[derive(Debug)]
pub struct Conversations {
    members: Vec<Member>,
    candidates: Vec<Candidate>,
    connections: Waiting<FlowKey, Conversation>,
    decisions: Vec<Decision>,
    /// Kept for its allocation.
    records: Records,
}

impl Conversations {
    /// Nothing seen yet. Of the entries those that are off are left out; those in front are asked first.
    pub fn new<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Self {
        let mut members = Vec::new();
        let mut candidates = Vec::new();
        for Entry { app, candidate, operations, options } in entries.filter(|entry| entry.options.on) {
            members.push(Member { app, options: options.clone(), operations, losses: [0; REASONS.len()] });
            candidates.push(candidate);
        }
        let connections = Waiting::new(CONNECTIONS).within(HELD, Conversation::weight);
        Self { members, candidates, connections, decisions: Vec::new(), records: Records::new() }
    }

    /// Takes one event; `payload` is its copied bytes. Says whether it is part of a conversation that a dialect follows,
    /// and so nobody else's.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) -> bool {
        if self.members.is_empty() || event.key.protocol() != protocol::TCP {
            return false;
        }
        let kind = event.kind;
        if self.connections.get(&event.key).is_some_and(|known| known.value.slot != event.slot) {
            // The same addresses and ports, but another connection.
            self.drop_connection(&event.key, false, found);
        }
        if kind == PayloadKind::End as u8 {
            return self.ended(event, found);
        }
        if event.is_of(App::Tls) || event.is_of(App::Dns) {
            // The packet path found what it knows, and nothing of that is said in a conversation that is followed.
            self.drop_connection(&event.key, false, found);
            return false;
        }
        if self.connections.get(&event.key).is_none() && !begins(event, payload) {
            return false;
        }
        if self.connections.get(&event.key).is_none() {
            self.open(event, found);
        }
        let Some(waiter) = self.connections.renew(&event.key, event.time, |_| true) else { return false };
        let conversation = &mut waiter.value;
        let copies = match &mut conversation.state {
            State::Opening(opening) => {
                let kept = Kept {
                    sender: event.from(),
                    seq: event.seq,
                    ack: acknowledged(event),
                    bytes: payload.to_vec(),
                    len: event.payload_len,
                    time: event.time,
                };
                match opening.take(kept, likely_client(&event.key), &self.candidates) {
                    Verdict::Open => None,
                    Verdict::Nobodys => Some(Copies::None),
                    Verdict::Known { candidate, client, from } => {
                        let opening = std::mem::take(opening);
                        conversation.client = client;
                        let told = recognised(
                            conversation,
                            &event.key,
                            (&self.candidates, &self.members),
                            candidate,
                            &opening,
                            from,
                            &mut self.records,
                        );
                        Some(if told == Told::Left { Copies::Opening } else { Copies::All })
                    }
                }
            }
            State::Known { dialogue, .. } => {
                let side = if event.from() == conversation.client { Side::Client } else { Side::Server };
                let segment =
                    Segment { seq: event.seq, bytes: payload, len: event.payload_len, time: event.time };
                let head = Head::new(event.key, event.slot, conversation.client, event.time);
                dialogue.set_retransmits(event.retransmits);
                let told = dialogue.take(side, segment, acknowledged(event), &head, &mut self.records);
                (told == Told::Left).then_some(Copies::Opening)
            }
        };
        let known = matches!(conversation.state, State::Known { .. });
        if known {
            report(&mut self.members, conversation, &event.key, &mut self.records, found);
        }
        if let Some(copies) = copies {
            let app = match &conversation.state {
                State::Known { member, .. } => self.members.get(*member).map(|member| member.app),
                State::Opening(_) => None,
            };
            self.decisions.push(Decision { key: event.key, slot: event.slot, copies, app });
        }
        if matches!(copies, Some(Copies::None | Copies::Opening)) {
            self.drop_connection(&event.key, false, found);
        } else {
            self.connections.weigh(&event.key);
        }
        known
    }

    /// Begins to look at a connection; the ones that were silent for longest make room.
    fn open(&mut self, event: &PayloadEvent, found: &mut Found) {
        while self.connections.is_full()
            && let Some((key, evicted)) = self.connections.pop(u64::MAX)
        {
            self.end(&key, evicted.value, Some("evicted"), false, found);
        }
        let conversation = Conversation {
            slot: event.slot,
            client: Sender::A,
            state: State::Opening(Opening::default()),
            closed: [false; 2],
        };
        // There is room.
        let _ = self.connections.push(event.key, event.time, conversation);
    }

    /// One side has ended.
    fn ended(&mut self, event: &PayloadEvent, found: &mut Found) -> bool {
        let Some(waiter) = self.connections.get_mut(&event.key) else { return false };
        let reset = u16::from(event.tcp_flags) & flag::RST != 0;
        let [a, b] = &mut waiter.value.closed;
        *(if event.from() == Sender::A { &mut *a } else { &mut *b }) = true;
        let over = reset || *a && *b;
        let known = matches!(waiter.value.state, State::Known { .. });
        if over && let State::Known { member, dialogue } = &waiter.value.state {
            let side = if event.from() == waiter.value.client { Side::Client } else { Side::Server };
            let lacking = [(side, event.seq), (side.other(), event.ack)];
            let lacking = lacking.into_iter().filter(|(side, end)| dialogue.lacks(*side, *end)).count();
            if let Some(Member { losses: [_, _, unseen], .. }) = self.members.get_mut(*member) {
                *unseen += lacking as u64;
            }
        }
        if over {
            self.drop_connection(&event.key, reset, found);
        }
        known
    }

    fn drop_connection(&mut self, key: &FlowKey, reset: bool, found: &mut Found) {
        if let Some(waiter) = self.connections.take(key, |_| true) {
            self.end(key, waiter.value, None, reset, found);
        }
    }

    fn end(
        &mut self,
        key: &FlowKey,
        mut conversation: Conversation,
        reason: Option<&str>,
        reset: bool,
        found: &mut Found,
    ) {
        let head = Head::new(*key, conversation.slot, conversation.client, 0);
        let State::Known { member, dialogue } = &mut conversation.state else { return };
        if reason.is_some()
            && let Some(Member { losses: [_, evicted, _], .. }) = self.members.get_mut(*member)
        {
            *evicted += 1;
        }
        dialogue.end(reset, &head, &mut self.records);
        report(&mut self.members, &mut conversation, key, &mut self.records, found);
    }

    /// Looks at connections that have been silent for long: those whose flow lives go on. `now`: nanoseconds of the packet
    /// clock.
    pub fn expire(&mut self, now: u64, look: Look<'_>, found: &mut Found) {
        let Some(until) = now.checked_sub(IDLE) else { return };
        while let Some((key, waiter)) = self.connections.pop(until) {
            let lives = look(waiter.value.slot).is_some_and(|progress| progress.key == key && progress.lives);
            let mut conversation = waiter.value;
            if lives && let State::Known { dialogue, .. } = &mut conversation.state {
                let head = Head::new(key, conversation.slot, conversation.client, 0);
                dialogue.expire(now.saturating_sub(UNANSWERED), &head, &mut self.records);
                report(&mut self.members, &mut conversation, &key, &mut self.records, found);
                // There is room, as one was just taken out.
                let _ = self.connections.push(key, now, conversation);
            } else {
                self.end(&key, conversation, None, false, found);
            }
        }
    }

    /// Reports everything under way and forgets it.
    pub fn finish(&mut self, found: &mut Found) {
        for (key, waiter) in self.connections.drain() {
            self.end(&key, waiter.value, None, false, found);
        }
    }

    /// When the oldest request that is open was asked, nanoseconds of the packet clock.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        let oldest = |conversation: &Conversation| match &conversation.state {
            State::Opening(opening) => opening.kept.first().map(|kept| kept.time),
            State::Known { dialogue, .. } => dialogue.oldest(),
        };
        self.connections.values().filter_map(oldest).min()
    }

    /// Takes other options: what is asked from now on goes by them, also on connections that are open.
    pub fn configure<'a>(&mut self, entries: impl Iterator<Item = Entry<'a>>) {
        for Entry { app, options, .. } in entries {
            if let Some(member) = self.members.iter_mut().find(|member| member.app == app) {
                member.options = options.clone();
            }
        }
        for conversation in self.connections.values_mut() {
            if let State::Known { member, dialogue } = &mut conversation.state
                && let Some(member) = self.members.get(*member)
            {
                dialogue.configure(&member.options);
            }
        }
    }

    /// What was not followed to its end so far, by protocol.
    pub fn losses(&self) -> impl Iterator<Item = (App, Vec<(&'static str, u64)>)> {
        self.members.iter().map(|member| (member.app, REASONS.into_iter().zip(member.losses).collect()))
    }

    /// Decisions since the last call.
    pub fn decisions(&mut self) -> std::vec::Drain<'_, Decision> {
        self.decisions.drain(..)
    }
}

/// Which end most likely opened the connection: servers have the lower port nearly always.
const fn likely_client(key: &FlowKey) -> Sender {
    if key.port(Sender::A) < key.port(Sender::B) { Sender::B } else { Sender::A }
}

/// Whether an event may be the first of a conversation: the packet path knows no protocol of it, or what it took for HTTP
/// says no version of HTTP/1.
fn begins(event: &PayloadEvent, payload: &[u8]) -> bool {
    if event.app == 0 {
        return !payload.is_empty();
    }
    let kind = [PayloadKind::Request as u8, PayloadKind::Response as u8];
    event.is_of(App::Http) && kind.contains(&event.kind) && !is_http1(payload)
}

fn is_http1(payload: &[u8]) -> bool {
    let line = payload.split(|byte| *byte == b'\n').next().unwrap_or_default();
    payload.starts_with(b"HTTP/1.") || line.windows(8).any(|part| part == b" HTTP/1.")
}

/// What the sender had of the other side's bytes.
fn acknowledged(event: &PayloadEvent) -> Option<u32> {
    (u16::from(event.tcp_flags) & flag::ACK != 0).then_some(event.ack)
}

/// Gives a conversation to the dialect that recognised it, with all that was said.
fn recognised(
    conversation: &mut Conversation,
    key: &FlowKey,
    (candidates, members): (&[Candidate], &[Member]),
    at: usize,
    opening: &Opening,
    from: usize,
    records: &mut Records,
) -> Told {
    let (Some(candidate), Some(member)) = (candidates.get(at), members.get(at)) else { return Told::Left };
    let mut dialogue = Dialogue::new((candidate.start)(&member.options));
    let kept = opening.kept.get(from..).unwrap_or_default();
    let side = |sender| if sender == conversation.client { Side::Client } else { Side::Server };
    for sender in [Sender::A, Sender::B] {
        // A side that has said nothing yet goes on where the other one had heard it to.
        let first = opening.begins(sender, from).or_else(|| kept.last()?.ack);
        if let Some(first) = first {
            dialogue.begin(side(sender), first);
        }
    }
    let mut told = Told::GoesOn;
    for Kept { sender, seq, ack, bytes, len, time } in kept {
        let head = Head::new(*key, conversation.slot, conversation.client, *time);
        let segment = Segment { seq: *seq, bytes, len: *len, time: *time };
        told = dialogue.take(side(*sender), segment, *ack, &head, records);
        if told == Told::Left {
            break;
        }
    }
    conversation.state = State::Known { member: at, dialogue: Box::new(dialogue) };
    told
}

/// Makes records of the requests that were closed.
fn report(
    members: &mut [Member],
    conversation: &mut Conversation,
    key: &FlowKey,
    records: &mut Records,
    found: &mut Found,
) {
    let State::Known { member, dialogue } = &mut conversation.state else { return };
    let Some(member) = members.get_mut(*member) else { return };
    found.append(records);
    let [unpaired, ..] = &mut member.losses;
    *unpaired += dialogue.unpaired();
    for Closed { open, outcome, retransmits } in dialogue.closed() {
        let keep = member.options.statements == Statements::Keep;
        let operation = match member.operations.iter().find(|known| ***known == *open.ask.operation) {
            Some(known) => Cow::Borrowed(*known),
            None if keep => open.ask.operation,
            None => Cow::Borrowed("_OTHER"),
        };
        found.push(Box::new(RequestRecord {
            head: Head::new(*key, conversation.slot, conversation.client, open.asked),
            app: member.app,
            operation,
            statement: open.ask.statement,
            one_way: open.ask.one_way,
            error: open.error,
            asked: open.asked,
            answered: open.answered,
            think_time: None,
            retransmits: retransmits.into(),
            outcome,
        }));
    }
}

#[cfg(test)]
mod tests;
