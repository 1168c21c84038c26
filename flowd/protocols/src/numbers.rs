//! Rates, durations and losses of every protocol that has no families of its own.

use std::sync::Arc;

use flow_common::app::App;
use flowd_numbers::{
    Class, Exposition, Family, Histogram, LabelPolicy, Overflow, Rows, Table, counter, each, histogram, show,
};

use crate::{
    protocol::{Shown, Words},
    record::{AppRecord, Request},
};

/// Upper bounds of the duration buckets in nanoseconds: from a cache in memory to a report over a large table.
const BOUNDS: [u64; 14] = [
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Durations by labels.
type Durations = Histogram<{ BOUNDS.len() + 1 }>;

/// A number in a list of words; 0 is for what is not in it.
type Word = u16;

/// The label value of what is not in its protocol's list, so that nobody makes labels with a packet (OpenTelemetry's
/// word for it).
pub(crate) const NOT_LISTED: &str = "_OTHER";

/// Labels of both families of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Labels {
    app: App,
    operation: Word,
    /// `None` where no response was seen; in the histogram always, as only answered requests have a duration.
    status: Option<Word>,
    /// The server's zone, [`LabelPolicy::zone`].
    server: u16,
}

/// Budgets of series by their names in the configuration.
const REQUESTS: &str = "requests";
const DURATIONS: &str = "request_durations";

/// What all protocols without families of their own share.
#[rustfmt::skip]
pub static FAMILIES: &[Family<SharedNumbers>] = &[
    counter("flowd_requests", &["protocol", "operation", "status", "server_net"], Class::Budget, "Requests of protocols without families of their own, by their final status, none where no response was seen. A lower bound while flowd_governor_level is above 0.",
        SharedNumbers::request_rows),
    histogram("flowd_request_duration_seconds", &["protocol", "operation", "server_net"], Class::Budget, "Time from the first byte of such a request to the first byte of its response.",
        SharedNumbers::duration_rows),
    counter("flowd_protocol_given_up", &["protocol", "reason"], Class::Fixed, "Messages of such protocols that were given up, by the reason why.",
        SharedNumbers::loss_rows),
];

/// A protocol that shares these numbers.
#[derive(Clone, Debug)]
struct Member {
    app: App,
    words: Words,
    losses: Vec<(&'static str, u64)>,
}

/// What was counted; `None` is the catch-all row.
#[derive(Clone, Debug)]
pub struct SharedNumbers {
    policy: Arc<dyn LabelPolicy>,
    members: Vec<Member>,
    requests: Table<Option<Labels>, u64>,
    durations: Table<Option<Labels>, Durations>,
}

impl SharedNumbers {
    /// Zeros of these protocols.
    #[must_use]
    pub fn new(policy: Arc<dyn LabelPolicy>, members: impl IntoIterator<Item = (App, Words)>) -> Self {
        let member = |(app, words)| Member { app, words, losses: Vec::new() };
        let members: Vec<_> = members.into_iter().map(member).collect();
        let mut requests = Table::new(policy.limit(REQUESTS));
        let mut durations = Table::new(policy.limit(DURATIONS));
        if !members.is_empty() {
            requests.reserve(None);
            durations.reserve(None);
        }
        Self { policy, members, requests, durations }
    }

    /// Counts one record, where it is of one of these protocols and has a request.
    pub fn record(&mut self, record: &dyn AppRecord) {
        let (app, head) = (record.app(), record.head());
        let Some(member) = self.members.iter().find(|member| member.app == app) else { return };
        let Some(Request { operation, status, duration }) = record.request() else { return };
        let labels = Labels {
            app,
            operation: number(member.words.operations, operation),
            status: status.map(|status| number(member.words.statuses, status)),
            server: self.policy.zone(head.server.endpoint.address),
        };
        if let Some(count) = self.requests.at(Some(labels), None) {
            *count += 1;
        }
        if let Some(duration) = duration
            && let Some(durations) = self.durations.at(Some(Labels { status: None, ..labels }), None)
        {
            durations.record(&BOUNDS, duration);
        }
    }

    /// Takes what a protocol says of its losses.
    pub fn set_losses(&mut self, app: App, losses: Vec<(&'static str, u64)>) {
        if let Some(member) = self.members.iter_mut().find(|member| member.app == app) {
            member.losses = losses;
        }
    }

    /// Takes over other label values and limits.
    pub fn reconfigure(&mut self, policy: &Arc<dyn LabelPolicy>) {
        self.requests.set_limit(policy.limit(REQUESTS));
        self.durations.set_limit(policy.limit(DURATIONS));
        self.policy = Arc::clone(policy);
    }

    /// Decides anew who has a series: `now` in nanoseconds of any clock, `seconds` since the epoch.
    pub fn settle(&mut self, now: u64, seconds: u64) {
        self.requests.settle(now, seconds);
        self.durations.settle(now, seconds);
    }

    /// The numbers as a scrape needs them, all of this moment.
    #[must_use]
    pub fn published(&self) -> Arc<dyn Shown> {
        Arc::new(Self {
            policy: Arc::clone(&self.policy),
            members: self.members.clone(),
            requests: self.requests.published(),
            durations: self.durations.published(),
        })
    }

    fn request_rows(&self, rows: &mut dyn Rows) {
        each(&self.requests, |labels, other, count| {
            let [app, operation, status, server] = self.values(labels.as_ref(), other);
            rows.counter(&[app, operation, status, server], *count);
        });
    }

    fn duration_rows(&self, rows: &mut dyn Rows) {
        each(&self.durations, |labels, other, durations| {
            let [app, operation, _, server] = self.values(labels.as_ref(), other);
            rows.histogram(&[app, operation, server], durations.sum(), &BOUNDS, &durations.buckets);
        });
    }

    fn loss_rows(&self, rows: &mut dyn Rows) {
        for member in &self.members {
            for (reason, count) in &member.losses {
                rows.counter(&[member.app.name(), reason], *count);
            }
        }
    }

    /// Protocol, operation, status and server's zone as label values.
    fn values<'a>(&'a self, labels: Option<&Labels>, other: &'a str) -> [&'a str; 4] {
        let Some(Labels { app, operation, status, server }) = labels.copied() else {
            return [other; 4];
        };
        let words = self.members.iter().find(|member| member.app == app).map(|member| member.words);
        let Words { operations, statuses } = words.unwrap_or_default();
        let status = status.map_or("none", |status| word(statuses, status));
        [app.name(), word(operations, operation), status, self.policy.zone_name(server)]
    }
}

impl Shown for SharedNumbers {
    fn show(&self, to: &mut dyn Exposition) {
        show(FAMILIES, self, |meta| meta.labels.to_vec(), to);
    }

    fn overflows(&self) -> Vec<Overflow> {
        vec![
            Overflow::of(REQUESTS, &self.requests, Option::is_none),
            Overflow::of(DURATIONS, &self.durations, Option::is_none),
        ]
    }
}

fn number(words: &[&str], wanted: &str) -> Word {
    let at = words.iter().position(|word| *word == wanted).map_or(0, |at| at + 1);
    Word::try_from(at).unwrap_or_default()
}

fn word(words: &'static [&'static str], number: Word) -> &'static str {
    let at = usize::from(number).checked_sub(1);
    at.and_then(|at| words.get(at)).copied().unwrap_or(NOT_LISTED)
}

#[cfg(test)]
mod tests;
