//! Rates, errors and durations of HTTP requests.

use std::net::IpAddr;

use super::{Histogram, Table, Zone};

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

    /// The method named `name`; `None` where no request was seen.
    #[must_use]
    pub fn of(name: Option<&str>) -> Self {
        let found = Self::NAMES.iter().position(|known| Some(*known) == name);
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
}

/// Durations by labels.
pub type HttpDurations = Histogram<{ BOUNDS.len() + 1 }>;

/// What was counted of HTTP; `None` is the catch-all row.
#[derive(Clone, Debug)]
pub struct HttpNumbers {
    pub requests: Table<Option<HttpLabels>, u64>,
    pub durations: Table<Option<HttpLabels>, HttpDurations>,
}

impl HttpNumbers {
    /// Each family with at most `limit` rows.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { requests: Table::new(limit), durations: Table::new(limit) }
    }

    /// Counts one exchange; `duration` in nanoseconds from request to response.
    pub fn record(
        &mut self,
        method: Option<&str>,
        status: Option<u16>,
        server: IpAddr,
        duration: Option<u64>,
    ) {
        let status = status.unwrap_or_default();
        let labels = HttpLabels { method: Method::of(method), status, server: Zone::of(server) };
        if let Some(count) = self.requests.at(Some(labels), None) {
            *count += 1;
        }
        let class = HttpLabels { status: status / 100, ..labels };
        if let Some(duration) = duration
            && let Some(durations) = self.durations.at(Some(class), None)
        {
            durations.record(&BOUNDS, duration);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_count_by_status_and_durations_by_class() {
        let server = IpAddr::from([10, 0, 0, 1]);
        let mut numbers = HttpNumbers::new(10);
        numbers.record(Some("GET"), Some(200), server, Some(6_000_000));
        numbers.record(Some("GET"), Some(204), server, Some(1));
        numbers.record(Some("BREW"), None, server, None);
        assert_eq!(numbers.requests.len(), 3);
        assert_eq!(numbers.durations.rows().map(|(_, row)| row.count()).collect::<Vec<_>>(), [2]);
        let methods: Vec<_> =
            numbers.requests.rows().filter_map(|(key, _)| Some(key.as_ref()?.method.name())).collect();
        assert_eq!(methods, ["GET", "GET", "_OTHER"]);
    }
}
