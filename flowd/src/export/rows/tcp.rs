use flow_common::record::Rtt;

use super::{Rows, Scrape, direction_name, each, name};
use crate::aggregate::{ConnectionNumbers, Nets, QualityNumbers};

/// Names of both zones, `other` where there are none.
fn nets<'a>(scrape: &'a Scrape, nets: Option<Nets>, other: &'a str) -> [&'a str; 2] {
    let name = |zone| -> &'a str { scrape.numbers.policy.zones.name(zone) };
    nets.map_or([other; 2], |nets| [name(nets.source), name(nets.destination)])
}

fn quality(scrape: &Scrape, rows: &mut Rows<'_>, value: fn(&QualityNumbers) -> u64) {
    each(&scrape.numbers.quality, |labels, other, numbers| {
        let [source, destination] = nets(scrape, labels.nets, other);
        let direction = direction_name(labels.point.direction);
        rows.counter(&[name(scrape, labels.point.slot), direction, source, destination], value(numbers));
    });
}

pub(in crate::export) fn out_of_order(scrape: &Scrape, rows: &mut Rows<'_>) {
    quality(scrape, rows, |numbers| numbers.out_of_order);
}

pub(in crate::export) fn duplicate_acks(scrape: &Scrape, rows: &mut Rows<'_>) {
    quality(scrape, rows, |numbers| numbers.duplicate_acks);
}

pub(in crate::export) fn zero_windows(scrape: &Scrape, rows: &mut Rows<'_>) {
    quality(scrape, rows, |numbers| numbers.zero_windows);
}

pub(in crate::export) fn resets(scrape: &Scrape, rows: &mut Rows<'_>) {
    quality(scrape, rows, |numbers| numbers.resets);
}

fn services(scrape: &Scrape, mut show: impl FnMut([&str; 3], &ConnectionNumbers)) {
    each(&scrape.numbers.connections, |service, other, numbers| {
        let [source, destination] = nets(scrape, service.map(|service| service.nets), other);
        let port = service.and_then(|service| service.server_port).map(|port| port.to_string());
        show([source, destination, port.as_deref().unwrap_or(other)], numbers);
    });
}

pub(in crate::export) fn connections(scrape: &Scrape, rows: &mut Rows<'_>) {
    services(scrape, |labels, numbers| rows.counter(&labels, numbers.attempts));
}

pub(in crate::export) fn connections_failed(scrape: &Scrape, rows: &mut Rows<'_>) {
    services(scrape, |[source, destination, port], numbers| {
        for (reason, count) in
            [("refused", numbers.refused), ("unanswered", numbers.unanswered), ("reset", numbers.reset)]
        {
            rows.counter(&[source, destination, port, reason], count);
        }
    });
}

pub(in crate::export) fn rtt(scrape: &Scrape, rows: &mut Rows<'_>) {
    each(&scrape.numbers.rtt, |labels, other, samples| {
        let [source, destination] = nets(scrape, labels.nets, other);
        let iface = name(scrape, labels.slot);
        let values = [iface, source, destination, labels.kind.name(), labels.side.name()];
        rows.histogram(&values, samples.sum(), &Rtt::BOUNDS, &samples.buckets);
    });
}
