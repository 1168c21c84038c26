use super::{OTHER, Rows, Scrape};
use crate::aggregate::{HTTP_BOUNDS, HttpLabels};

/// Label values of HTTP families; the status as `word` writes it.
fn values(labels: Option<&HttpLabels>, word: impl Fn(u16) -> String) -> [String; 3] {
    labels.map_or_else(
        || [OTHER; 3].map(str::to_owned),
        |labels| {
            let status = if labels.status == 0 { "none".to_owned() } else { word(labels.status) };
            [labels.method.name().to_owned(), status, labels.server.name().to_owned()]
        },
    )
}

pub(in crate::export) fn http_requests(scrape: &Scrape, rows: &mut Rows<'_>) {
    for (labels, count) in scrape.http.requests.rows() {
        let values = values(labels.as_ref(), |status| status.to_string());
        rows.counter(&values.each_ref().map(String::as_str), *count);
    }
}

pub(in crate::export) fn http_durations(scrape: &Scrape, rows: &mut Rows<'_>) {
    for (labels, durations) in scrape.http.durations.rows() {
        let values = values(labels.as_ref(), |class| format!("{class}xx"));
        let values = values.each_ref().map(String::as_str);
        rows.histogram(&values, durations.sum, &HTTP_BOUNDS, &durations.buckets);
    }
}
