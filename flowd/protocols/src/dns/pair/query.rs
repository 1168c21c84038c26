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
    pub(super) question: Question,
    slot: u32,
    /// First sending, nanoseconds of the packet clock.
    pub(super) first: u64,
    pub(super) retries: u32,
    /// Its line has left; it stays for the answers to its retries.
    pub(super) is_answered: bool,
}

impl Query {
    /// One that the event has asked.
    pub(super) const fn new(event: &PayloadEvent, question: Question) -> Self {
        Self {
            client: event.from(),
            question,
            slot: event.slot,
            first: event.time,
            retries: 0,
            is_answered: false,
        }
    }

    pub(super) fn exchange(&self, key: FlowKey, outcome: DnsOutcome) -> DnsExchange {
        DnsExchange {
            head: Head::new(key, self.slot, self.client, self.first),
            query: Some(self.question.name.clone()),
            qtype: Some(self.question.qtype),
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
