use super::{OTHER, Rows, Scrape, each};
use crate::aggregate::{HTTP_BOUNDS, HttpLabels};

/// Hands `show` the label values of an HTTP series; the status as `word` writes it.
fn values(
    scrape: &Scrape,
    labels: Option<&HttpLabels>,
    other: &str,
    word: impl Fn(u16) -> String,
    show: impl FnOnce(&[&str]),
) {
    let policy = &scrape.http.policy;
    let status;
    let values = match labels {
        Some(labels) => {
            status = if labels.status == 0 { "none".to_owned() } else { word(labels.status) };
            let host = policy.host_name(labels.host).unwrap_or(OTHER);
            [labels.method.name(), &status, policy.zones.name(labels.server), host]
        }
        None => [other; 4],
    };
    let count = if policy.series.hosts.is_empty() { 3 } else { 4 };
    show(values.get(..count).unwrap_or(&values));
}

pub(in crate::export) fn http_requests(scrape: &Scrape, rows: &mut Rows<'_>) {
    each(&scrape.http.requests, |labels, other, count| {
        let word = |status: u16| status.to_string();
        values(scrape, labels.as_ref(), other, word, |values| rows.counter(values, *count));
    });
}

pub(in crate::export) fn http_durations(scrape: &Scrape, rows: &mut Rows<'_>) {
    each(&scrape.http.durations, |labels, other, durations| {
        let word = |class: u16| format!("{class}xx");
        values(scrape, labels.as_ref(), other, word, |values| {
            rows.histogram(values, durations.sum(), &HTTP_BOUNDS, &durations.buckets);
        });
    });
}

pub(in crate::export) fn http_unmatched(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.counter(&[], scrape.http.unmatched);
}

pub(in crate::export) fn http_dropped(scrape: &Scrape, rows: &mut Rows<'_>) {
    let losses = scrape.http.losses;
    rows.counter(&["evicted"], losses.evicted);
    rows.counter(&["pipeline_full"], losses.pipeline_full);
    rows.counter(&["lost_copy"], losses.lost_copy);
}
