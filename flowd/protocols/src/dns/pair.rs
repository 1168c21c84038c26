//! Queries and responses of every flow, over UDP and TCP.

use flow_common::{
    app::App,
    dissect::transport::protocol::TCP,
    event::PayloadEvent,
    key::{FlowKey, Sender},
};

mod query;

use query::Query;

use super::{
    DnsExchange, DnsOptions, DnsOutcome,
    parse::{Message, Question},
    stream::Connections,
};
use crate::{record::Head, waiting::Waiting};

type Emit<'a> = &'a mut dyn FnMut(DnsExchange);

/// What was not followed to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DnsLosses {
    /// Payload on the DNS port without a message that can be read.
    pub malformed: u64,
    /// Queries and connections given up before their time, as the tables were full.
    pub evicted: u64,
    /// Answers to a query that was sent again, after the first of them: the line has that one.
    pub repeated_answer: u64,
}

/// Pairs queries with responses.
#[derive(Debug)]
pub struct DnsTracker {
    options: DnsOptions,
    /// Queries by flow and id, since they were last sent.
    queries: Waiting<(FlowKey, u16), Query>,
    connections: Connections,
    losses: DnsLosses,
}

impl DnsTracker {
    #[must_use]
    pub fn new(options: DnsOptions) -> Self {
        let queries = Waiting::new(options.max_pending).within(options.max_bytes, Query::weight);
        let connections = Connections::new(options.max_connections, options.max_connection_bytes);
        Self { options, queries, connections, losses: DnsLosses::default() }
    }

    /// Takes one event; `payload` is its copied bytes. Those of other protocols mean nothing to it.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], emit: &mut dyn FnMut(DnsExchange)) {
        if !event.is_of(App::Dns) {
            return;
        }
        // What waited too long for this event's time is over, however late the clock's own turn comes.
        self.expire(event.time, emit);
        if event.key.protocol() != TCP {
            self.message(event, payload, payload.len() < event.payload_len as usize, emit);
            return;
        }
        let mut messages = Vec::new();
        let limit = usize::try_from(self.options.copied).unwrap_or(usize::MAX).max(2);
        let evicted =
            self.connections.take(event, payload, limit, &mut |message| messages.push(message.to_vec()));
        self.losses.evicted += evicted;
        for message in messages {
            self.message(event, &message, false, emit);
        }
    }

    /// Reports queries that have waited too long. `now`: nanoseconds of the packet clock.
    pub fn expire(&mut self, now: u64, emit: &mut dyn FnMut(DnsExchange)) {
        // A query is due when the whole timeout has passed, not before.
        let Some(until) = now.checked_sub(self.options.timeout) else { return };
        self.give_up(until, emit);
        // Connections stay for longer: a client may keep one open between its queries.
        if let Some(until) = until.checked_sub(self.options.timeout.saturating_mul(10)) {
            self.connections.forget(until);
        }
    }

    /// Reports all that waits and forgets everything: the end of a capture or of the daemon.
    pub fn finish(&mut self, emit: &mut dyn FnMut(DnsExchange)) {
        self.give_up(u64::MAX, emit);
        self.connections.forget(u64::MAX);
    }

    /// What was not followed to its end so far.
    #[must_use]
    pub const fn losses(&self) -> DnsLosses {
        self.losses
    }

    /// Queries that wait, and connections that are followed.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.queries.len(), self.connections.len())
    }

    /// Bytes that queries and connections hold.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> (usize, usize) {
        (self.queries.held(), self.connections.held())
    }

    fn give_up(&mut self, until: u64, emit: Emit<'_>) {
        while let Some(((key, _), query)) = self.queries.pop(until) {
            if !query.value.is_answered {
                emit(query.value.exchange(key, DnsOutcome::Unanswered));
            }
        }
    }

    /// `goes_on`: more of the message passed than was copied.
    fn message(&mut self, event: &PayloadEvent, bytes: &[u8], goes_on: bool, emit: Emit<'_>) {
        let Some(message) = Message::read(bytes, goes_on) else {
            self.losses.malformed += 1;
            return;
        };
        if message.response {
            self.response(event, &message, emit);
        } else {
            self.query(event, &message, goes_on, emit);
        }
    }

    fn query(&mut self, event: &PayloadEvent, message: &Message, goes_on: bool, emit: Emit<'_>) {
        let mut questions: Vec<_> = message.questions.iter().map(Some).collect();
        if questions.is_empty() {
            if goes_on {
                // Cut within its question: the answer finds it by its id.
                questions.push(None);
            } else {
                self.losses.malformed += 1;
            }
        }
        for question in questions {
            let (key, client) = ((event.key, message.id), event.from());
            let same =
                |query: &Query| !query.is_answered && query.client == client && query.asks_the_same(question);
            if let Some(query) = self.queries.renew(&key, event.time, same) {
                query.value.retries = query.value.retries.saturating_add(1);
                emit(blank(event, client, question.cloned(), DnsOutcome::Repeated));
                continue;
            }
            let query = Query::new(event, question.cloned());
            self.wait(key, event.time, query, emit);
        }
    }

    fn response(&mut self, event: &PayloadEvent, message: &Message, emit: Emit<'_>) {
        let client = event.from().other();
        let questions: Vec<Option<&Question>> = if message.questions.is_empty() {
            // Errors, and the later messages of a zone transfer (RFC 5936 section 2.2), need not repeat it.
            vec![None]
        } else {
            message.questions.iter().map(Some).collect()
        };
        for question in questions {
            // Without a question in the response: the oldest query with its id.
            let asked = |query: &Query| {
                query.client == client && question.is_none_or(|question| query.may_ask(question))
            };
            let place = (event.key, message.id);
            let open = self.queries.take(&place, |query| !query.is_answered && asked(query));
            let mut exchange = match open {
                Some(query) => {
                    let mut query = query.value;
                    let mut exchange = query.exchange(event.key, DnsOutcome::Answered);
                    exchange.response_time = event.time.checked_sub(query.first);
                    if query.retries > 0 {
                        // A slow server answers every sending.
                        query.is_answered = true;
                        self.wait(place, event.time, query, emit);
                    }
                    exchange
                }
                None => {
                    let mut answered = self.queries.take(&place, |query| query.is_answered && asked(query));
                    if let Some(mut query) = answered.take().map(|query| query.value) {
                        self.losses.repeated_answer += 1;
                        query.retries -= 1;
                        if query.retries > 0 {
                            self.wait(place, event.time, query, emit);
                        }
                        continue;
                    }
                    blank(event, client, question.cloned(), DnsOutcome::NoQuery)
                }
            };
            exchange.head.slot = event.slot;
            exchange.rcode = Some(message.rcode);
            exchange.answers.clone_from(&message.answers);
            exchange.answer_count = Some(message.answer_count);
            exchange.truncated = Some(message.truncated);
            emit(exchange);
        }
    }
}

impl DnsTracker {
    /// A query waits since `time`; those that have waited longest make room.
    fn wait(&mut self, place: (FlowKey, u16), time: u64, query: Query, emit: Emit<'_>) {
        while self.queries.is_full()
            && let Some(((key, _), evicted)) = self.queries.pop(u64::MAX)
        {
            if !evicted.value.is_answered {
                self.losses.evicted += 1;
                emit(evicted.value.exchange(key, DnsOutcome::Unanswered));
            }
        }
        // There is room.
        let _ = self.queries.push(place, time, query);
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
