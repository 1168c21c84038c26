//! DNS over UDP and TCP port 53: queries paired with their responses, from copies of the messages.
//!
//! A query waits for its response by flow, id and question. The same again while it waits is a retry of the same
//! exchange; each sending leaves a line. Everything is bounded; what the bounds cost is counted.

use flow_common::{
    app::App,
    dissect::transport::protocol::TCP,
    event::PayloadEvent,
    key::Sender,
    sniff::{DNS_BYTES, dns_limit as limit},
};

mod message;
mod name;
mod numbers;
mod pending;
mod record;
mod resource;
mod stream;
#[cfg(test)]
mod tests;
pub mod words;

use message::{Message, Question};
pub use numbers::{DnsNumbers, FAMILIES};
use pending::Waiting;
pub use record::{DnsExchange, DnsOutcome};
use stream::Streams;

use crate::{
    protocol::{Found, Look, Protocol, Registered},
    record::Head,
};

type Sink<'a> = &'a mut dyn FnMut(DnsExchange);

/// What the tracker keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DnsOptions {
    /// How long a query waits for its response, nanoseconds.
    pub timeout: u64,
    pub max_pending: usize,
    /// TCP connections that are followed at once.
    pub max_connections: usize,
    /// Bytes of a message over TCP that the packet path copies, its length included.
    pub copied: u32,
}

impl Default for DnsOptions {
    fn default() -> Self {
        Self { timeout: 5_000_000_000, max_pending: 65_536, max_connections: 4_096, copied: DNS_BYTES }
    }
}

/// What was not followed to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DnsLosses {
    /// Payload on the DNS port without a message that can be read.
    pub malformed: u64,
    /// Queries and connections given up before their time, as the tables were full.
    pub evicted: u64,
}

/// Pairs queries with responses.
#[derive(Debug)]
pub struct DnsTracker {
    options: DnsOptions,
    waiting: Waiting,
    streams: Streams,
    losses: DnsLosses,
}

impl DnsTracker {
    #[must_use]
    pub fn new(options: DnsOptions) -> Self {
        Self {
            options,
            waiting: Waiting::default(),
            streams: Streams::default(),
            losses: DnsLosses::default(),
        }
    }

    /// Takes one event; `payload` is its copied bytes. Those of other protocols mean nothing to it.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], sink: &mut dyn FnMut(DnsExchange)) {
        if !event.is_of(App::Dns) {
            return;
        }
        // What waited too long for this event's time is over, however late the clock's own turn comes.
        self.expire(event.time, sink);
        if event.key.protocol() != TCP {
            self.message(event, payload, sink);
            return;
        }
        let mut messages = Vec::new();
        let limit = usize::try_from(self.options.copied).unwrap_or(usize::MAX).max(2);
        self.streams.take(event, payload, limit, &mut |message| messages.push(message.to_vec()));
        while self.streams.len() > self.options.max_connections && self.streams.forget(u64::MAX) {
            self.losses.evicted += 1;
        }
        for message in messages {
            self.message(event, &message, sink);
        }
    }

    /// Reports queries that have waited too long. `now`: nanoseconds of the packet clock.
    pub fn expire(&mut self, now: u64, sink: &mut dyn FnMut(DnsExchange)) {
        // A query is due when the whole timeout has passed, not before.
        let Some(until) = now.checked_sub(self.options.timeout) else { return };
        self.give_up(until, sink);
        // Connections stay for longer: a client may keep one open between its queries.
        if let Some(until) = until.checked_sub(self.options.timeout.saturating_mul(10)) {
            while self.streams.forget(until) {}
        }
    }

    /// Reports all that waits and forgets everything: the end of a capture or of the daemon.
    pub fn finish(&mut self, sink: &mut dyn FnMut(DnsExchange)) {
        self.give_up(u64::MAX, sink);
        self.streams = Streams::default();
    }

    /// What was not followed to its end so far.
    #[must_use]
    pub const fn losses(&self) -> DnsLosses {
        self.losses
    }

    /// Queries that wait, and connections that are followed.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.waiting.len(), self.streams.len())
    }

    fn give_up(&mut self, until: u64, sink: Sink<'_>) {
        while let Some((key, pending)) = self.waiting.oldest(until) {
            sink(pending.into_exchange(key, DnsOutcome::Unanswered));
        }
    }

    fn message(&mut self, event: &PayloadEvent, bytes: &[u8], sink: Sink<'_>) {
        let Some(message) = Message::read(bytes) else {
            self.losses.malformed += 1;
            return;
        };
        if message.response {
            self.response(event, &message, sink);
        } else {
            self.query(event, &message, sink);
        }
    }

    fn query(&mut self, event: &PayloadEvent, message: &Message, sink: Sink<'_>) {
        if message.questions.is_empty() {
            self.losses.malformed += 1;
        }
        for question in &message.questions {
            let place = (event.key, message.id);
            if self.waiting.ask(place, event.slot, event.from(), question, event.time) {
                sink(blank(event, event.from(), Some(question.clone()), DnsOutcome::Repeated));
            }
            while self.waiting.len() > self.options.max_pending.max(1) {
                let Some((key, pending)) = self.waiting.oldest(u64::MAX) else { break };
                self.losses.evicted += 1;
                sink(pending.into_exchange(key, DnsOutcome::Unanswered));
            }
        }
    }

    fn response(&mut self, event: &PayloadEvent, message: &Message, sink: Sink<'_>) {
        let client = event.from().other();
        let questions: Vec<Option<&Question>> = if message.questions.is_empty() {
            // Errors, and the later messages of a zone transfer (RFC 5936 section 2.2), need not repeat it.
            vec![None]
        } else {
            message.questions.iter().map(Some).collect()
        };
        for question in questions {
            let pending = self.waiting.answer(&(event.key, message.id), client, question);
            let mut exchange = match pending {
                Some(pending) => {
                    let first = pending.first;
                    let mut exchange = pending.into_exchange(event.key, DnsOutcome::Answered);
                    exchange.response_time = event.time.checked_sub(first);
                    exchange
                }
                None => blank(event, client, question.cloned(), DnsOutcome::NoQuery),
            };
            exchange.head.slot = event.slot;
            exchange.rcode = Some(message.rcode);
            exchange.answers.clone_from(&message.answers);
            exchange.answer_count = Some(message.answer_count);
            exchange.truncated = Some(message.truncated);
            sink(exchange);
        }
    }
}

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    name: NAME,
    start: |options| {
        Box::new(DnsTracker::new(DnsOptions { copied: limit(options.head_bytes), ..DnsOptions::default() }))
    },
    numbers: |_| Box::new(DnsNumbers::default()),
    families: || FAMILIES.iter().map(|family| family.meta).collect(),
};

/// In records, labels and the configuration.
const NAME: &str = "dns";

impl Protocol for DnsTracker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) {
        Self::event(self, event, payload, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn expire(&mut self, now: u64, _: Look<'_>, found: &mut Found) {
        Self::expire(self, now, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn finish(&mut self, found: &mut Found) {
        Self::finish(self, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn losses(&self) -> Vec<(&'static str, u64)> {
        vec![("malformed", self.losses.malformed), ("evicted", self.losses.evicted)]
    }
}

/// A line of one message alone.
fn blank(
    event: &PayloadEvent,
    client: Sender,
    question: Option<Question>,
    outcome: DnsOutcome,
) -> DnsExchange {
    let (query, qtype) = question.map(|question| (question.name, question.qtype)).unzip();
    DnsExchange {
        head: Head::new(event.key, event.slot, client, event.time),
        query,
        qtype,
        rcode: None,
        answers: Vec::new(),
        answer_count: None,
        truncated: None,
        response_time: None,
        retries: 0,
        outcome,
    }
}
