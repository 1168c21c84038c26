//! Rates, codes and durations of DNS lookups. All label values are from closed sets, so that there is nothing to
//! limit.

use std::collections::BTreeMap;

use super::Histogram;
use crate::protocol::dns::{
    DnsExchange, DnsLosses, DnsOutcome,
    words::{CODES, TYPES, known},
};

/// Upper bounds of the duration buckets in nanoseconds: from a cache next door to a resolver that asks around.
pub const DNS_BOUNDS: [u64; 12] = [
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
    5_000_000_000,
];

/// Response code and query type as label values.
pub type DnsLabels = (&'static str, &'static str);

/// The label value of what has no name, or was not asked for.
const OTHER: &str = "other";

/// What was counted of DNS.
#[derive(Clone, Debug, Default)]
pub struct DnsNumbers {
    /// Questions asked; one that is repeated counts once.
    pub queries: u64,
    /// Queries that were sent again.
    pub retries: u64,
    pub unanswered: u64,
    /// Responses without a query among them.
    pub responses: BTreeMap<DnsLabels, u64>,
    pub lookups: Histogram<{ DNS_BOUNDS.len() + 1 }>,
    pub losses: DnsLosses,
}

impl DnsNumbers {
    /// Counts one line.
    pub fn record(&mut self, exchange: &DnsExchange) {
        match exchange.outcome {
            DnsOutcome::Repeated => {
                self.retries += 1;
                return;
            }
            DnsOutcome::Unanswered => self.unanswered += 1,
            DnsOutcome::Answered | DnsOutcome::NoQuery => {
                let rcode = exchange.rcode.and_then(|rcode| known(&CODES, rcode));
                let qtype = exchange.qtype.and_then(|qtype| known(&TYPES, qtype));
                let labels = (rcode.unwrap_or(OTHER), qtype.unwrap_or(OTHER));
                *self.responses.entry(labels).or_default() += 1;
            }
        }
        self.queries += u64::from(exchange.outcome != DnsOutcome::NoQuery);
        if let Some(duration) = exchange.response_time {
            self.lookups.record(&DNS_BOUNDS, duration);
        }
    }
}
