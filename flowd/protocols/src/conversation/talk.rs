//! The requests of one conversation and what becomes of them.

use std::{borrow::Cow, collections::VecDeque};

use crate::record::{AppRecord, Head};

/// One request of a conversation, as long as it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

/// A request as it is asked.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// In the protocol's words, as it came: shown where it is in the protocol's list, or statements are kept.
    pub operation: Cow<'static, str>,
    /// The whole statement, where the protocol has any.
    pub statement: Option<String>,
    /// When its first byte passed, where that is not the input's; nanoseconds of the packet clock.
    pub time: Option<u64>,
    /// It is not answered by its nature.
    pub one_way: bool,
}

impl Ask {
    /// A request for `operation` that begins with the input's first byte.
    #[must_use]
    pub fn new(operation: impl Into<Cow<'static, str>>) -> Self {
        Self { operation: operation.into(), ..Self::default() }
    }

    /// The same, not answered by its nature.
    #[must_use]
    pub fn one_way(operation: impl Into<Cow<'static, str>>) -> Self {
        Self { one_way: true, ..Self::new(operation) }
    }
}

/// What the response says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    Ok,
    /// The protocol's own code as text.
    Error(Cow<'static, str>),
}

/// A request that is open. There is one of each, so that it is closed once.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) ticket: Ticket,
    pub(super) ask: Ask,
    pub(super) asked: u64,
    /// Its last byte so far.
    pub(super) sent: u64,
    /// First byte of its response.
    pub(super) answered: Option<u64>,
    /// Retransmits of the connection when it was asked, modulo 65,536.
    pub(super) retransmits: u16,
    /// An error that its response has said so far.
    pub(super) error: Option<Cow<'static, str>>,
}

/// What became of a request.
#[derive(Debug)]
pub(super) struct Closed {
    pub(super) open: Open,
    pub(super) outcome: Outcome,
    /// Retransmits of both sides since it was asked.
    pub(super) retransmits: u16,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The response was seen to its end; or the request is one that nobody answers.
    Complete,
    /// None came, or it was not seen.
    NoResponse,
    /// The connection was reset before the response ended.
    Reset,
    /// The response began, and its end was not seen.
    Partial,
}

/// Takes what a dialect tells, while it reads one side's bytes.
#[derive(Debug)]
pub struct Talk<'a> {
    pub(super) requests: &'a mut Requests,
    /// Of the input's first byte, nanoseconds of the packet clock.
    pub(super) time: u64,
    /// What records of this conversation begin with.
    pub(super) head: &'a Head,
    pub(super) records: &'a mut Vec<Box<dyn AppRecord>>,
}

/// The requests of one conversation.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// In the order in which they were asked.
    pub(super) open: VecDeque<Open>,
    pub(super) closed: Vec<Closed>,
    /// Of the last ticket.
    last: u64,
    /// Requests since the protocol was taken for known.
    asked: u64,
    /// Hardly in doubt any more: a second request was understood, or an answer to the first.
    proven: bool,
    /// Requests that were given up, as nobody knows which response is theirs.
    pub(super) unpaired: u64,
    /// Of the connection so far, both sides, modulo 65,536.
    pub(super) retransmits: u16,
}

/// Requests that may be open at once on one connection.
const MOST_OPEN: usize = 4_096;

impl Talk<'_> {
    /// When the input's first byte passed, nanoseconds of the packet clock.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.time
    }

    /// A request begins with the input's first byte, or when it says. One that nobody answers is closed with it.
    pub fn ask(&mut self, ask: Ask) -> Ticket {
        let requests = &mut *self.requests;
        requests.last += 1;
        requests.asked += 1;
        requests.proven |= requests.asked > 1;
        let ticket = Ticket(requests.last);
        let one_way = ask.one_way;
        let asked = ask.time.unwrap_or(self.time);
        let retransmits = requests.retransmits;
        let open = Open { ticket, ask, asked, sent: self.time, answered: None, retransmits, error: None };
        if one_way {
            requests.push(open, Outcome::Complete);
        } else {
            if requests.open.len() >= MOST_OPEN
                && let Some(oldest) = requests.open.pop_front()
            {
                requests.unpaired += 1;
                requests.push(oldest, Outcome::NoResponse);
            }
            requests.open.push_back(open);
        }
        ticket
    }

    /// The oldest request that is open.
    #[must_use]
    pub fn oldest(&self) -> Option<Ticket> {
        self.requests.open.front().map(|open| open.ticket)
    }

    /// Requests that are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.requests.open.len()
    }

    /// The response of `ticket` begins with the input's first byte, unless it began before. Nothing for one that is
    /// closed. Where it passed before the request did, as in a capture that lacks segments, nobody knows its time.
    pub fn answer(&mut self, ticket: Ticket) {
        let time = self.time;
        if let Some(open) = self.requests.find(ticket) {
            if open.asked <= time {
                open.answered.get_or_insert(time);
            }
            self.requests.proven = true;
        }
    }

    /// The response of `ticket` says this error, and may go on. The first one counts.
    pub fn fail(&mut self, ticket: Ticket, code: impl Into<Cow<'static, str>>) {
        self.answer(ticket);
        if let Some(open) = self.requests.find(ticket) {
            open.error.get_or_insert(code.into());
        }
    }

    /// The response of `ticket` has ended; it began before, or begins here.
    pub fn close(&mut self, ticket: Ticket, status: Status) {
        self.answer(ticket);
        if let Status::Error(code) = status {
            self.fail(ticket, code);
        }
        self.requests.take(ticket, Outcome::Complete);
    }

    /// Nobody answers `ticket`, as only shows now.
    pub fn close_one_way(&mut self, ticket: Ticket) {
        if let Some(open) = self.requests.find(ticket) {
            open.ask.one_way = true;
        }
        self.requests.take(ticket, Outcome::Complete);
    }

    /// Makes the last words of `ticket`'s operation others, as where a later message names the statement.
    pub fn rename(&mut self, ticket: Ticket, operation: impl Into<Cow<'static, str>>) {
        if let Some(open) = self.requests.find(ticket) {
            open.ask.operation = operation.into();
        }
    }

    /// `ticket` was no request after all: nothing is told of it.
    pub fn retract(&mut self, ticket: Ticket) {
        self.requests.open.retain(|open| open.ticket != ticket);
    }

    /// Closes `ticket`: which response is its own is not known.
    pub fn abandon(&mut self, ticket: Ticket) {
        if let Some(open) = self.requests.find(ticket) {
            let outcome = if open.answered.is_some() { Outcome::Partial } else { Outcome::NoResponse };
            self.requests.unpaired += 1;
            self.requests.take(ticket, outcome);
        }
    }

    /// Closes all requests that are open: nobody knows any more which response is whose.
    pub fn give_up(&mut self) {
        self.requests.unpaired += self.requests.open.len() as u64;
        self.requests.close_all(false);
    }

    /// A request that the protocol keeps by itself was closed before its end.
    pub const fn pass_over(&mut self) {
        self.requests.unpaired += 1;
    }

    /// The beginning of a record of this conversation, where the protocol has records of its own.
    #[must_use]
    pub fn head(&self, time: u64) -> Head {
        Head { time, ..self.head.clone() }
    }

    /// Retransmits of the connection so far, both sides, modulo 65,536.
    #[must_use]
    pub const fn retransmits(&self) -> u16 {
        self.requests.retransmits
    }

    /// Tells a record of the protocol's own.
    pub fn tell(&mut self, record: Box<dyn AppRecord>) {
        self.records.push(record);
    }
}

impl Requests {
    fn find(&mut self, ticket: Ticket) -> Option<&mut Open> {
        // Tickets grow in the order of the list.
        let at = self.open.binary_search_by_key(&ticket, |open| open.ticket).ok()?;
        self.open.get_mut(at)
    }

    /// The client has sent more at `time`, which is of what it asked last, unless that was answered.
    pub(super) fn goes_on(&mut self, time: u64) {
        if let Some(open) = self.find(Ticket(self.last)).filter(|open| open.answered.is_none()) {
            open.sent = open.sent.max(time);
        }
    }

    fn take(&mut self, ticket: Ticket, outcome: Outcome) {
        if let Ok(at) = self.open.binary_search_by_key(&ticket, |open| open.ticket) {
            let open = self.open.remove(at);
            open.into_iter().for_each(|open| self.push(open, outcome));
        }
    }

    fn push(&mut self, open: Open, outcome: Outcome) {
        let retransmits = self.retransmits.wrapping_sub(open.retransmits);
        self.closed.push(Closed { open, outcome, retransmits });
    }

    /// A side said something that the protocol does not know: where all that speaks for the protocol is one request, there
    /// was none.
    pub(super) fn doubt(&mut self) {
        if !self.proven {
            self.open.clear();
            self.closed.clear();
            (self.asked, self.unpaired) = (0, 0);
        }
    }

    /// Nothing more will come that could refute what was understood.
    pub(super) const fn believe(&mut self) {
        self.proven = true;
    }

    /// How many were given up since the last call.
    pub(super) const fn take_unpaired(&mut self) -> u64 {
        if self.proven { std::mem::replace(&mut self.unpaired, 0) } else { 0 }
    }

    /// What was closed and will not be refuted.
    pub(super) fn take_closed(&mut self) -> impl Iterator<Item = Closed> {
        let certain = if self.proven { self.closed.len() } else { 0 };
        self.closed.drain(..certain)
    }

    /// Closes what is open: the connection ended, or nobody can pair it any more.
    pub(super) fn close_all(&mut self, reset: bool) {
        for open in std::mem::take(&mut self.open) {
            let outcome = match open.answered {
                _ if reset => Outcome::Reset,
                Some(_) => Outcome::Partial,
                None => Outcome::NoResponse,
            };
            self.push(open, outcome);
        }
    }

    /// Closes what was asked at `until` or before.
    pub(super) fn expire(&mut self, until: u64) {
        while let Some(open) = self.open.pop_front_if(|open| open.asked <= until) {
            let outcome = if open.answered.is_some() { Outcome::Partial } else { Outcome::NoResponse };
            self.push(open, outcome);
        }
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        let texts = self
            .open
            .iter()
            .map(|open| open.ask.operation.len() + open.ask.statement.as_ref().map_or(0, String::capacity));
        self.open.capacity() * size_of::<Open>()
            + self.closed.capacity() * size_of::<Closed>()
            + texts.sum::<usize>()
    }
}
