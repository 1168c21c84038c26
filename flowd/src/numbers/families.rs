//! The families that belong to no protocol, in the order in which they are shown.

use flowd_numbers::{Class, Family, Labels, Meta, counter, gauge, histogram};
use flowd_protocols::{Numbers, PROTOCOLS};

use super::{moment::Moment, rows};

const POINT: Labels = &["iface", "direction"];
const WINDOW: Labels = &["iface", "direction", "window"];
const REASON: Labels = &["iface", "direction", "reason"];
const FLOW: Labels = &["iface", "direction", "proto", "src_net", "dst_net", "server_port"];
const QUALITY: Labels = &["iface", "direction", "src_net", "dst_net"];
const SERVICE: Labels = &["src_net", "dst_net", "server_port"];

/// Interfaces, flows and TCP.
#[rustfmt::skip]
pub(super) static TRAFFIC: &[Family<Moment>] = &[
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
];

/// flowd about itself. `flowd_series` is last, as it counts the others.
#[rustfmt::skip]
pub(super) static ITSELF: &[Family<Moment>] = &[
    gauge("flowd_build_info", &["version"], Class::Fixed, "Always 1, the program's version as label.", rows::build_info),
    gauge("flowd_map_entries", &["map"], Class::Fixed, "Entries in use in a table of the kernel part.", rows::map_entries),
    gauge("flowd_map_capacity_entries", &["map"], Class::Fixed, "Entries that fit into a table of the kernel part.", rows::map_capacity),
    counter("flowd_flows_lost", &["reason"], Class::Fixed, "Packets that could not begin a flow record, by the reason why.", rows::flows_lost),
    counter("flowd_packets_skipped", &["reason"], Class::Fixed, "Packets that are in no flow, over all interfaces, by the reason why.", rows::packets_skipped),
    counter("flowd_events_lost", &[], Class::Fixed, "Copies of payload that found no room in the buffer to the daemon.", rows::events_lost),
    counter("flowd_events_skipped", &["reason"], Class::Fixed, "Copies of payload that were left out on purpose, by the reason why: governor, to keep within [governor] cpu; share, to leave room for other clients while the reader was behind.", rows::events_skipped),
    gauge("flowd_governor_level", &[], Class::Fixed, "Steps of what is left out to keep within [governor] cpu: 0 nothing, 1 copies of payload, 2 most round-trip samples, 3 and 4 readings of the flow table.", rows::governor_level),
    counter("flowd_governor_changes", &["direction"], Class::Fixed, "Steps that the governor took, up and down.", rows::governor_changes),
    counter("process_cpu_seconds", &[], Class::Fixed, "Processor time of all threads of the daemon, in user space and in the kernel. What the BPF programs take is the packets': flowd_program_run_seconds_total.", rows::processor),
    counter("flowd_cpu_seconds", &["part"], Class::Fixed, "Processor time that [governor] cpu limits: of the thread that reads packets, as of the last reading, and of those that write logs.", rows::cpu_seconds),
    histogram("flowd_drain_duration_seconds", &[], Class::Fixed, "Time that one reading of the flow table took.", rows::drain_durations),
    gauge("flowd_last_drain_timestamp_seconds", &[], Class::Fixed, "When the flow table was last read, since the epoch.", rows::last_drain),
    gauge("flowd_series_limit", &[], Class::Fixed, "Series that one family may have, where it has no limit of its own.", rows::series_limit),
    counter("flowd_label_overflows", &["family"], Class::Fixed, "Look-ups of label values that had no series of their own.", rows::label_overflows),
    gauge("flowd_other_share", &["family"], Class::Fixed, "Share of the family's sum that is in no series of its own: of bytes for flow, of counts elsewhere.", rows::other_share),
    counter("flowd_program_run_seconds", &["program"], Class::Fixed, "Time that the kernel spent in each program, where kernel.bpf_stats_enabled is on.", rows::program_run_seconds),
    counter("flowd_time_reused_packets", &[], Class::Fixed, "Packets whose time is a reading of the clock for a packet just before: on a CPU that handles 64 packets within a millisecond.", rows::time_reused),
    gauge("flowd_time_error_seconds", &[], Class::Fixed, "The most that the time of a packet was too early since the start, by reuse of a reading; 0 where each packet had its own.", rows::time_error),
    counter("flowd_sink_records", &["sink"], Class::Fixed, "Records that a sink has written.", rows::sink_records),
    counter("flowd_sink_bytes", &["sink"], Class::Fixed, "Bytes that a sink has written.", rows::sink_bytes),
    counter("flowd_sink_errors", &["sink", "reason"], Class::Fixed, "Writes and connections of a sink that failed, by the reason why.", rows::sink_errors),
    counter("flowd_sink_dropped", &["sink", "reason"], Class::Fixed, "Records that a sink has not written: queue (it was full), write (the output refused them), format (they cannot be written in it), end (left when the sink was closed).", rows::sink_dropped),
    gauge("flowd_sink_queue_records", &["sink"], Class::Fixed, "Records that wait for a sink's output.", rows::sink_queue),
    gauge("flowd_sink_up", &["sink"], Class::Fixed, "1 while the last write of an open sink worked, 0 while it fails.", rows::sink_up),
    counter("flowd_export_records", &["sink"], Class::Fixed, "As flowd_sink_records_total; goes with the next release.", rows::sink_records),
    counter("flowd_export_errors", &["sink"], Class::Fixed, "As flowd_sink_errors_total, over all reasons; goes with the next release.", rows::export_errors),
    counter("flowd_export_dropped", &["sink"], Class::Fixed, "As flowd_sink_dropped_total, over all reasons; goes with the next release.", rows::export_dropped),
    counter("flowd_web_refused", &["reason"], Class::Fixed, "Requests that the web server refused, and answers that it cut off, by the reason why.", rows::web_refused),
    gauge("flowd_series", &[], Class::Fixed, "Series in this exposition.", rows::series),
];

/// Whether a family's labels are those that `[series]` chooses for flows.
pub(super) fn has_flow_labels(meta: &Meta) -> bool {
    meta.labels == FLOW
}

/// Every family there is, those of protocols between traffic and flowd itself.
#[must_use]
pub fn families() -> Vec<Meta> {
    let traffic = TRAFFIC.iter().map(|family| family.meta);
    let own = PROTOCOLS.iter().flat_map(|protocol| match protocol.numbers {
        Numbers::Own { families, .. } => families(),
        Numbers::Shared(_) => Vec::new(),
    });
    let shared = flowd_protocols::numbers::FAMILIES.iter().map(|family| family.meta);
    traffic.chain(own).chain(shared).chain(ITSELF.iter().map(|family| family.meta)).collect()
}
