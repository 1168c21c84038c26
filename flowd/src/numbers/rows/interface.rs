use flow_common::{
    counter::{Counter, Family, Passage, Tally},
    key::Direction,
};

use flowd_numbers::Rows;

use super::{Moment, direction_name};
use crate::{
    aggregate::{CapacityNumbers, Counted, InterfaceNumbers, Presence, WINDOWS, passage},
    flow::EndReason,
};

/// Every interface's totals in each direction in which it is watched.
pub(super) fn passages(moment: &Moment, mut each: impl FnMut(&InterfaceNumbers, Direction, &Passage)) {
    for interface in &moment.numbers.interfaces {
        for direction in interface.watched.directions() {
            each(interface, *direction, passage(&interface.totals, *direction));
        }
    }
}

fn by_family(moment: &Moment, rows: &mut dyn Rows, value: fn(&Tally) -> u64) {
    passages(moment, |interface, direction, passage| {
        for (family, tally) in Family::ALL.iter().zip(&passage.seen) {
            rows.counter(&[&interface.watched.name, direction_name(direction), family.name()], value(tally));
        }
    });
}

pub(in crate::numbers) fn interface_bytes(moment: &Moment, rows: &mut dyn Rows) {
    by_family(moment, rows, |tally| tally.bytes);
}

pub(in crate::numbers) fn interface_packets(moment: &Moment, rows: &mut dyn Rows) {
    by_family(moment, rows, |tally| tally.packets);
}

fn by_reason(moment: &Moment, rows: &mut dyn Rows, value: fn(&Tally) -> u64) {
    passages(moment, |interface, direction, passage| {
        for (reason, tally) in Counter::ALL.iter().zip(&passage.skipped) {
            rows.counter(&[&interface.watched.name, direction_name(direction), reason.name()], value(tally));
        }
    });
}

pub(in crate::numbers) fn packets_unaccounted(moment: &Moment, rows: &mut dyn Rows) {
    by_reason(moment, rows, |tally| tally.packets);
}

pub(in crate::numbers) fn bytes_unaccounted(moment: &Moment, rows: &mut dyn Rows) {
    by_reason(moment, rows, |tally| tally.bytes);
}

fn kernel(moment: &Moment, rows: &mut dyn Rows, value: fn(&Counted) -> u64) {
    for interface in &moment.numbers.interfaces {
        for (direction, counted) in interface.watched.directions().iter().zip(&interface.kernel) {
            rows.counter(&[&interface.watched.name, direction_name(*direction)], value(counted));
        }
    }
}

pub(in crate::numbers) fn kernel_bytes(moment: &Moment, rows: &mut dyn Rows) {
    kernel(moment, rows, |counted| counted.bytes);
}

pub(in crate::numbers) fn kernel_packets(moment: &Moment, rows: &mut dyn Rows) {
    kernel(moment, rows, |counted| counted.packets);
}

pub(in crate::numbers) fn ratio(moment: &Moment, rows: &mut dyn Rows) {
    for interface in &moment.numbers.interfaces {
        for (direction, ratio) in interface.watched.directions().iter().zip(interface.ratios()) {
            // Nothing to compare is no ratio.
            if let Some(ratio) = ratio {
                rows.gauge(&[&interface.watched.name, direction_name(*direction)], ratio);
            }
        }
    }
}

pub(in crate::numbers) fn speed(moment: &Moment, rows: &mut dyn Rows) {
    for interface in &moment.numbers.interfaces {
        if let Some(speed) = interface.watched.speed {
            rows.gauge(&[&interface.watched.name], speed as f64);
        }
    }
}

fn unread(moment: &Moment, rows: &mut dyn Rows, value: fn(&Counted) -> u64) {
    passages(moment, |interface, direction, _| {
        let unread = value(&interface.unread(direction));
        rows.gauge(&[&interface.watched.name, direction_name(direction)], unread as f64);
    });
}

pub(in crate::numbers) fn unread_packets(moment: &Moment, rows: &mut dyn Rows) {
    unread(moment, rows, |counted| counted.packets);
}

pub(in crate::numbers) fn unread_bytes(moment: &Moment, rows: &mut dyn Rows) {
    unread(moment, rows, |counted| counted.bytes);
}

pub(in crate::numbers) fn accounting_defects(moment: &Moment, rows: &mut dyn Rows) {
    for interface in &moment.numbers.interfaces {
        for (direction, defects) in interface.watched.directions().iter().zip(interface.defects) {
            rows.counter(&[&interface.watched.name, direction_name(*direction)], defects);
        }
    }
}

/// Every direction whose bytes are kept by the millisecond: interface, direction, what is known of it.
fn capacities(moment: &Moment, mut each: impl FnMut(&str, &str, &CapacityNumbers)) {
    for interface in &moment.numbers.interfaces {
        for (direction, numbers) in
            interface.watched.directions().iter().zip(interface.capacity.iter().flatten())
        {
            each(&interface.watched.name, direction_name(*direction), numbers);
        }
    }
}

pub(in crate::numbers) fn peaks(moment: &Moment, rows: &mut dyn Rows) {
    capacities(moment, |iface, direction, numbers| {
        for ((window, _), peak) in WINDOWS.iter().zip(numbers.peaks) {
            rows.gauge(&[iface, direction, window], peak as f64);
        }
    });
}

pub(in crate::numbers) fn bursts(moment: &Moment, rows: &mut dyn Rows) {
    capacities(moment, |iface, direction, numbers| {
        for ((window, _), bursts) in WINDOWS.iter().zip(numbers.bursts.iter().flatten()) {
            rows.counter(&[iface, direction, window], *bursts);
        }
    });
}

pub(in crate::numbers) fn samples(moment: &Moment, rows: &mut dyn Rows) {
    capacities(moment, |iface, direction, numbers| {
        if let Some(sample) = numbers.sample {
            rows.gauge(&[iface, direction], sample);
        }
    });
}

pub(in crate::numbers) fn windows_missed(moment: &Moment, rows: &mut dyn Rows) {
    capacities(moment, |iface, direction, numbers| rows.counter(&[iface, direction], numbers.missed));
}

pub(in crate::numbers) fn interface_watched(moment: &Moment, rows: &mut dyn Rows) {
    for interface in &moment.numbers.interfaces {
        let watched = interface.presence == Presence::Watched;
        rows.gauge(&[&interface.watched.name], f64::from(u8::from(watched)));
    }
}

pub(in crate::numbers) fn interface_info(moment: &Moment, rows: &mut dyn Rows) {
    for interface in &moment.numbers.interfaces {
        let it = &interface.watched;
        rows.gauge(&[&it.name, &it.ifindex.to_string(), &it.mac, &it.mtu.to_string()], 1.0);
    }
}

pub(in crate::numbers) fn flows_ended(moment: &Moment, rows: &mut dyn Rows) {
    for interface in &moment.numbers.interfaces {
        for (reason, count) in EndReason::ALL.iter().zip(interface.ended) {
            rows.counter(&[&interface.watched.name, reason.name()], count);
        }
    }
}

pub(in crate::numbers) fn flows_active(moment: &Moment, rows: &mut dyn Rows) {
    for interface in &moment.numbers.interfaces {
        rows.gauge(&[&interface.watched.name], interface.active as f64);
    }
}
