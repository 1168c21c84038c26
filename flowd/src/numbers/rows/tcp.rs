use flow_common::record::Rtt;

use flowd_numbers::{Rows, each};

use super::{Moment, direction_name, name};
use crate::aggregate::{ConnectionNumbers, Nets, QualityNumbers};

/// Names of both zones, `other` where there are none.
fn nets<'a>(moment: &'a Moment, nets: Option<Nets>, other: &'a str) -> [&'a str; 2] {
    let name = |zone| -> &'a str { moment.numbers.policy.zones.name(zone) };
    nets.map_or([other; 2], |nets| [name(nets.source), name(nets.destination)])
}

fn quality(moment: &Moment, rows: &mut dyn Rows, value: fn(&QualityNumbers) -> u64) {
    each(&moment.numbers.quality, |labels, other, numbers| {
        let [source, destination] = nets(moment, labels.nets, other);
        let direction = direction_name(labels.point.direction);
        rows.counter(&[name(moment, labels.point.slot), direction, source, destination], value(numbers));
    });
}

pub(in crate::numbers) fn out_of_order(moment: &Moment, rows: &mut dyn Rows) {
    quality(moment, rows, |numbers| numbers.out_of_order);
}

pub(in crate::numbers) fn duplicate_acks(moment: &Moment, rows: &mut dyn Rows) {
    quality(moment, rows, |numbers| numbers.duplicate_acks);
}

pub(in crate::numbers) fn zero_windows(moment: &Moment, rows: &mut dyn Rows) {
    quality(moment, rows, |numbers| numbers.zero_windows);
}

pub(in crate::numbers) fn resets(moment: &Moment, rows: &mut dyn Rows) {
    quality(moment, rows, |numbers| numbers.resets);
}

fn services(moment: &Moment, mut show: impl FnMut([&str; 3], &ConnectionNumbers)) {
    each(&moment.numbers.connections, |service, other, numbers| {
        let [source, destination] = nets(moment, service.map(|service| service.nets), other);
        let port = service.and_then(|service| service.server_port).map(|port| port.to_string());
        show([source, destination, port.as_deref().unwrap_or(other)], numbers);
    });
}

pub(in crate::numbers) fn connections(moment: &Moment, rows: &mut dyn Rows) {
    services(moment, |labels, numbers| rows.counter(&labels, numbers.attempts));
}

pub(in crate::numbers) fn connections_failed(moment: &Moment, rows: &mut dyn Rows) {
    services(moment, |[source, destination, port], numbers| {
        for (reason, count) in
            [("refused", numbers.refused), ("unanswered", numbers.unanswered), ("reset", numbers.reset)]
        {
            rows.counter(&[source, destination, port, reason], count);
        }
    });
}

pub(in crate::numbers) fn rtt(moment: &Moment, rows: &mut dyn Rows) {
    each(&moment.numbers.rtt, |labels, other, samples| {
        let [source, destination] = nets(moment, labels.nets, other);
        let iface = name(moment, labels.slot);
        let values = [iface, source, destination, labels.kind.name(), labels.side.name()];
        rows.histogram(&values, samples.sum(), &Rtt::BOUNDS, &samples.buckets);
    });
}
