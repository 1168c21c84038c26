use flow_common::{counter::Counter, names};

use flowd_numbers::{Rows, other_share as share};

use super::{Moment, interface::passages};
use crate::{
    clock,
    telemetry::{DRAIN_BOUNDS, SinkCounters},
};

pub(in crate::numbers) fn build_info(_: &Moment, rows: &mut dyn Rows) {
    rows.gauge(&[env!("CARGO_PKG_VERSION")], 1.0);
}

pub(in crate::numbers) fn map_entries(moment: &Moment, rows: &mut dyn Rows) {
    rows.gauge(&[names::MAP_FLOWS], moment.telemetry.drains().entries as f64);
}

pub(in crate::numbers) fn map_capacity(moment: &Moment, rows: &mut dyn Rows) {
    rows.gauge(&[names::MAP_FLOWS], moment.telemetry.drains().capacity as f64);
}

/// Packets skipped for `reason` on all interfaces.
fn skipped(moment: &Moment, reason: Counter) -> u64 {
    let mut sum = 0;
    passages(moment, |_, _, passage| {
        sum += passage.skipped.get(reason as usize).map_or(0, |tally| tally.packets);
    });
    sum
}

pub(in crate::numbers) fn flows_lost(moment: &Moment, rows: &mut dyn Rows) {
    rows.counter(&[Counter::TableFull.name()], skipped(moment, Counter::TableFull));
}

pub(in crate::numbers) fn packets_skipped(moment: &Moment, rows: &mut dyn Rows) {
    for reason in Counter::ALL {
        rows.counter(&[reason.name()], skipped(moment, reason));
    }
}

pub(in crate::numbers) fn events_lost(moment: &Moment, rows: &mut dyn Rows) {
    let mut lost = 0;
    passages(moment, |_, _, passage| lost += passage.events_lost);
    rows.counter(&[], lost);
}

pub(in crate::numbers) fn events_skipped(moment: &Moment, rows: &mut dyn Rows) {
    let (mut skipped, mut thinned) = (0, 0);
    passages(moment, |_, _, passage| {
        skipped += passage.events_skipped;
        thinned += passage.events_thinned;
    });
    rows.counter(&["governor"], skipped);
    rows.counter(&["share"], thinned);
}

pub(in crate::numbers) fn time_reused(moment: &Moment, rows: &mut dyn Rows) {
    rows.counter(&[], moment.telemetry.reuse().packets);
}

pub(in crate::numbers) fn time_error(moment: &Moment, rows: &mut dyn Rows) {
    rows.gauge(&[], moment.telemetry.reuse().error as f64 / 1e9);
}

pub(in crate::numbers) fn governor_level(moment: &Moment, rows: &mut dyn Rows) {
    rows.gauge(&[], moment.telemetry.governor.level() as f64);
}

pub(in crate::numbers) fn governor_changes(moment: &Moment, rows: &mut dyn Rows) {
    for (direction, count) in moment.telemetry.governor.changes() {
        rows.counter(&[direction], count);
    }
}

pub(in crate::numbers) fn cpu_seconds(moment: &Moment, rows: &mut dyn Rows) {
    for (part, spent) in moment.telemetry.spent() {
        rows.seconds(&[part], spent as f64 / 1e9);
    }
}

pub(in crate::numbers) fn web_refused(moment: &Moment, rows: &mut dyn Rows) {
    for (reason, count) in moment.telemetry.refusals.all() {
        rows.counter(&[reason], count);
    }
}

pub(in crate::numbers) fn processor(_: &Moment, rows: &mut dyn Rows) {
    // A kernel without this clock has no row rather than a zero.
    if let Ok(spent) = clock::processor() {
        rows.seconds(&[], spent as f64 / 1e9);
    }
}

pub(in crate::numbers) fn drain_durations(moment: &Moment, rows: &mut dyn Rows) {
    let drains = moment.telemetry.drains();
    rows.histogram(&[], drains.seconds, &DRAIN_BOUNDS, &drains.buckets);
}

pub(in crate::numbers) fn last_drain(moment: &Moment, rows: &mut dyn Rows) {
    rows.gauge(&[], moment.numbers.read_at as f64 / 1e9);
}

pub(in crate::numbers) fn series_limit(moment: &Moment, rows: &mut dyn Rows) {
    rows.gauge(&[], f64::from(moment.numbers.policy.series.limit));
}

pub(in crate::numbers) fn label_overflows(moment: &Moment, rows: &mut dyn Rows) {
    let numbers = &moment.numbers;
    rows.counter(&["flow"], numbers.flows.overflows());
    rows.counter(&["tcp_quality"], numbers.quality.overflows());
    rows.counter(&["tcp_rtt"], numbers.rtt.overflows());
    rows.counter(&["tcp_connections"], numbers.connections.overflows());
    moment.overflows().for_each(|overflow| rows.counter(&[overflow.budget], overflow.overflows));
}

pub(in crate::numbers) fn other_share(moment: &Moment, rows: &mut dyn Rows) {
    let numbers = &moment.numbers;
    rows.gauge(&["flow"], share(&numbers.flows, |key| key.group.is_none()));
    rows.gauge(&["tcp_quality"], share(&numbers.quality, |key| key.nets.is_none()));
    rows.gauge(&["tcp_rtt"], share(&numbers.rtt, |key| key.nets.is_none()));
    rows.gauge(&["tcp_connections"], share(&numbers.connections, Option::is_none));
    moment.overflows().for_each(|overflow| rows.gauge(&[overflow.budget], overflow.other_share));
}

pub(in crate::numbers) fn program_run_seconds(moment: &Moment, rows: &mut dyn Rows) {
    for (program, time) in moment.telemetry.run_times() {
        rows.seconds(&[&program], time.as_secs_f64());
    }
}

fn sinks(moment: &Moment, rows: &mut dyn Rows, value: fn(&SinkCounters) -> u64) {
    for sink in moment.telemetry.sinks.all() {
        rows.counter(&[&sink.name], value(&sink));
    }
}

pub(in crate::numbers) fn sink_records(moment: &Moment, rows: &mut dyn Rows) {
    sinks(moment, rows, SinkCounters::records);
}

pub(in crate::numbers) fn sink_bytes(moment: &Moment, rows: &mut dyn Rows) {
    sinks(moment, rows, SinkCounters::bytes);
}

pub(in crate::numbers) fn sink_errors(moment: &Moment, rows: &mut dyn Rows) {
    for sink in moment.telemetry.sinks.all() {
        sink.errors_by_reason().for_each(|(reason, count)| rows.counter(&[&sink.name, reason], count));
    }
}

pub(in crate::numbers) fn sink_dropped(moment: &Moment, rows: &mut dyn Rows) {
    for sink in moment.telemetry.sinks.all() {
        sink.dropped_by_reason().for_each(|(reason, count)| rows.counter(&[&sink.name, reason], count));
    }
}

pub(in crate::numbers) fn sink_queue(moment: &Moment, rows: &mut dyn Rows) {
    for sink in moment.telemetry.sinks.all() {
        rows.gauge(&[&sink.name], sink.waiting() as f64);
    }
}

pub(in crate::numbers) fn sink_up(moment: &Moment, rows: &mut dyn Rows) {
    for sink in moment.telemetry.sinks.all() {
        if let Some(up) = sink.is_up() {
            rows.gauge(&[&sink.name], f64::from(u8::from(up)));
        }
    }
}

pub(in crate::numbers) fn export_errors(moment: &Moment, rows: &mut dyn Rows) {
    sinks(moment, rows, SinkCounters::errors);
}

pub(in crate::numbers) fn export_dropped(moment: &Moment, rows: &mut dyn Rows) {
    sinks(moment, rows, SinkCounters::dropped);
}

pub(in crate::numbers) fn series(_: &Moment, rows: &mut dyn Rows) {
    // This one counts too.
    rows.gauge(&[], (rows.series() + 1) as f64);
}
