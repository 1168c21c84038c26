use std::sync::atomic::{AtomicU64, Ordering};

use flow_common::{counter::Counter, names};

use super::{Rows, Scrape, interface::passages};
use crate::telemetry::{DRAIN_BOUNDS, SinkCounters};

pub(in crate::export) fn build_info(_: &Scrape, rows: &mut Rows<'_>) {
    rows.gauge(&[env!("CARGO_PKG_VERSION")], 1.0);
}

pub(in crate::export) fn map_entries(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.gauge(&[names::MAP_FLOWS], scrape.telemetry.drains().entries as f64);
}

pub(in crate::export) fn map_capacity(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.gauge(&[names::MAP_FLOWS], scrape.telemetry.drains().capacity as f64);
}

/// Packets skipped for `reason` on all interfaces.
fn skipped(scrape: &Scrape, reason: Counter) -> u64 {
    let mut sum = 0;
    passages(scrape, |_, _, passage| {
        sum += passage.skipped.get(reason as usize).map_or(0, |tally| tally.packets);
    });
    sum
}

pub(in crate::export) fn flows_lost(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.counter(&[Counter::TableFull.name()], skipped(scrape, Counter::TableFull));
}

pub(in crate::export) fn packets_skipped(scrape: &Scrape, rows: &mut Rows<'_>) {
    for reason in Counter::ALL {
        rows.counter(&[reason.name()], skipped(scrape, reason));
    }
}

pub(in crate::export) fn events_lost(scrape: &Scrape, rows: &mut Rows<'_>) {
    let mut lost = 0;
    passages(scrape, |_, _, passage| lost += passage.events_lost);
    rows.counter(&[], lost);
}

pub(in crate::export) fn drain_durations(scrape: &Scrape, rows: &mut Rows<'_>) {
    let drains = scrape.telemetry.drains();
    rows.histogram(&[], drains.seconds, &DRAIN_BOUNDS, &drains.buckets);
}

pub(in crate::export) fn last_drain(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.gauge(&[], scrape.telemetry.drains().last as f64 / 1e9);
}

pub(in crate::export) fn series_limit(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.gauge(&[], scrape.telemetry.series_limit as f64);
}

pub(in crate::export) fn label_overflows(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.counter(&["flow"], scrape.numbers.flows.overflows());
    rows.counter(&["tcp_connections"], scrape.numbers.connections.overflows());
    rows.counter(&["http_requests"], scrape.http.requests.overflows());
}

pub(in crate::export) fn other_share(scrape: &Scrape, rows: &mut Rows<'_>) {
    let flows = scrape.numbers.flows.rows().map(|(key, row)| (key.group.is_none(), row.ip_bytes));
    rows.gauge(&["flow"], share(flows));
    let connections = scrape.numbers.connections.rows().map(|(key, row)| (key.is_none(), row.attempts));
    rows.gauge(&["tcp_connections"], share(connections));
    let requests = scrape.http.requests.rows().map(|(key, row)| (key.is_none(), *row));
    rows.gauge(&["http_requests"], share(requests));
}

/// How much of the sum lies in the rows marked true; 0 where there is nothing.
fn share(rows: impl Iterator<Item = (bool, u64)>) -> f64 {
    let (mut other, mut all) = (0, 0);
    for (is_other, amount) in rows {
        other += if is_other { amount } else { 0 };
        all += amount;
    }
    if all == 0 { 0.0 } else { other as f64 / all as f64 }
}

fn sinks(scrape: &Scrape, rows: &mut Rows<'_>, value: fn(&SinkCounters) -> &AtomicU64) {
    for sink in &scrape.telemetry.sinks {
        rows.counter(&[sink.name], value(sink).load(Ordering::Relaxed));
    }
}

pub(in crate::export) fn export_records(scrape: &Scrape, rows: &mut Rows<'_>) {
    sinks(scrape, rows, |sink| &sink.records);
}

pub(in crate::export) fn export_errors(scrape: &Scrape, rows: &mut Rows<'_>) {
    sinks(scrape, rows, |sink| &sink.errors);
}

pub(in crate::export) fn export_dropped(scrape: &Scrape, rows: &mut Rows<'_>) {
    sinks(scrape, rows, |sink| &sink.dropped);
}

pub(in crate::export) fn series(_: &Scrape, rows: &mut Rows<'_>) {
    // This one counts too.
    rows.gauge(&[], (rows.series() + 1) as f64);
}
