//! A query that waits for its response.

use flow_common::{
    event::PayloadEvent,
    key::{FlowKey, Sender},
};

use crate::{
    dns::{DnsExchange, DnsOutcome, parse::Question},
    record::Head,
};

/// A query under way.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) client: Sender,
    /// `None` where the copy of the query ends before it does.
    question: Option<Question>,
    slot: u32,
    /// First sending, nanoseconds of the packet clock.
    pub(super) first: u64,
    pub(super) retries: u32,
    /// Its line has left; it stays for the answers to its retries.
    pub(super) is_answered: bool,
}

impl Query {
    /// One that the event has asked.
    pub(super) const fn new(event: &PayloadEvent, question: Option<Question>) -> Self {
        Self {
            client: event.from(),
            question,
            slot: event.slot,
            first: event.time,
            retries: 0,
            is_answered: false,
        }
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.question.as_ref().map_or(0, |question| question.name.capacity())
    }

    /// Whether this is sent again where `question` is; of cut ones the id is all there is.
    pub(super) fn asks_the_same(&self, question: Option<&Question>) -> bool {
        match (&self.question, question) {
            (Some(own), Some(other)) => own.same(other),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether an answer to `question` may be its own.
    pub(super) fn may_ask(&self, question: &Question) -> bool {
        self.question.as_ref().is_none_or(|own| own.same(question))
    }

    pub(super) fn exchange(&self, key: FlowKey, outcome: DnsOutcome) -> DnsExchange {
        let (query, qtype) = self.question.clone().map(|question| (question.name, question.qtype)).unzip();
        DnsExchange {
            head: Head::new(key, self.slot, self.client, self.first),
            query,
            qtype,
            rcode: None,
            answers: Vec::new(),
            answer_count: None,
            truncated: None,
            response_time: None,
            retries: self.retries,
            outcome,
        }
    }
}
