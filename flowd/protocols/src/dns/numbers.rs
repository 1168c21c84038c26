//! Rates, codes and durations of DNS lookups. All label values are from closed sets, so that there is nothing to
//! limit.

use std::{collections::BTreeMap, sync::Arc};

use flowd_numbers::{Class, Exposition, Family, Histogram, counter, histogram, show};

use super::{
    DnsExchange, DnsOutcome,
    iana::{CODES, TYPES, known},
};
use crate::{
    protocol::{ProtocolNumbers, Shown},
    record::AppRecord,
};

/// Upper bounds of the duration buckets in nanoseconds: from a cache next door to a resolver that asks around.
const BOUNDS: [u64; 12] = [
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
type DnsLabels = (&'static str, &'static str);

/// The label value of what has no name, or was not asked for.
const OTHER: &str = "other";

/// What DNS adds to `/metrics`.
#[rustfmt::skip]
pub static FAMILIES: &[Family<DnsNumbers>] = &[
    counter("flowd_dns_queries", &[], Class::Fixed, "DNS questions asked; one that is sent again counts once.",
        |dns, rows| rows.counter(&[], dns.queries)),
    counter("flowd_dns_retries", &[], Class::Fixed, "DNS queries that were sent again while they waited.",
        |dns, rows| rows.counter(&[], dns.retries)),
    counter("flowd_dns_unanswered", &[], Class::Fixed, "DNS questions without a response within the timeout.",
        |dns, rows| rows.counter(&[], dns.unanswered)),
    counter("flowd_dns_responses", &["rcode", "qtype"], Class::Fixed, "DNS responses by code and by the type asked for.",
        |dns, rows| dns.responses.iter().for_each(|((rcode, qtype), count)| rows.counter(&[rcode, qtype], *count))),
    histogram("flowd_dns_lookup_duration_seconds", &[], Class::Fixed, "Time from the first sending of a DNS query to its response.",
        |dns, rows| rows.histogram(&[], dns.lookups.sum(), &BOUNDS, &dns.lookups.buckets)),
    counter("flowd_dns_dropped", &["reason"], Class::Fixed, "DNS messages that could not be read, lookups given up as the table was full, and further answers to a query that was sent again.",
        |dns, rows| dns.losses.iter().for_each(|(reason, count)| rows.counter(&[reason], *count))),
];

/// What was counted of DNS.
#[derive(Clone, Debug, Default)]
pub struct DnsNumbers {
    /// Questions asked; one that is repeated counts once.
    queries: u64,
    /// Queries that were sent again.
    retries: u64,
    unanswered: u64,
    /// Responses without a query among them.
    responses: BTreeMap<DnsLabels, u64>,
    lookups: Histogram<{ BOUNDS.len() + 1 }>,
    losses: Vec<(&'static str, u64)>,
}

impl DnsNumbers {
    /// Counts one line.
    fn count(&mut self, exchange: &DnsExchange) {
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
            self.lookups.record(&BOUNDS, duration);
        }
    }
}

impl ProtocolNumbers for DnsNumbers {
    fn record(&mut self, record: &dyn AppRecord) {
        if let Some(exchange) = record.get() {
            self.count(exchange);
        }
    }

    fn set_losses(&mut self, losses: &[(&'static str, u64)]) {
        self.losses = losses.to_vec();
    }

    fn published(&self) -> Arc<dyn Shown> {
        Arc::new(self.clone())
    }
}

impl Shown for DnsNumbers {
    fn show(&self, to: &mut dyn Exposition) {
        show(FAMILIES, self, |meta| meta.labels.to_vec(), to);
    }
}
