use std::fmt::Write as _;

use flow_common::app::App;
use flowd_numbers::{Rows, each};

use super::{Moment, direction_name, name};
use crate::{
    aggregate::{Dscp, FlowLabels, FlowNumbers, Group, Policy},
    config::FlowLabel,
    flow::words,
};

const TCP: u8 = 6;

fn rows_of(moment: &Moment, rows: &mut dyn Rows, tcp_only: bool, value: fn(&FlowNumbers) -> u64) {
    let policy = &moment.numbers.policy;
    let labels = &policy.series.flow_labels;
    // One buffer for what has to be written out, as this runs for every series.
    let mut text = String::new();
    let tells_protocols = policy.uses(FlowLabel::Proto);
    each(&moment.numbers.flows, |FlowLabels { point, group }, other, numbers| {
        if tcp_only && tells_protocols && group.is_some_and(|group| group.protocol != TCP) {
            return;
        }
        text.clear();
        let mut ends = [0; FlowLabel::ALL.len()];
        for (label, end) in labels.iter().zip(&mut ends) {
            match (label, group) {
                (FlowLabel::Iface, _) => text.push_str(name(moment, point.slot)),
                (FlowLabel::Direction, _) => text.push_str(direction_name(point.direction)),
                (_, Some(group)) => write(policy, *label, group, other, &mut text),
                (_, None) => text.push_str(other),
            }
            *end = text.len();
        }
        let mut values = [""; FlowLabel::ALL.len()];
        let mut start = 0;
        for (value, end) in values.iter_mut().zip(ends).take(labels.len()) {
            *value = text.get(start..end).unwrap_or_default();
            start = end;
        }
        rows.counter(values.get(..labels.len()).unwrap_or(&values), value(numbers));
    });
}

fn write(policy: &Policy, label: FlowLabel, group: &Group, other: &str, into: &mut String) {
    // Writing to a string does not fail.
    fn number(number: u16, into: &mut String) {
        let _ = write!(into, "{number}");
    }
    let text = match label {
        // Written for the observation point.
        FlowLabel::Iface | FlowLabel::Direction => "",
        FlowLabel::Proto => match words::transport(group.protocol) {
            Some(name) => name,
            None => return number(u16::from(group.protocol), into),
        },
        FlowLabel::SrcNet => policy.zones.name(group.nets.source),
        FlowLabel::DstNet => policy.zones.name(group.nets.destination),
        FlowLabel::ServerPort => match group.server_port {
            Some(port) => return number(port, into),
            None => other,
        },
        FlowLabel::Service => {
            group.server_port.and_then(|port| policy.service(port)).map_or(other, |name| &**name)
        }
        FlowLabel::ZoneDirection => group.way.map_or(other, |way| way.name()),
        FlowLabel::Vlan if group.vlan == 0 => "none",
        FlowLabel::Vlan => return number(group.vlan, into),
        FlowLabel::Dscp => match group.dscp {
            Dscp::One(dscp) => return number(u16::from(dscp), into),
            Dscp::Mixed => "mixed",
            Dscp::Unknown => "none",
        },
        FlowLabel::App => group.app.map_or("unknown", App::name),
        FlowLabel::SrcAddr | FlowLabel::DstAddr => {
            let address = if label == FlowLabel::SrcAddr { group.source } else { group.destination };
            if let Some(address) = address {
                let _ = write!(into, "{address}");
                return;
            }
            other
        }
    };
    into.push_str(text);
}

pub(in crate::numbers) fn flow_bytes(moment: &Moment, rows: &mut dyn Rows) {
    rows_of(moment, rows, false, |numbers| numbers.ip_bytes);
}

pub(in crate::numbers) fn flow_packets(moment: &Moment, rows: &mut dyn Rows) {
    rows_of(moment, rows, false, |numbers| numbers.packets);
}

pub(in crate::numbers) fn flows(moment: &Moment, rows: &mut dyn Rows) {
    rows_of(moment, rows, false, |numbers| numbers.flows);
}

pub(in crate::numbers) fn retransmits(moment: &Moment, rows: &mut dyn Rows) {
    rows_of(moment, rows, true, |numbers| numbers.retransmits);
}

pub(in crate::numbers) fn retransmitted_bytes(moment: &Moment, rows: &mut dyn Rows) {
    rows_of(moment, rows, true, |numbers| numbers.retransmitted_bytes);
}
