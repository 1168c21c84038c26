//! Rates, errors and durations of HTTP requests.

mod grpc;

use std::sync::Arc;

use flowd_numbers::{
    Class, Exposition, Family, Histogram, LabelPolicy, Meta, OTHER, Overflow, Rows, Table, counter, each,
    histogram, show,
};

use self::grpc::GrpcNumbers;
use super::HttpExchange;
use crate::{
    protocol::{ProtocolNumbers, Shown},
    record::AppRecord,
};

/// Upper bounds of the duration buckets in nanoseconds: OpenTelemetry's advice for
/// `http.server.request.duration`.
const BOUNDS: [u64; 14] = [
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    75_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    750_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    7_500_000_000,
    10_000_000_000,
];

/// Methods by their registered names; any other is `_OTHER`, so that clients cannot make labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Method(u8);

impl Method {
    const NAMES: [&'static str; 10] =
        ["_OTHER", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];

    /// The method named `name`.
    fn of(name: &str) -> Self {
        let found = Self::NAMES.iter().position(|known| *known == name);
        Self(u8::try_from(found.unwrap_or_default()).unwrap_or_default())
    }

    /// The label value.
    fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("_OTHER")
    }
}

/// Labels of both HTTP families; `status` 0 where there was no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct HttpLabels {
    method: Method,
    /// A status in the counter, its first digit in the histogram.
    status: u16,
    /// The server's zone, [`LabelPolicy::zone`].
    server: u16,
    /// [`LabelPolicy::host`].
    host: u16,
}

/// Durations by labels.
type Durations = Histogram<{ BOUNDS.len() + 1 }>;

const LABELS: &[&str] = &["method", "status", "server_net"];
const CLASS_LABELS: &[&str] = &["method", "status_class", "server_net"];
/// Budgets of series by their names in the configuration.
const REQUESTS: &str = "http_requests";
const DURATIONS: &str = "http_durations";
const GRPC: &str = "grpc_requests";

/// What HTTP adds to `/metrics`.
#[rustfmt::skip]
pub static FAMILIES: &[Family<HttpNumbers>] = &[
    counter("flowd_http_requests", LABELS, Class::Budget, "HTTP requests by their final status, none where no response was seen: unanswered, or reset before. A lower bound while flowd_governor_level is above 0.",
        HttpNumbers::request_rows),
    histogram("flowd_http_request_duration_seconds", CLASS_LABELS, Class::Budget, "Time from the first byte of a request to the first byte of its response.",
        HttpNumbers::duration_rows),
    counter("flowd_grpc_requests", grpc::LABELS, Class::Budget, "Requests of gRPC by the status that its trailers say, none where none was seen: unanswered, or reset before. They count as HTTP requests, too. A lower bound while flowd_governor_level is above 0.",
        |http, rows| http.grpc.rows(rows)),
    counter("flowd_http_responses_unmatched", &[], Class::Fixed, "HTTP responses whose request was not seen; they are in no other HTTP family.",
        |http, rows| rows.counter(&[], http.unmatched)),
    counter("flowd_http_messages_dropped", &["reason"], Class::Fixed, "HTTP messages that were given up: too many connections or requests were open, or copies before them were lost.",
        |http, rows| http.losses.iter().for_each(|(reason, count)| rows.counter(&[reason], *count))),
];

/// What was counted of HTTP; `None` is the catch-all row.
#[derive(Clone, Debug)]
pub struct HttpNumbers {
    policy: Arc<dyn LabelPolicy>,
    requests: Table<Option<HttpLabels>, u64>,
    /// A bucket knows no single request. Exemplars would be kept here, one per bucket, as the exposition
    /// encodes a row at once.
    durations: Table<Option<HttpLabels>, Durations>,
    grpc: GrpcNumbers,
    /// Responses whose request was not seen: no requests, so not among them.
    unmatched: u64,
    losses: Vec<(&'static str, u64)>,
}

impl HttpNumbers {
    /// Zeros.
    #[must_use]
    pub fn new(policy: Arc<dyn LabelPolicy>) -> Self {
        let mut requests = Table::new(policy.limit(REQUESTS));
        let mut durations = Table::new(policy.limit(DURATIONS));
        requests.reserve(None);
        durations.reserve(None);
        let grpc = GrpcNumbers::new(policy.limit(GRPC));
        Self { policy, requests, durations, grpc, unmatched: 0, losses: Vec::new() }
    }

    fn count(&mut self, exchange: &HttpExchange) {
        if exchange.request_time.is_none() {
            self.unmatched += 1;
            return;
        }
        if exchange.is_grpc {
            self.grpc.count(exchange.target.as_deref(), exchange.grpc_status);
        }
        // HTTP/2 may leave the method of a request unknown.
        let method = exchange.method.as_deref().unwrap_or_default();
        let labels = HttpLabels {
            method: Method::of(method),
            status: exchange.status.unwrap_or_default(),
            server: self.policy.zone(exchange.head.server.endpoint.address),
            host: self.policy.host(exchange.host.as_deref()),
        };
        if let Some(count) = self.requests.at(Some(labels), None) {
            *count += 1;
        }
        let class = HttpLabels { status: labels.status / 100, ..labels };
        if let Some(duration) = exchange.duration()
            && let Some(durations) = self.durations.at(Some(class), None)
        {
            durations.record(&BOUNDS, duration);
        }
    }

    fn request_rows(&self, rows: &mut dyn Rows) {
        each(&self.requests, |labels, other, count| {
            let word = |status: u16| status.to_string();
            self.values(labels.as_ref(), other, word, |values| rows.counter(values, *count));
        });
    }

    fn duration_rows(&self, rows: &mut dyn Rows) {
        each(&self.durations, |labels, other, durations| {
            let word = |class: u16| format!("{class}xx");
            self.values(labels.as_ref(), other, word, |values| {
                rows.histogram(values, durations.sum(), &BOUNDS, &durations.buckets);
            });
        });
    }

    /// Hands `show` the label values of a series; the status as `word` writes it.
    fn values(
        &self,
        labels: Option<&HttpLabels>,
        other: &str,
        word: impl Fn(u16) -> String,
        show: impl FnOnce(&[&str]),
    ) {
        let status;
        let values = match labels {
            Some(labels) => {
                status = if labels.status == 0 { "none".to_owned() } else { word(labels.status) };
                let host = self.policy.host_name(labels.host).unwrap_or(OTHER);
                [labels.method.name(), &status, self.policy.zone_name(labels.server), host]
            }
            None => [other; 4],
        };
        let count = if self.policy.has_hosts() { 4 } else { 3 };
        show(values.get(..count).unwrap_or(&values));
    }

    fn labels(&self, meta: &Meta) -> Vec<&'static str> {
        let with_host = [LABELS, CLASS_LABELS].contains(&meta.labels) && self.policy.has_hosts();
        meta.labels.iter().copied().chain(with_host.then_some("host")).collect()
    }
}

impl ProtocolNumbers for HttpNumbers {
    fn record(&mut self, record: &dyn AppRecord) {
        if let Some(exchange) = record.get() {
            self.count(exchange);
        }
    }

    fn set_losses(&mut self, losses: &[(&'static str, u64)]) {
        self.losses = losses.to_vec();
    }

    fn reconfigure(&mut self, policy: &Arc<dyn LabelPolicy>) {
        // With the label and without it, rows are other series.
        if self.policy.has_hosts() != policy.has_hosts() {
            self.requests.retire_all();
            self.durations.retire_all();
        }
        self.requests.set_limit(policy.limit(REQUESTS));
        self.durations.set_limit(policy.limit(DURATIONS));
        self.grpc.set_limit(policy.limit(GRPC));
        self.policy = Arc::clone(policy);
    }

    fn settle(&mut self, now: u64, seconds: u64) {
        self.requests.settle(now, seconds);
        self.durations.settle(now, seconds);
        self.grpc.settle(now, seconds);
    }

    fn published(&self) -> Arc<dyn Shown> {
        Arc::new(Self {
            policy: Arc::clone(&self.policy),
            requests: self.requests.published(),
            durations: self.durations.published(),
            grpc: self.grpc.published(),
            unmatched: self.unmatched,
            losses: self.losses.clone(),
        })
    }
}

impl Shown for HttpNumbers {
    fn show(&self, to: &mut dyn Exposition) {
        show(FAMILIES, self, |meta| self.labels(meta), to);
    }

    fn overflows(&self) -> Vec<Overflow> {
        vec![
            Overflow::of(REQUESTS, &self.requests, Option::is_none),
            Overflow::of(DURATIONS, &self.durations, Option::is_none),
            self.grpc.overflow(GRPC),
        ]
    }
}

#[cfg(test)]
mod tests;
