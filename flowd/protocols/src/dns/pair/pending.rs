//! Queries that wait for their responses, bounded.

use std::collections::{BTreeMap, HashMap};

use flow_common::key::{FlowKey, Sender};

use crate::{
    dns::{DnsExchange, DnsOutcome, parse::Question},
    record::Head,
};

/// A query under way.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) client: Sender,
    pub(super) question: Question,
    pub(super) slot: u32,
    /// First sending, nanoseconds of the packet clock.
    pub(super) first: u64,
    /// Last sending.
    last: u64,
    pub(super) retries: u32,
    number: u64,
}

impl Pending {
    pub(super) fn into_exchange(self, key: FlowKey, outcome: DnsOutcome) -> DnsExchange {
        DnsExchange {
            head: Head::new(key, self.slot, self.client, self.first),
            query: Some(self.question.name),
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

/// A flow and a message's id.
type Place = (FlowKey, u16);

/// Queries by flow and id, and by the time when they were last sent.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queries: HashMap<Place, Vec<Pending>>,
    order: BTreeMap<(u64, u64), Place>,
    next: u64,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Adds a query; true where it only repeats one that waits already.
    pub(super) fn ask(
        &mut self,
        place: Place,
        slot: u32,
        client: Sender,
        question: &Question,
        time: u64,
    ) -> bool {
        let Self { queries, order, next } = self;
        let waiting = queries.entry(place).or_default();
        let same = |pending: &&mut Pending| pending.client == client && pending.question.same(question);
        if let Some(pending) = waiting.iter_mut().find(same) {
            order.remove(&(pending.last, pending.number));
            pending.last = pending.last.max(time);
            pending.retries = pending.retries.saturating_add(1);
            order.insert((pending.last, pending.number), place);
            return true;
        }
        *next += 1;
        order.insert((time, *next), place);
        let question = question.clone();
        waiting.push(Pending { client, question, slot, first: time, last: time, retries: 0, number: *next });
        false
    }

    /// Takes the query of `client` that a response answers; without a question in the response, the oldest with
    /// its id.
    pub(super) fn answer(
        &mut self,
        place: &Place,
        client: Sender,
        question: Option<&Question>,
    ) -> Option<Pending> {
        let waiting = self.queries.get_mut(place)?;
        let fits = |pending: &Pending| {
            pending.client == client && question.is_none_or(|question| pending.question.same(question))
        };
        let found = waiting.iter().position(fits)?;
        let pending = waiting.remove(found);
        if waiting.is_empty() {
            self.queries.remove(place);
        }
        self.order.remove(&(pending.last, pending.number));
        Some(pending)
    }

    /// Takes the query that has waited longest, if it was last sent at `until` or before.
    pub(super) fn oldest(&mut self, until: u64) -> Option<(FlowKey, Pending)> {
        let (&(last, number), &place) = self.order.first_key_value()?;
        if last > until {
            return None;
        }
        self.order.remove(&(last, number));
        let waiting = self.queries.get_mut(&place)?;
        let found = waiting.iter().position(|pending| pending.number == number)?;
        let pending = waiting.remove(found);
        if waiting.is_empty() {
            self.queries.remove(&place);
        }
        Some((place.0, pending))
    }
}
