//! What is asked of the figures, and which of them README shows.

use super::row::Row;

/// A figure that README shows.
pub(super) struct Headline {
    pub(super) part: &'static str,
    /// The row's name.
    pub(super) name: &'static str,
    /// What it must not pass, in the row's unit, where something is asked.
    pub(super) target: Option<f64>,
}

/// A bound on nanoseconds per packet, as asked of a machine where the empty program takes 14, in units of the empty
/// program.
const fn per_packet(bound: f64) -> f64 {
    (bound - 14.0) / 14.0
}

const fn asked(part: &'static str, name: &'static str, target: f64) -> Headline {
    Headline { part, name, target: Some(target) }
}

const fn shown(part: &'static str, name: &'static str) -> Headline {
    Headline { part, name, target: None }
}

pub(super) const HEADLINES: [Headline; 46] = [
    asked("a", "tcp_data: net / empty", per_packet(55.0)),
    asked("a", "ack: net / empty", per_packet(55.0)),
    asked("a", "udp: net / empty", per_packet(55.0)),
    asked("a", "ipv6_tcp: net / empty", per_packet(55.0)),
    asked("a", "syn: net / empty", per_packet(60.0)),
    asked("a", "http_turn: net / empty", per_packet(100.0)),
    shown("a", "vlan: net / empty"),
    shown("a", "dns_query: net / empty"),
    shown("a", "fragment: net / empty"),
    shown("a", "gre_inner: net / empty"),
    asked("a", "tcp_data: added by HTTP", 3.0),
    shown("a", "tcp_data: added by DNS"),
    shown("a", "tcp_data: added by TLS"),
    shown("a", "tcp_data: added by windows"),
    shown("a", "udp: added by DNS"),
    shown("a", "udp: added by windows"),
    asked("a", "connections_131072: net / empty", per_packet(280.0)),
    asked("a", "million_flows: net / empty", per_packet(400.0)),
    // As asked of a machine where one hash update costs 40 ns of live traffic, in units of such a counter.
    asked("b", "program, offloads off, 1 stream: net of empty / plain counter's", 65.0 / 40.0),
    asked("b", "program, offloads off, 8 streams: net of empty / plain counter's", 65.0 / 40.0),
    asked("b", "program, offloads off, 1 stream: net of empty", 65.0),
    asked("b", "program, offloads off, 8 streams: net of empty", 65.0),
    asked("b", "CPU per byte, offloads off, 1 stream: flowd / none", 1.12),
    // The same, which holds on a busy machine, too.
    asked("b", "CPU of the processes, offloads off, 1 stream: flowd / none", 1.12),
    shown("b", "CPU per byte, offloads on, 1 stream: flowd / none"),
    shown("b", "CPU of the processes, offloads on, 1 stream: flowd / none"),
    shown("b", "64 bytes, 1 flow: flowd / empty"),
    shown("b", "64 bytes, 65,536 flows: flowd / empty"),
    asked("b", "100 interfaces / 1: program", 1.1),
    asked("c", "drain of 1 M, every flow changed: CPU", 350.0),
    shown("c", "drain of 1 M, every flow changed, with the ledger: CPU"),
    shown("c", "drain of 100 k, every flow changed, with the ledger: CPU"),
    asked("d", "daemon, of one core", 1.0),
    asked("d", "all of flowd net of empty, of one core", 2.0),
    asked("d", "VmRSS", 100.0),
    shown("d", "RssAnon"),
    shown("d", "RssFile"),
    asked("d", "HTTP, 20,000 requests/s: event reader, of one core", 10.0),
    asked("e", "/metrics, default limit: time", 10.0),
    asked("e", "/metrics, 20,000 series: time", 10.0),
    asked("f", "flowd read: rate per core", 2.0),
    shown("f", "nfpcapd: rate per core"),
    shown("f", "softflowd: rate per core"),
    shown("f", "tshark: rate per core"),
    asked("g", "binary", 10.0),
    asked("g", "from start to ready", 0.3),
];

fn headline(row: &Row) -> Option<&'static Headline> {
    HEADLINES.iter().find(|headline| headline.part == row.part && headline.name == row.name)
}

pub(super) fn of(row: &Row) -> Option<f64> {
    headline(row)?.target
}

pub(super) fn met(row: &Row, target: f64) -> bool {
    if row.less { row.median <= target } else { row.median >= target }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_headline_stands_once() {
        for (index, one) in HEADLINES.iter().enumerate() {
            let again = HEADLINES
                .iter()
                .skip(index + 1)
                .any(|other| one.part == other.part && one.name == other.name);
            assert!(!again, "{}", one.name);
        }
    }

    #[test]
    fn more_is_better_for_rates() {
        let mut row = Row {
            part: "f".to_owned(),
            name: "flowd read: rate per core".to_owned(),
            unit: "Mpps".to_owned(),
            less: false,
            median: 2.5,
            low: 2.0,
            high: 3.0,
            rounds: 5,
            note: String::new(),
        };
        let target = of(&row).unwrap();
        assert!(met(&row, target));
        row.median = 1.9;
        assert!(!met(&row, target));
    }
}
