use std::{
    hash::Hash,
    sync::atomic::{AtomicU64, Ordering},
};

use flow_common::{counter::Counter, names};

use super::{Rows, Scrape, interface::passages};
use crate::{
    aggregate::{Sum, Table},
    clock,
    telemetry::{DRAIN_BOUNDS, SinkCounters},
};

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

pub(in crate::export) fn events_skipped(scrape: &Scrape, rows: &mut Rows<'_>) {
    let mut skipped = 0;
    passages(scrape, |_, _, passage| skipped += passage.events_skipped);
    rows.counter(&["governor"], skipped);
}

pub(in crate::export) fn governor_level(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.gauge(&[], scrape.telemetry.governor.level() as f64);
}

pub(in crate::export) fn governor_changes(scrape: &Scrape, rows: &mut Rows<'_>) {
    for (direction, count) in scrape.telemetry.governor.changes() {
        rows.counter(&[direction], count);
    }
}

pub(in crate::export) fn processor(_: &Scrape, rows: &mut Rows<'_>) {
    // A kernel without this clock has no row rather than a zero.
    if let Ok(spent) = clock::processor() {
        rows.seconds(&[], spent as f64 / 1e9);
    }
}

pub(in crate::export) fn drain_durations(scrape: &Scrape, rows: &mut Rows<'_>) {
    let drains = scrape.telemetry.drains();
    rows.histogram(&[], drains.seconds, &DRAIN_BOUNDS, &drains.buckets);
}

pub(in crate::export) fn last_drain(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.gauge(&[], scrape.numbers.read_at as f64 / 1e9);
}

pub(in crate::export) fn series_limit(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows.gauge(&[], f64::from(scrape.numbers.policy.series.limit));
}

pub(in crate::export) fn label_overflows(scrape: &Scrape, rows: &mut Rows<'_>) {
    let (numbers, http) = (&scrape.numbers, &scrape.http);
    rows.counter(&["flow"], numbers.flows.overflows());
    rows.counter(&["tcp_quality"], numbers.quality.overflows());
    rows.counter(&["tcp_rtt"], numbers.rtt.overflows());
    rows.counter(&["tcp_connections"], numbers.connections.overflows());
    rows.counter(&["http_requests"], http.requests.overflows());
    rows.counter(&["http_durations"], http.durations.overflows());
}

pub(in crate::export) fn other_share(scrape: &Scrape, rows: &mut Rows<'_>) {
    let (numbers, http) = (&scrape.numbers, &scrape.http);
    rows.gauge(&["flow"], share(&numbers.flows, |key| key.group.is_none()));
    rows.gauge(&["tcp_quality"], share(&numbers.quality, |key| key.nets.is_none()));
    rows.gauge(&["tcp_rtt"], share(&numbers.rtt, |key| key.nets.is_none()));
    rows.gauge(&["tcp_connections"], share(&numbers.connections, Option::is_none));
    rows.gauge(&["http_requests"], share(&http.requests, Option::is_none));
    rows.gauge(&["http_durations"], share(&http.durations, Option::is_none));
}

/// How much of all that was ever counted lies in catch-alls and retired sums; 0 where there is nothing.
fn share<K: Copy + Eq + Hash, V: Sum>(table: &Table<K, V>, is_other: fn(&K) -> bool) -> f64 {
    let (mut other, mut all) = (0, 0);
    for (key, value) in table.rows() {
        other += if is_other(key) { value.weight() } else { 0 };
        all += value.weight();
    }
    let retired: u64 = table.retired().map(|(_, _, value)| value.weight()).sum();
    let (other, all) = (other + retired, all + retired);
    if all == 0 { 0.0 } else { other as f64 / all as f64 }
}

pub(in crate::export) fn program_run_seconds(scrape: &Scrape, rows: &mut Rows<'_>) {
    for (program, time) in scrape.telemetry.run_times() {
        rows.seconds(&[&program], time.as_secs_f64());
    }
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
