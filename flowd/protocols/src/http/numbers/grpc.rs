//! Requests of gRPC by service, method and status.
//!
//! Services and methods are words from the wire, and anyone can ask for any. A word becomes a label value only once a
//! server has answered it with another status than UNIMPLEMENTED, which says that there is no such method; and the budget
//! bounds how many there are.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use flowd_numbers::{Overflow, Rows, Table, each};

use crate::numbers::NOT_LISTED;

pub(super) const LABELS: &[&str] = &["service", "method", "code"];

/// Statuses by their numbers (gRPC, "Status codes and their use in gRPC").
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
const UNIMPLEMENTED: u32 = 12;

/// Longest path that may become label values.
const MOST: usize = 200;

/// A service and its method, by number; 0: none that is known.
type Method = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct GrpcLabels {
    method: Method,
    code: Code,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Code {
    None,
    /// By its place in [`CODES`]; beyond its end: of no name.
    Said(u8),
}

impl Code {
    fn of(status: Option<u32>) -> Self {
        status.map_or(Self::None, |status| Self::Said(u8::try_from(status).unwrap_or(u8::MAX)))
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Said(code) => CODES.get(usize::from(code)).copied().unwrap_or(NOT_LISTED),
        }
    }
}

/// What was counted; `None` is the catch-all row.
#[derive(Clone, Debug)]
pub(super) struct GrpcNumbers {
    requests: Table<Option<GrpcLabels>, u64>,
    /// Services with their methods, as in `package.Service/Method`, that the table knows.
    numbers: HashMap<Arc<str>, Method>,
    /// The same by number.
    names: HashMap<Method, Arc<str>>,
    /// Never used twice, so that a row never gets another meaning.
    last: Method,
}

impl GrpcNumbers {
    pub(super) fn new(limit: usize) -> Self {
        let mut requests = Table::new(limit);
        requests.reserve(None);
        Self { requests, numbers: HashMap::new(), names: HashMap::new(), last: 0 }
    }

    /// Counts a request for `path`, as its line shows it.
    pub(super) fn count(&mut self, path: Option<&str>, status: Option<u32>) {
        let is_proof = status.is_some_and(|status| status != UNIMPLEMENTED);
        let method = path.and_then(named).map_or(0, |name| self.number(name, is_proof));
        let labels = GrpcLabels { method, code: Code::of(status) };
        if let Some(count) = self.requests.at(Some(labels), None) {
            *count += 1;
        }
    }

    /// The number of a method, which gets one now where the server has proved that there is such a method.
    fn number(&mut self, name: &str, is_proof: bool) -> Method {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        // The table itself keeps no more than half as many.
        let room = self.numbers.len() < 4 * self.requests.limit().max(256);
        if !is_proof || !room || self.last == Method::MAX {
            return 0;
        }
        self.last += 1;
        let name: Arc<str> = Arc::from(name);
        self.numbers.insert(Arc::clone(&name), self.last);
        self.names.insert(self.last, name);
        self.last
    }

    pub(super) const fn set_limit(&mut self, limit: usize) {
        self.requests.set_limit(limit);
    }

    pub(super) fn settle(&mut self, now: u64, seconds: u64) {
        self.requests.settle(now, seconds);
        let known: HashSet<_> = self.requests.keys().flatten().map(|labels| labels.method).collect();
        self.numbers.retain(|_, number| known.contains(number));
        self.names.retain(|number, _| known.contains(number));
    }

    /// As a scrape needs it.
    pub(super) fn published(&self) -> Self {
        let names = self.names.clone();
        Self { requests: self.requests.published(), numbers: HashMap::new(), names, last: self.last }
    }

    pub(super) fn overflow(&self, budget: &'static str) -> Overflow {
        Overflow::of(budget, &self.requests, Option::is_none)
    }

    pub(super) fn rows(&self, rows: &mut dyn Rows) {
        each(&self.requests, |labels, other, count| {
            let Some(GrpcLabels { method, code }) = labels else {
                return rows.counter(&[other; LABELS.len()], *count);
            };
            let name = self.names.get(method).and_then(|name| name.split_once('/'));
            let (service, method) = name.unwrap_or((NOT_LISTED, NOT_LISTED));
            rows.counter(&[service, method, code.name()], *count);
        });
    }
}

/// `package.Service/Method` of `/package.Service/Method`, of the letters that names have (Protocol Buffers, "Identifiers").
fn named(path: &str) -> Option<&str> {
    let path = path.split('?').next()?;
    let name = path.strip_prefix('/').filter(|name| name.len() <= MOST)?;
    let (service, method) = name.split_once('/')?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_service = !service.is_empty() && service.bytes().all(|byte| is_word(byte) || byte == b'.');
    let is_method = !method.is_empty() && method.bytes().all(is_word);
    (is_service && is_method).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(numbers: &GrpcNumbers) -> Vec<String> {
        struct Lines(Vec<String>);
        impl Rows for Lines {
            fn counter(&mut self, values: &[&str], value: u64) {
                self.0.push(format!("{} {value}", values.join(" ")));
            }
            fn seconds(&mut self, _: &[&str], _: f64) {}
            fn gauge(&mut self, _: &[&str], _: f64) {}
            fn histogram(&mut self, _: &[&str], _: f64, _: &[u64], _: &[u64]) {}
            fn series(&self) -> u64 {
                0
            }
        }
        let mut lines = Lines(Vec::new());
        numbers.published().rows(&mut lines);
        lines.0.sort();
        lines.0
    }

    #[test]
    fn services_methods_and_codes_are_labels() {
        let mut numbers = GrpcNumbers::new(16);
        for (path, status) in [
            ("/shop.Cart/Add", Some(0)),
            ("/shop.Cart/Add", Some(0)),
            ("/shop.Cart/Add?x=1", Some(5)),
            ("/shop.Cart/Add", Some(12)),
            ("/shop.Cart/Add", None),
            ("/shop.Cart/Add", Some(99)),
            ("/Plain/Do", Some(14)),
        ] {
            numbers.count(Some(path), status);
        }
        assert_eq!(
            rows(&numbers),
            [
                "Plain Do UNAVAILABLE 1",
                "other other other 0",
                "shop.Cart Add NOT_FOUND 1",
                "shop.Cart Add OK 2",
                "shop.Cart Add UNIMPLEMENTED 1",
                "shop.Cart Add _OTHER 1",
                "shop.Cart Add none 1",
            ]
        );
    }

    /// Whoever asks for what does not exist makes no label values.
    #[test]
    fn words_that_no_server_knows_are_no_labels() {
        let mut numbers = GrpcNumbers::new(16);
        numbers.count(Some("/secret.Service/Word"), Some(12));
        numbers.count(Some("/secret.Service/Word"), None);
        for path in ["/a b/M", "/s/M/N", "/s/{id}", "s/M", "/s", "/s/", "//M", "/s/M%20"] {
            numbers.count(Some(path), Some(0));
        }
        numbers.count(None, Some(0));
        let wanted = ["_OTHER _OTHER OK 9", "_OTHER _OTHER UNIMPLEMENTED 1", "_OTHER _OTHER none 1"];
        assert_eq!(rows(&numbers)[..3], wanted);
    }

    /// A server that answers whatever it is asked makes no more of them than the budget allows, and no count is lost.
    #[test]
    fn a_flood_of_names_is_bounded() {
        let mut numbers = GrpcNumbers::new(16);
        for number in 0..10_000_u64 {
            numbers.count(Some(&format!("/s.S/M{number}")), Some(0));
            if number % 1_000 == 999 {
                numbers.settle(number * 1_000_000_000, number);
            }
        }
        assert!(numbers.names.len() <= 4 * 256 && numbers.numbers.len() == numbers.names.len());
        let counts: u64 = numbers.requests.rows().map(|(_, count)| count).sum();
        let retired: u64 = numbers.requests.retired().map(|(_, _, count)| count).sum();
        assert_eq!(counts + retired, 10_000);
        assert!(numbers.requests.len() <= 17, "{}", numbers.requests.len());
    }
}
