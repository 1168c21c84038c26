//! One connection: a conversation that nobody has recognised yet, or one that a dialect follows.

use flow_common::{
    event::PayloadEvent,
    key::{FlowKey, Sender},
    wire::tcp::flag,
};

use super::{
    candidates::Candidates,
    dialect::Side,
    dialogue::{Dialogue, Records},
    member::Member,
    opening::{Kept, Opening, Verdict},
    steering::Copies,
    stream::{Segment, Told},
};
use crate::record::{Found, Head};

/// What is known of a connection.
#[derive(Debug)]
enum State {
    Opening(Opening),
    /// Followed by the dialect of the member of this number.
    Known {
        member: usize,
        dialogue: Box<Dialogue>,
    },
    /// It is followed at another interface. It stays for what was copied before the packet path knew of that.
    Elsewhere,
}

/// A connection on which somebody has said something.
#[derive(Debug)]
pub(super) struct Connection {
    key: FlowKey,
    pub(super) slot: u32,
    client: Sender,
    state: State,
    /// By A and by B: it has sent its FIN.
    closed: [bool; 2],
}

impl Connection {
    /// Nothing was said yet.
    pub(super) fn new(key: FlowKey, slot: u32) -> Self {
        Self { key, slot, client: Sender::A, state: State::Opening(Opening::default()), closed: [false; 2] }
    }

    /// The number of the member that follows it.
    pub(super) const fn member(&self) -> Option<usize> {
        match &self.state {
            State::Opening(_) | State::Elsewhere => None,
            State::Known { member, .. } => Some(*member),
        }
    }

    /// Whether it is known what it speaks.
    pub(super) const fn is_recognised(&self) -> bool {
        !matches!(self.state, State::Opening(_))
    }

    /// It is followed at another interface: tells nothing more, nor of what is open.
    pub(super) fn leave(&mut self) {
        self.state = State::Elsewhere;
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        match &self.state {
            State::Opening(opening) => opening.weight(),
            State::Known { dialogue, .. } => size_of::<Dialogue>() + dialogue.weight(),
            State::Elsewhere => 0,
        }
    }

    /// When the oldest request that is open was asked, or the first segment of an opening passed.
    pub(super) fn oldest(&self) -> Option<u64> {
        match &self.state {
            State::Opening(opening) => opening.kept.first().map(|kept| kept.time),
            State::Known { dialogue, .. } => dialogue.oldest(),
            State::Elsewhere => None,
        }
    }

    /// What is asked from now on goes by the options of its member.
    pub(super) fn configure(&mut self, members: &[Member]) {
        if let State::Known { member, dialogue } = &mut self.state
            && let Some(member) = members.get(*member)
        {
            dialogue.configure(&member.options);
        }
    }

    fn head(&self, time: u64) -> Head {
        Head::new(self.key, self.slot, self.client, time)
    }

    const fn side(&self, sender: Sender) -> Side {
        if sender as u8 == self.client as u8 { Side::Client } else { Side::Server }
    }

    /// Takes a copy. Says what the packet path is to do from now on, where that changes.
    pub(super) fn take(
        &mut self,
        event: &PayloadEvent,
        payload: &[u8],
        (candidates, members): (&Candidates, &[Member]),
        records: &mut Records,
    ) -> Option<Copies> {
        let side = self.side(event.from());
        match &mut self.state {
            State::Opening(opening) => {
                let kept = Kept {
                    sender: event.from(),
                    seq: event.seq,
                    ack: acknowledged(event),
                    bytes: payload.to_vec(),
                    len: event.payload_len,
                    time: event.time,
                    retransmits: event.retransmits,
                };
                match opening.take(kept, likely_client(&event.key), candidates) {
                    Verdict::Open => None,
                    Verdict::Nobodys => Some(Copies::None),
                    Verdict::Known { candidate, client, from } => {
                        let opening = std::mem::take(opening);
                        self.client = client;
                        let told = self.begin((candidates, members), candidate, &opening, from, records);
                        Some(if told == Told::Left { Copies::Opening } else { Copies::All })
                    }
                }
            }
            State::Known { dialogue, .. } => {
                let segment =
                    Segment { seq: event.seq, bytes: payload, len: event.payload_len, time: event.time };
                dialogue.set_retransmits(event.retransmits);
                let head = Head::new(self.key, self.slot, self.client, event.time);
                let told = dialogue.take(side, segment, acknowledged(event), &head, records);
                (told == Told::Left).then_some(Copies::Opening)
            }
            State::Elsewhere => None,
        }
    }

    /// Gives the conversation to the dialect that recognised it, with all that was said.
    fn begin(
        &mut self,
        (candidates, members): (&Candidates, &[Member]),
        at: usize,
        opening: &Opening,
        from: usize,
        records: &mut Records,
    ) -> Told {
        let (Some(candidate), Some(member)) = (candidates.get(at), members.get(at)) else {
            return Told::Left;
        };
        let mut dialogue = Dialogue::new((candidate.start)(&member.options));
        let kept = opening.kept.get(from..).unwrap_or_default();
        for sender in [Sender::A, Sender::B] {
            // A side that has said nothing yet goes on where the other one had heard it to.
            let first = opening.begins(sender, from).or_else(|| kept.last()?.ack);
            if let Some(first) = first {
                dialogue.begin(self.side(sender), first);
            }
        }
        let mut told = Told::GoesOn;
        for Kept { sender, seq, ack, bytes, len, time, retransmits } in kept {
            dialogue.set_retransmits(*retransmits);
            let segment = Segment { seq: *seq, bytes, len: *len, time: *time };
            told = dialogue.take(self.side(*sender), segment, *ack, &self.head(*time), records);
            if told == Told::Left {
                break;
            }
        }
        self.state = State::Known { member: at, dialogue: Box::new(dialogue) };
        told
    }

    /// One side has ended: its last segment is behind `event.seq`. Says whether the connection is over.
    pub(super) fn close(&mut self, event: &PayloadEvent, members: &mut [Member]) -> bool {
        let [a, b] = &mut self.closed;
        *(if event.from() == Sender::A { &mut *a } else { &mut *b }) = true;
        let over = is_reset(event) || *a && *b;
        let side = self.side(event.from());
        if over && let State::Known { member, dialogue } = &self.state {
            let ends = [(side, event.seq), (side.other(), event.ack)];
            let lacking = ends.into_iter().filter(|(side, end)| dialogue.lacks(*side, *end)).count();
            if let Some(member) = members.get_mut(*member) {
                member.losses.unseen += lacking as u64;
            }
        }
        over
    }

    /// Nothing more will come; `reset`: it ended by a RST.
    pub(super) fn end(&mut self, reset: bool, records: &mut Records) {
        let head = self.head(0);
        if let State::Known { dialogue, .. } = &mut self.state {
            dialogue.end(reset, &head, records);
        }
    }

    /// Gives up requests that were asked at `until` or before.
    pub(super) fn expire(&mut self, until: u64, records: &mut Records) {
        let head = self.head(0);
        if let State::Known { dialogue, .. } = &mut self.state {
            dialogue.expire(until, &head, records);
        }
    }

    /// Hands out what the dialect told, and the records of the requests that were closed since the last call.
    pub(super) fn report(&mut self, members: &mut [Member], records: &mut Records, found: &mut Found) {
        let Self { key, slot, client, state: State::Known { member, dialogue }, .. } = self else { return };
        let Some(member) = members.get_mut(*member) else { return };
        found.append(records);
        member.losses.malformed += dialogue.malformed();
        let (closed, unpaired) = dialogue.closed();
        member.losses.unpaired += unpaired;
        for closed in closed {
            found.push(Box::new(member.record(closed, |asked| Head::new(*key, *slot, *client, asked))));
        }
    }
}

/// Whether an end is that of both sides.
pub(super) const fn is_reset(event: &PayloadEvent) -> bool {
    event.tcp_flags as u16 & flag::RST != 0
}

/// What the sender had of the other side's bytes.
fn acknowledged(event: &PayloadEvent) -> Option<u32> {
    (u16::from(event.tcp_flags) & flag::ACK != 0).then_some(event.ack)
}

/// Which end most likely opened the connection: servers have the lower port nearly always.
const fn likely_client(key: &FlowKey) -> Sender {
    if key.port(Sender::A) < key.port(Sender::B) { Sender::B } else { Sender::A }
}
