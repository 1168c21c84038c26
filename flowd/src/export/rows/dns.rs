use super::{Rows, Scrape};
use crate::aggregate::DNS_BOUNDS;

pub(in crate::export) fn dns_queries(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.counter(&[], scrape.dns.queries);
}

pub(in crate::export) fn dns_retries(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.counter(&[], scrape.dns.retries);
}

pub(in crate::export) fn dns_unanswered(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.counter(&[], scrape.dns.unanswered);
}

pub(in crate::export) fn dns_responses(scrape: &Scrape, rows: &mut Rows<'_>) {
    for ((rcode, qtype), count) in &scrape.dns.responses {
        rows.counter(&[rcode, qtype], *count);
    }
}

pub(in crate::export) fn dns_lookups(scrape: &Scrape, rows: &mut Rows<'_>) {
    let lookups = &scrape.dns.lookups;
    rows.histogram(&[], lookups.sum(), &DNS_BOUNDS, &lookups.buckets);
}

pub(in crate::export) fn dns_dropped(scrape: &Scrape, rows: &mut Rows<'_>) {
    let losses = scrape.dns.losses;
    rows.counter(&["malformed"], losses.malformed);
    rows.counter(&["evicted"], losses.evicted);
}
