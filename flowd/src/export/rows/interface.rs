use flow_common::{
    counter::{Counter, Family, Passage, Tally},
    key::Direction,
};

use super::{Rows, Scrape, direction_name};
use crate::{
    aggregate::{CapacityNumbers, Counted, InterfaceNumbers, Presence, WINDOWS, passage},
    flow::EndReason,
};

/// Every interface's totals in each direction in which it is watched.
pub(super) fn passages(scrape: &Scrape, mut each: impl FnMut(&InterfaceNumbers, Direction, &Passage)) {
    for interface in &scrape.numbers.interfaces {
        for direction in interface.watched.directions() {
            each(interface, *direction, passage(&interface.totals, *direction));
        }
    }
}

fn by_family(scrape: &Scrape, rows: &mut Rows<'_>, value: fn(&Tally) -> u64) {
    passages(scrape, |interface, direction, passage| {
        for (family, tally) in Family::ALL.iter().zip(&passage.seen) {
            rows.counter(&[&interface.watched.name, direction_name(direction), family.name()], value(tally));
        }
    });
}

pub(in crate::export) fn interface_bytes(scrape: &Scrape, rows: &mut Rows<'_>) {
    by_family(scrape, rows, |tally| tally.bytes);
}

pub(in crate::export) fn interface_packets(scrape: &Scrape, rows: &mut Rows<'_>) {
    by_family(scrape, rows, |tally| tally.packets);
}

fn by_reason(scrape: &Scrape, rows: &mut Rows<'_>, value: fn(&Tally) -> u64) {
    passages(scrape, |interface, direction, passage| {
        for (reason, tally) in Counter::ALL.iter().zip(&passage.skipped) {
            rows.counter(&[&interface.watched.name, direction_name(direction), reason.name()], value(tally));
        }
    });
}

pub(in crate::export) fn packets_unaccounted(scrape: &Scrape, rows: &mut Rows<'_>) {
    by_reason(scrape, rows, |tally| tally.packets);
}

pub(in crate::export) fn bytes_unaccounted(scrape: &Scrape, rows: &mut Rows<'_>) {
    by_reason(scrape, rows, |tally| tally.bytes);
}

fn kernel(scrape: &Scrape, rows: &mut Rows<'_>, value: fn(&Counted) -> u64) {
    for interface in &scrape.numbers.interfaces {
        for (direction, counted) in interface.watched.directions().iter().zip(&interface.kernel) {
            rows.counter(&[&interface.watched.name, direction_name(*direction)], value(counted));
        }
    }
}

pub(in crate::export) fn kernel_bytes(scrape: &Scrape, rows: &mut Rows<'_>) {
    kernel(scrape, rows, |counted| counted.bytes);
}

pub(in crate::export) fn kernel_packets(scrape: &Scrape, rows: &mut Rows<'_>) {
    kernel(scrape, rows, |counted| counted.packets);
}

pub(in crate::export) fn ratio(scrape: &Scrape, rows: &mut Rows<'_>) {
    for interface in &scrape.numbers.interfaces {
        for (direction, ratio) in interface.watched.directions().iter().zip(interface.ratios()) {
            // Nothing to compare is no ratio.
            if let Some(ratio) = ratio {
                rows.gauge(&[&interface.watched.name, direction_name(*direction)], ratio);
            }
        }
    }
}

pub(in crate::export) fn speed(scrape: &Scrape, rows: &mut Rows<'_>) {
    for interface in &scrape.numbers.interfaces {
        if let Some(speed) = interface.watched.speed {
            rows.gauge(&[&interface.watched.name], speed as f64);
        }
    }
}

fn unread(scrape: &Scrape, rows: &mut Rows<'_>, value: fn(&Counted) -> u64) {
    passages(scrape, |interface, direction, _| {
        let unread = value(&interface.unread(direction));
        rows.gauge(&[&interface.watched.name, direction_name(direction)], unread as f64);
    });
}

pub(in crate::export) fn unread_packets(scrape: &Scrape, rows: &mut Rows<'_>) {
    unread(scrape, rows, |counted| counted.packets);
}

pub(in crate::export) fn unread_bytes(scrape: &Scrape, rows: &mut Rows<'_>) {
    unread(scrape, rows, |counted| counted.bytes);
}

pub(in crate::export) fn accounting_defects(scrape: &Scrape, rows: &mut Rows<'_>) {
    for interface in &scrape.numbers.interfaces {
        for (direction, defects) in interface.watched.directions().iter().zip(interface.defects) {
            rows.counter(&[&interface.watched.name, direction_name(*direction)], defects);
        }
    }
}

/// Every direction whose bytes are kept by the millisecond: interface, direction, what is known of it.
fn capacities(scrape: &Scrape, mut each: impl FnMut(&str, &str, &CapacityNumbers)) {
    for interface in &scrape.numbers.interfaces {
        for (direction, numbers) in
            interface.watched.directions().iter().zip(interface.capacity.iter().flatten())
        {
            each(&interface.watched.name, direction_name(*direction), numbers);
        }
    }
}

pub(in crate::export) fn peaks(scrape: &Scrape, rows: &mut Rows<'_>) {
    capacities(scrape, |iface, direction, numbers| {
        for ((window, _), peak) in WINDOWS.iter().zip(numbers.peaks) {
            rows.gauge(&[iface, direction, window], peak as f64);
        }
    });
}

pub(in crate::export) fn bursts(scrape: &Scrape, rows: &mut Rows<'_>) {
    capacities(scrape, |iface, direction, numbers| {
        for ((window, _), bursts) in WINDOWS.iter().zip(numbers.bursts.iter().flatten()) {
            rows.counter(&[iface, direction, window], *bursts);
        }
    });
}

pub(in crate::export) fn samples(scrape: &Scrape, rows: &mut Rows<'_>) {
    capacities(scrape, |iface, direction, numbers| {
        if let Some(sample) = numbers.sample {
            rows.gauge(&[iface, direction], sample);
        }
    });
}

pub(in crate::export) fn windows_missed(scrape: &Scrape, rows: &mut Rows<'_>) {
    capacities(scrape, |iface, direction, numbers| rows.counter(&[iface, direction], numbers.missed));
}

pub(in crate::export) fn interface_watched(scrape: &Scrape, rows: &mut Rows<'_>) {
    for interface in &scrape.numbers.interfaces {
        let watched = interface.presence == Presence::Watched;
        rows.gauge(&[&interface.watched.name], f64::from(u8::from(watched)));
    }
}

pub(in crate::export) fn interface_info(scrape: &Scrape, rows: &mut Rows<'_>) {
    for interface in &scrape.numbers.interfaces {
        let it = &interface.watched;
        rows.gauge(&[&it.name, &it.ifindex.to_string(), &it.mac, &it.mtu.to_string()], 1.0);
    }
}

pub(in crate::export) fn flows_ended(scrape: &Scrape, rows: &mut Rows<'_>) {
    for interface in &scrape.numbers.interfaces {
        for (reason, count) in EndReason::ALL.iter().zip(interface.ended) {
            rows.counter(&[&interface.watched.name, reason.name()], count);
        }
    }
}

pub(in crate::export) fn flows_active(scrape: &Scrape, rows: &mut Rows<'_>) {
    for interface in &scrape.numbers.interfaces {
        rows.gauge(&[&interface.watched.name], interface.active as f64);
    }
}
