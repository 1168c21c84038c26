use super::{Rows, Scrape};

pub(in crate::export) fn tls_handshakes(scrape: &Scrape, rows: &mut Rows<'_>) {
    for (version, count) in scrape.tls.rows() {
        rows.counter(&[version], count);
    }
}

pub(in crate::export) fn tls_dropped(scrape: &Scrape, rows: &mut Rows<'_>) {
    let losses = scrape.tls.losses;
    rows.counter(&["malformed"], losses.malformed);
    rows.counter(&["evicted"], losses.evicted);
}
