use super::{OTHER, Rows, Scrape, direction_name, name};
use crate::{
    aggregate::{FlowLabels, FlowNumbers},
    flow::words,
};

fn rows_of(scrape: &Scrape, rows: &mut Rows<'_>, tcp_only: bool, value: fn(&FlowNumbers) -> u64) {
    for (FlowLabels { point, group }, numbers) in scrape.numbers.flows.rows() {
        let iface = name(scrape, point.slot);
        let direction = direction_name(point.direction);
        let Some(group) = group else {
            rows.counter(&[iface, direction, OTHER, OTHER, OTHER, OTHER], value(numbers));
            continue;
        };
        let number;
        let protocol = if let Some(name) = words::transport(group.protocol) {
            name
        } else {
            number = group.protocol.to_string();
            &number
        };
        if tcp_only && protocol != "tcp" {
            continue;
        }
        let port = group.server_port.map(|port| port.to_string());
        let port = port.as_deref().unwrap_or(OTHER);
        let nets = group.nets;
        let values = [iface, direction, protocol, nets.source.name(), nets.destination.name(), port];
        rows.counter(&values, value(numbers));
    }
}

pub(in crate::export) fn flow_bytes(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows_of(scrape, rows, false, |numbers| numbers.ip_bytes);
}

pub(in crate::export) fn flow_packets(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows_of(scrape, rows, false, |numbers| numbers.packets);
}

pub(in crate::export) fn flows(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows_of(scrape, rows, false, |numbers| numbers.flows);
}

pub(in crate::export) fn retransmits(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows_of(scrape, rows, true, |numbers| numbers.retransmits);
}

pub(in crate::export) fn retransmitted_bytes(scrape: &Scrape, rows: &mut Rows<'_>) {
    rows_of(scrape, rows, true, |numbers| numbers.retransmitted_bytes);
}
