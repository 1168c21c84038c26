use flow_common::record::Rtt;

use super::{OTHER, Rows, Scrape, direction_name, name};
use crate::aggregate::{ConnectionNumbers, QualityNumbers};

fn quality(scrape: &Scrape, rows: &mut Rows<'_>, value: fn(&QualityNumbers) -> u64) {
    for (labels, numbers) in scrape.numbers.quality.rows() {
        let nets = labels.nets;
        let direction = direction_name(labels.point.direction);
        let iface = name(scrape, labels.point.slot);
        rows.counter(&[iface, direction, nets.source.name(), nets.destination.name()], value(numbers));
    }
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

fn services(scrape: &Scrape, mut each: impl FnMut([&str; 3], &ConnectionNumbers)) {
    for (service, numbers) in scrape.numbers.connections.rows() {
        match service {
            Some(service) => {
                let port = service.server_port.to_string();
                each([service.nets.source.name(), service.nets.destination.name(), &port], numbers);
            }
            None => each([OTHER; 3], numbers),
        }
    }
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
    for (labels, samples) in scrape.numbers.rtt.rows() {
        let nets = labels.nets;
        let iface = name(scrape, labels.slot);
        let values =
            [iface, nets.source.name(), nets.destination.name(), labels.kind.name(), labels.side.name()];
        rows.histogram(&values, samples.sum, &Rtt::BOUNDS, &samples.buckets);
    }
}
