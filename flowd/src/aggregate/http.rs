//! Rates, errors and durations of HTTP requests.

use std::{net::IpAddr, sync::Arc};

use super::{Histogram, Policy, Table, Zone};
use crate::protocol::http::HttpLosses;

/// Upper bounds of the duration buckets in nanoseconds: OpenTelemetry's advice for
/// `http.server.request.duration`.
pub const BOUNDS: [u64; 14] = [
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
pub struct Method(u8);

impl Method {
    const NAMES: [&'static str; 10] =
        ["_OTHER", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];

    /// The method named `name`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let found = Self::NAMES.iter().position(|known| *known == name);
        Self(u8::try_from(found.unwrap_or_default()).unwrap_or_default())
    }

    /// The label value.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("_OTHER")
    }
}

/// Labels of both HTTP families; `status` 0 where there was no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HttpLabels {
    pub method: Method,
    /// A status in the counter, its first digit in the histogram.
    pub status: u16,
    pub server: Zone,
    /// By [`Policy::host`].
    pub host: u16,
}

/// What a line of the HTTP log says for metrics.
#[derive(Clone, Copy, Debug)]
pub struct HttpSeen<'a> {
    /// `None` where no request was seen.
    pub method: Option<&'a str>,
    /// `None` where no final response was seen: unanswered, or reset before.
    pub status: Option<u16>,
    pub server: IpAddr,
    pub host: Option<&'a str>,
    /// From request to response, ns.
    pub duration: Option<u64>,
}

/// Durations by labels.
pub type HttpDurations = Histogram<{ BOUNDS.len() + 1 }>;

/// What was counted of HTTP; `None` is the catch-all row.
#[derive(Clone, Debug)]
pub struct HttpNumbers {
    pub policy: Arc<Policy>,
    pub requests: Table<Option<HttpLabels>, u64>,
    /// A bucket knows no single request. Exemplars would be kept here, one per bucket, as the exposition
    /// encodes a row at once.
    pub durations: Table<Option<HttpLabels>, HttpDurations>,
    /// Responses whose request was not seen: no requests, so not among them.
    pub unmatched: u64,
    pub losses: HttpLosses,
}

impl HttpNumbers {
    /// Zeros.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        let mut requests = Table::new(policy.series.limit("http_requests"));
        let mut durations = Table::new(policy.series.limit("http_durations"));
        requests.reserve(None);
        durations.reserve(None);
        Self { policy, requests, durations, unmatched: 0, losses: HttpLosses::default() }
    }

    /// Counts one exchange.
    pub fn record(&mut self, seen: &HttpSeen<'_>) {
        let Some(method) = seen.method else {
            self.unmatched += 1;
            return;
        };
        let labels = HttpLabels {
            method: Method::of(method),
            status: seen.status.unwrap_or_default(),
            server: self.policy.zones.of(seen.server),
            host: self.policy.host(seen.host),
        };
        if let Some(count) = self.requests.at(Some(labels), None) {
            *count += 1;
        }
        let class = HttpLabels { status: labels.status / 100, ..labels };
        if let Some(duration) = seen.duration
            && let Some(durations) = self.durations.at(Some(class), None)
        {
            durations.record(&BOUNDS, duration);
        }
    }

    /// Takes over another policy.
    pub fn reconfigure(&mut self, policy: Arc<Policy>) {
        if self.policy.groups_http_unlike(&policy) {
            self.requests.retire_all();
            self.durations.retire_all();
        }
        self.requests.set_limit(policy.series.limit("http_requests"));
        self.durations.set_limit(policy.series.limit("http_durations"));
        self.policy = policy;
    }

    /// Lets both families decide anew who has a series; see [`Table::settle`].
    pub fn settle(&mut self, now: u64, seconds: u64) {
        self.requests.settle(now, seconds);
        self.durations.settle(now, seconds);
    }

    /// The numbers as a scrape needs them.
    #[must_use]
    pub fn published(&self) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            requests: self.requests.published(),
            durations: self.durations.published(),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn seen(method: Option<&'static str>, status: Option<u16>) -> HttpSeen<'static> {
        let server = IpAddr::from([10, 0, 0, 1]);
        HttpSeen { method, status, server, host: Some("WWW.example.org:80"), duration: status.map(u64::from) }
    }

    #[test]
    fn requests_count_by_status_and_durations_by_class() {
        let mut numbers = HttpNumbers::new(Arc::default());
        for (method, status) in [(Some("GET"), Some(200)), (Some("GET"), Some(204)), (Some("BREW"), None)] {
            numbers.record(&seen(method, status));
        }
        assert_eq!(numbers.durations.rows().map(|(_, row)| row.count()).collect::<Vec<_>>(), [0, 2]);
        let methods: Vec<_> =
            numbers.requests.rows().filter_map(|(key, _)| Some(key.as_ref()?.method.name())).collect();
        assert_eq!(methods, ["GET", "GET", "_OTHER"]);
    }

    #[test]
    fn a_response_alone_is_no_request() {
        let mut numbers = HttpNumbers::new(Arc::default());
        numbers.record(&seen(None, Some(200)));
        assert_eq!((numbers.requests.len(), numbers.durations.len(), numbers.unmatched), (1, 1, 1));
    }

    #[test]
    fn hosts_of_the_allow_list_keep_their_rows_over_a_reload() {
        let config = |hosts: &[&str]| {
            let mut config = Config::default();
            config.series.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
            config
        };
        let mut numbers = HttpNumbers::new(Arc::new(Policy::new(&config(&["www.example.org"]))));
        numbers.record(&seen(Some("GET"), Some(200)));
        let after = numbers.policy.renewed(&config(&["a.example.org", "www.example.org"]));
        numbers.reconfigure(Arc::new(after));
        numbers.record(&seen(Some("GET"), Some(200)));
        numbers.record(&HttpSeen { host: Some("b.example.org"), ..seen(Some("GET"), Some(200)) });
        let rows: Vec<_> = numbers
            .requests
            .rows()
            .filter_map(|(key, count)| Some((numbers.policy.host_name(key.as_ref()?.host), *count)))
            .collect();
        assert_eq!(rows, [(Some("www.example.org"), 2), (None, 1)]);
        numbers.settle(1, 1);
        let without = numbers.policy.renewed(&config(&[]));
        numbers.reconfigure(Arc::new(without));
        assert_eq!(numbers.requests.rows().map(|(_, count)| count).sum::<u64>(), 0);
        assert_eq!(numbers.requests.retired().map(|(_, _, count)| count).sum::<u64>(), 3);
    }
}
