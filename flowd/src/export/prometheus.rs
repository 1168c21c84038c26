//! The metrics: every family's name, unit, labels and meaning in one table, and their exposition.
//! prometheus-client's only home.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet, text,
    },
    metrics::MetricType,
    registry::{Registry, Unit},
};

use super::rows;
use crate::{
    aggregate::{DnsNumbers, HttpNumbers, Numbers, TlsNumbers},
    telemetry::Telemetry,
};

/// One metric family.
#[derive(Clone, Copy)]
pub struct Family {
    /// Without `_total`, with the unit.
    pub name: &'static str,
    pub kind: Kind,
    pub labels: Labels,
    pub class: Class,
    pub help: &'static str,
    rows: Fill,
}

/// What Prometheus does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// How many series a family can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A number known in advance.
    Fixed,
    /// Grows with the watched interfaces only.
    Interface,
    /// Grows with traffic, up to the series limit.
    Budget,
}

/// Label names; rows give their values in the same order.
pub type Labels = &'static [&'static str];
type Fill = fn(&Scrape, &mut Rows<'_>);

impl Family {
    /// The name of its counters or of its only series.
    #[must_use]
    pub fn full_name(&self) -> String {
        let suffix = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{suffix}", self.name)
    }

    /// `bytes`, `seconds`, or nothing for plain numbers.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        let ends = |unit: &&str| self.name.strip_suffix(*unit).is_some_and(|rest| rest.ends_with('_'));
        ["bytes", "seconds"].into_iter().find(ends)
    }
}

const POINT: Labels = &["iface", "direction"];
const WINDOW: Labels = &["iface", "direction", "window"];
const REASON: Labels = &["iface", "direction", "reason"];
const FLOW: Labels = &["iface", "direction", "proto", "src_net", "dst_net", "server_port"];
const HTTP: Labels = &["method", "status", "server_net"];
const HTTP_CLASS: Labels = &["method", "status_class", "server_net"];
const QUALITY: Labels = &["iface", "direction", "src_net", "dst_net"];
const SERVICE: Labels = &["src_net", "dst_net", "server_port"];

/// Every family, in the order of the exposition. `flowd_series` is last, as it counts the others.
#[rustfmt::skip]
pub const FAMILIES: &[Family] = &[
    counter("flowd_interface_bytes", &["iface", "direction", "family"], Class::Interface, "Bytes of frames as they cross the wire, without FCS.", rows::interface_bytes),
    counter("flowd_interface_packets", &["iface", "direction", "family"], Class::Interface, "Frames as they cross the wire.", rows::interface_packets),
    counter("flowd_interface_kernel_bytes", POINT, Class::Interface, "Bytes by the kernel's own counters since flowd attached.", rows::kernel_bytes),
    counter("flowd_interface_kernel_packets", POINT, Class::Interface, "Packets by the kernel's own counters since flowd attached.", rows::kernel_packets),
    gauge("flowd_accounting_ratio", POINT, Class::Interface, "flowd's bytes over the kernel's in the last interval with traffic.", rows::ratio),
    counter("flowd_packets_unaccounted", REASON, Class::Interface, "Packets that are in no flow, by the reason why.", rows::packets_unaccounted),
    counter("flowd_bytes_unaccounted", REASON, Class::Interface, "Bytes of frames that are in no flow, by the reason why.", rows::bytes_unaccounted),
    gauge("flowd_interface_unread_packets", POINT, Class::Interface, "Packets that passed while the table was being read: in the interface's totals, not yet in flows; counted with the next reading.", rows::unread_packets),
    gauge("flowd_interface_unread_bytes", POINT, Class::Interface, "Bytes of frames that passed while the table was being read.", rows::unread_bytes),
    counter("flowd_accounting_defects", POINT, Class::Interface, "Readings that found more in flows than had passed: a defect of flowd.", rows::accounting_defects),
    gauge("flowd_interface_speed_bytes", &["iface"], Class::Interface, "Link speed in bytes per second, as configured or as the device tells.", rows::speed),
    gauge("flowd_interface_peak_bytes", WINDOW, Class::Interface, "Bytes in the largest window of the time that [capacity] hold gives; super-packets count whole in the millisecond they pass.", rows::peaks),
    counter("flowd_interface_bursts", WINDOW, Class::Interface, "Windows over [capacity] burst_share of the link speed, none of which overlap.", rows::bursts),
    gauge("flowd_interface_sample_bytes", POINT, Class::Interface, "Bytes per second, average of the last whole five minutes of the wall clock.", rows::samples),
    counter("flowd_interface_windows_missed", POINT, Class::Interface, "Milliseconds that were overwritten before they were read: no peak shows what passed in them.", rows::windows_missed),
    gauge("flowd_interface_watched", &["iface"], Class::Interface, "1 while packets of the interface are counted, 0 once it has gone.", rows::interface_watched),
    gauge("flowd_interface_info", &["iface", "ifindex", "mac", "mtu"], Class::Interface, "Always 1, the watched interface's properties as labels.", rows::interface_info),
    counter("flowd_flow_bytes", FLOW, Class::Budget, "Octets of IP header and payload in flows.", rows::flow_bytes),
    counter("flowd_flow_packets", FLOW, Class::Budget, "Packets in flows.", rows::flow_packets),
    counter("flowd_flows", FLOW, Class::Budget, "Flows begun, in the direction from client to server.", rows::flows),
    counter("flowd_flows_ended", &["iface", "reason"], Class::Interface, "Flows that ended, by the reason why.", rows::flows_ended),
    gauge("flowd_flows_active", &["iface"], Class::Interface, "Flows that live.", rows::flows_active),
    counter("flowd_tcp_retransmits", FLOW, Class::Budget, "TCP segments that cover sequence space already sent.", rows::retransmits),
    counter("flowd_tcp_retransmitted_bytes", FLOW, Class::Budget, "Sequence space that was sent again.", rows::retransmitted_bytes),
    counter("flowd_tcp_out_of_order", QUALITY, Class::Budget, "TCP segments that came later than their successors.", rows::out_of_order),
    counter("flowd_tcp_duplicate_acks", QUALITY, Class::Budget, "TCP acknowledgements that repeat the one before.", rows::duplicate_acks),
    counter("flowd_tcp_zero_windows", QUALITY, Class::Budget, "TCP segments whose sender could take no more data.", rows::zero_windows),
    counter("flowd_tcp_resets", QUALITY, Class::Budget, "TCP segments with RST.", rows::resets),
    counter("flowd_tcp_connections", SERVICE, Class::Budget, "TCP connections attempted: a SYN was seen. Each counts at one interface.", rows::connections),
    counter("flowd_tcp_connections_failed", &["src_net", "dst_net", "server_port", "reason"], Class::Budget, "TCP connections that were refused, unanswered, or reset after they were established.", rows::connections_failed),
    histogram("flowd_tcp_rtt_seconds", &["iface", "src_net", "dst_net", "kind", "side"], Class::Budget, "Round trips from the interface to the client or server and back; kind data is every sample, the handshake's included.", rows::rtt),
    counter("flowd_http_requests", HTTP, Class::Budget, "HTTP requests by their final status, none where no response was seen: unanswered, or reset before. A lower bound while flowd_governor_level is above 0.", rows::http_requests),
    histogram("flowd_http_request_duration_seconds", HTTP_CLASS, Class::Budget, "Time from the first byte of a request to the first byte of its response.", rows::http_durations),
    counter("flowd_http_responses_unmatched", &[], Class::Fixed, "HTTP responses whose request was not seen; they are in no other HTTP family.", rows::http_unmatched),
    counter("flowd_http_messages_dropped", &["reason"], Class::Fixed, "HTTP messages that were given up: too many connections or requests were open, or copies before them were lost.", rows::http_dropped),
    counter("flowd_dns_queries", &[], Class::Fixed, "DNS questions asked; one that is sent again counts once.", rows::dns_queries),
    counter("flowd_dns_retries", &[], Class::Fixed, "DNS queries that were sent again while they waited.", rows::dns_retries),
    counter("flowd_dns_unanswered", &[], Class::Fixed, "DNS questions without a response within the timeout.", rows::dns_unanswered),
    counter("flowd_dns_responses", &["rcode", "qtype"], Class::Fixed, "DNS responses by code and by the type asked for.", rows::dns_responses),
    histogram("flowd_dns_lookup_duration_seconds", &[], Class::Fixed, "Time from the first sending of a DNS query to its response.", rows::dns_lookups),
    counter("flowd_dns_dropped", &["reason"], Class::Fixed, "DNS messages that could not be read, and lookups given up as the table was full.", rows::dns_dropped),
    counter("flowd_tls_handshakes", &["version"], Class::Fixed, "TLS handshakes by the version that the server chose, none where it did not answer.", rows::tls_handshakes),
    counter("flowd_tls_dropped", &["reason"], Class::Fixed, "Copies without a TLS hello that can be read, and handshakes given up as the table was full.", rows::tls_dropped),
    gauge("flowd_build_info", &["version"], Class::Fixed, "Always 1, the program's version as label.", rows::build_info),
    gauge("flowd_map_entries", &["map"], Class::Fixed, "Entries in use in a table of the kernel part.", rows::map_entries),
    gauge("flowd_map_capacity_entries", &["map"], Class::Fixed, "Entries that fit into a table of the kernel part.", rows::map_capacity),
    counter("flowd_flows_lost", &["reason"], Class::Fixed, "Packets that could not begin a flow record, by the reason why.", rows::flows_lost),
    counter("flowd_packets_skipped", &["reason"], Class::Fixed, "Packets that are in no flow, over all interfaces, by the reason why.", rows::packets_skipped),
    counter("flowd_events_lost", &[], Class::Fixed, "Copies of payload that found no room in the buffer to the daemon.", rows::events_lost),
    counter("flowd_events_skipped", &["reason"], Class::Fixed, "Copies of payload that were left out on purpose, by the reason why: governor, to keep within [governor] cpu.", rows::events_skipped),
    gauge("flowd_governor_level", &[], Class::Fixed, "Steps of what is left out to keep within [governor] cpu: 0 nothing, 1 copies of payload, 2 most round-trip samples, 3 and 4 readings of the flow table.", rows::governor_level),
    counter("flowd_governor_changes", &["direction"], Class::Fixed, "Steps that the governor took, up and down.", rows::governor_changes),
    counter("process_cpu_seconds", &[], Class::Fixed, "Processor time of all threads of the daemon, in user space and in the kernel. What the BPF programs take is the packets': flowd_program_run_seconds_total.", rows::processor),
    histogram("flowd_drain_duration_seconds", &[], Class::Fixed, "Time that one reading of the flow table took.", rows::drain_durations),
    gauge("flowd_last_drain_timestamp_seconds", &[], Class::Fixed, "When the flow table was last read, since the epoch.", rows::last_drain),
    gauge("flowd_series_limit", &[], Class::Fixed, "Series that one family may have, where it has no limit of its own.", rows::series_limit),
    counter("flowd_label_overflows", &["family"], Class::Fixed, "Look-ups of label values that had no series of their own.", rows::label_overflows),
    gauge("flowd_other_share", &["family"], Class::Fixed, "Share of the family's sum that is in no series of its own: of bytes for flow, of counts elsewhere.", rows::other_share),
    counter("flowd_program_run_seconds", &["program"], Class::Fixed, "Time that the kernel spent in each program, where kernel.bpf_stats_enabled is on.", rows::program_run_seconds),
    counter("flowd_export_records", &["sink"], Class::Fixed, "Records that a sink has written.", rows::export_records),
    counter("flowd_export_errors", &["sink"], Class::Fixed, "Writes of a sink that failed.", rows::export_errors),
    counter("flowd_export_dropped", &["sink"], Class::Fixed, "Records that found a sink's queue full.", rows::export_dropped),
    gauge("flowd_series", &[], Class::Fixed, "Series in this exposition.", rows::series),
];

const fn counter(name: &'static str, labels: Labels, class: Class, help: &'static str, rows: Fill) -> Family {
    Family { name, kind: Kind::Counter, labels, class, help, rows }
}

const fn gauge(name: &'static str, labels: Labels, class: Class, help: &'static str, rows: Fill) -> Family {
    Family { name, kind: Kind::Gauge, labels, class, help, rows }
}

const fn histogram(
    name: &'static str,
    labels: Labels,
    class: Class,
    help: &'static str,
    rows: Fill,
) -> Family {
    Family { name, kind: Kind::Histogram, labels, class, help, rows }
}

/// What one scrape shows: all of one moment.
#[derive(Debug)]
pub struct Scrape {
    pub numbers: Arc<Numbers>,
    pub http: Arc<HttpNumbers>,
    pub dns: DnsNumbers,
    pub tls: TlsNumbers,
    pub telemetry: Arc<Telemetry>,
}

impl Scrape {
    /// The names of a family's labels as configured.
    fn labels(&self, family: &Family) -> Vec<&'static str> {
        if family.labels == FLOW {
            return self.numbers.policy.series.flow_labels.iter().map(|label| label.name()).collect();
        }
        let with_host = !self.http.policy.series.hosts.is_empty();
        let is_http = family.labels == HTTP || family.labels == HTTP_CLASS;
        family.labels.iter().copied().chain((is_http && with_host).then_some("host")).collect()
    }
}

/// Where the drain publishes and scrapes read: neither waits for the other.
#[derive(Debug)]
pub struct Board {
    shown: RwLock<(Arc<Numbers>, Arc<HttpNumbers>)>,
    dns: Mutex<DnsNumbers>,
    tls: Mutex<TlsNumbers>,
    telemetry: Arc<Telemetry>,
}

impl Board {
    /// A board that shows these numbers until the first drain.
    #[must_use]
    pub fn new(numbers: Numbers, http: HttpNumbers, telemetry: Arc<Telemetry>) -> Self {
        let (dns, tls) = (Mutex::default(), Mutex::default());
        Self { shown: RwLock::new((Arc::new(numbers), Arc::new(http))), dns, tls, telemetry }
    }

    /// Shows these numbers, all of one moment, from now on.
    pub fn publish(&self, numbers: Numbers, http: HttpNumbers) {
        let shown = (Arc::new(numbers), Arc::new(http));
        let old = std::mem::replace(&mut *self.shown.write().unwrap_or_else(PoisonError::into_inner), shown);
        // Only here, without the lock, as it takes a while.
        drop(old);
    }

    /// The numbers of the last drain.
    #[must_use]
    pub fn numbers(&self) -> Arc<Numbers> {
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Changes the DNS numbers.
    pub fn dns(&self, change: impl FnOnce(&mut DnsNumbers)) {
        change(&mut self.dns.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Changes the TLS numbers.
    pub fn tls(&self, change: impl FnOnce(&mut TlsNumbers)) {
        change(&mut self.tls.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// All families in OpenMetrics text.
    ///
    /// # Errors
    /// Fails only where formatting does.
    pub fn open_metrics(&self) -> Result<String, fmt::Error> {
        let (numbers, http) = self.shown.read().unwrap_or_else(PoisonError::into_inner).clone();
        let scrape = Scrape {
            numbers,
            http,
            dns: self.dns.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            tls: *self.tls.lock().unwrap_or_else(PoisonError::into_inner),
            telemetry: Arc::clone(&self.telemetry),
        };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(scrape));
        let mut text = String::new();
        text::encode(&mut text, &registry)?;
        Ok(text)
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut series = 0;
        for family in FAMILIES {
            let unit = family.unit().map(|unit| if unit == "bytes" { Unit::Bytes } else { Unit::Seconds });
            // The encoder puts the unit behind the name by itself.
            let suffix = family.unit().map_or(0, |unit| unit.len() + 1);
            let name = family.name.get(..family.name.len() - suffix).unwrap_or(family.name);
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let encoder = encoder.encode_descriptor(name, family.help, unit.as_ref(), kind)?;
            let names = self.labels(family);
            let mut rows = Rows { encoder, names: &names, series, result: Ok(()) };
            (family.rows)(self, &mut rows);
            rows.result?;
            series = rows.series;
        }
        Ok(())
    }
}

/// Takes the rows of one family; label values stand in the order of [`Family::labels`].
pub(super) struct Rows<'a> {
    encoder: MetricEncoder<'a>,
    names: &'a [&'static str],
    series: u64,
    result: fmt::Result,
}

impl Rows<'_> {
    pub(super) fn counter(&mut self, values: &[&str], value: u64) {
        self.row(values, 1, |row| row.encode_counter::<NoLabelSet, _, u64>(&value, None));
    }

    /// A counter of seconds.
    pub(super) fn seconds(&mut self, values: &[&str], value: f64) {
        self.row(values, 1, |row| row.encode_counter::<NoLabelSet, _, f64>(&value, None));
    }

    pub(super) fn gauge(&mut self, values: &[&str], value: f64) {
        self.row(values, 1, |row| row.encode_gauge(&value));
    }

    /// `buckets` holds the count of each bucket; `bounds` their upper bounds in nanoseconds, but for the
    /// last, which has none; `sum` is in seconds.
    pub(super) fn histogram(&mut self, values: &[&str], sum: f64, bounds: &[u64], buckets: &[u64]) {
        let limits = bounds.iter().map(|ns| *ns as f64 / 1e9).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = limits.zip(buckets.iter().copied()).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let lines = buckets.len() as u64 + 2;
        self.row(values, lines, |row| row.encode_histogram::<NoLabelSet>(sum, count, &buckets, None));
    }

    /// Series so far, this family's included.
    pub(super) const fn series(&self) -> u64 {
        self.series
    }

    fn row(
        &mut self,
        values: &[&str],
        lines: u64,
        encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) {
        debug_assert_eq!(values.len(), self.names.len(), "labels {:?}", self.names);
        self.series += lines;
        let result = if self.names.is_empty() {
            encode(&mut self.encoder)
        } else {
            let labels = Pairs { names: self.names, values };
            self.encoder.encode_family(&labels).and_then(|mut row| encode(&mut row))
        };
        self.result = self.result.and(result);
    }
}

struct Pairs<'a> {
    names: &'a [&'static str],
    values: &'a [&'a str],
}

impl EncodeLabelSet for Pairs<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let mut pairs = self.names.iter().zip(self.values);
        pairs.try_for_each(|(name, value)| (*name, *value).encode(encoder.encode_label()))
    }
}

#[cfg(test)]
mod tests;
