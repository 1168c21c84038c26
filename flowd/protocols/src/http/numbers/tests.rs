use std::net::IpAddr;

use super::*;
use crate::http::tests::answered;

/// One zone, and the hosts of an allow list that grows.
#[derive(Debug)]
struct Hosts {
    allowed: &'static [&'static str],
    /// Every host that was ever allowed keeps its number.
    known: &'static [&'static str],
}

impl LabelPolicy for Hosts {
    fn zone(&self, _: IpAddr) -> u16 {
        0
    }

    fn zone_name(&self, _: u16) -> &str {
        "internet"
    }

    fn host(&self, host: Option<&str>) -> u16 {
        let allowed = host.filter(|host| self.allowed.contains(host));
        allowed
            .and_then(|host| self.known.iter().position(|known| *known == host))
            .map_or(0, |at| at as u16 + 1)
    }

    fn host_name(&self, host: u16) -> Option<&str> {
        self.known.get(usize::from(host).checked_sub(1)?).copied()
    }

    fn has_hosts(&self) -> bool {
        !self.allowed.is_empty()
    }

    fn limit(&self, _: &str) -> usize {
        100
    }
}

const KNOWN: &[&str] = &["www.example.org", "a.example.org"];

fn numbers(allowed: &'static [&'static str]) -> HttpNumbers {
    HttpNumbers::new(Arc::new(Hosts { allowed, known: KNOWN }))
}

/// An exchange that took as many nanoseconds as its status says.
fn seen(method: Option<&str>, status: Option<u16>, host: &str) -> HttpExchange {
    let mut exchange = answered();
    exchange.method = method.map(str::to_owned);
    exchange.status = status;
    exchange.host = Some(host.to_owned());
    exchange.request_time = method.map(|_| 1_000);
    exchange.response_time = status.map(|status| 1_000 + u64::from(status));
    exchange
}

#[test]
fn requests_count_by_status_and_durations_by_class() {
    let mut numbers = numbers(&[]);
    for (method, status) in [(Some("GET"), Some(200)), (Some("GET"), Some(204)), (Some("BREW"), None)] {
        numbers.record(&seen(method, status, "h"));
    }
    assert_eq!(numbers.durations.rows().map(|(_, row)| row.count()).collect::<Vec<_>>(), [0, 2]);
    let methods: Vec<_> =
        numbers.requests.rows().filter_map(|(key, _)| Some(key.as_ref()?.method.name())).collect();
    assert_eq!(methods, ["GET", "GET", "_OTHER"]);
}

#[test]
fn a_response_alone_is_no_request() {
    let mut numbers = numbers(&[]);
    numbers.record(&seen(None, Some(200), "h"));
    assert_eq!((numbers.requests.len(), numbers.durations.len(), numbers.unmatched), (1, 1, 1));
}

#[test]
fn hosts_of_the_allow_list_keep_their_rows_over_a_reload() {
    let policy = |allowed| -> Arc<dyn LabelPolicy> { Arc::new(Hosts { allowed, known: KNOWN }) };
    let mut numbers = numbers(&["www.example.org"]);
    numbers.record(&seen(Some("GET"), Some(200), "www.example.org"));
    numbers.reconfigure(&policy(KNOWN));
    numbers.record(&seen(Some("GET"), Some(200), "www.example.org"));
    numbers.record(&seen(Some("GET"), Some(200), "b.example.org"));
    let rows: Vec<_> = numbers
        .requests
        .rows()
        .filter_map(|(key, count)| Some((numbers.policy.host_name(key.as_ref()?.host), *count)))
        .collect();
    assert_eq!(rows, [(Some("www.example.org"), 2), (None, 1)]);
    numbers.settle(1, 1);
    numbers.reconfigure(&policy(&[]));
    assert_eq!(numbers.requests.rows().map(|(_, count)| count).sum::<u64>(), 0);
    assert_eq!(numbers.requests.retired().map(|(_, _, count)| count).sum::<u64>(), 3);
}
