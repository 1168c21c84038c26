use flow_common::{
    record::{FlowRecord, Rtt},
    shared::Share as _,
    tcp::rtt::sample,
};

use super::*;
use crate::{
    flow::testing,
    protocol::http::{HttpExchange, HttpOptions, HttpTracker},
};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// A connection with a handshake at `start` that took `rtt`.
fn connection(start: u64, rtt: u64) -> FlowRecord {
    let mut record = testing::connection(1, 40_000, 80, start);
    record.handshake_server_rtt = rtt + 1;
    record
}

/// An exchange that waited for `wait`, with a lone acknowledgement after `heard`, at `at` on a connection.
fn judged(
    paths: &mut RoundTrips,
    record: &FlowRecord,
    at: u64,
    wait: u64,
    heard: Option<u64>,
) -> HttpExchange {
    let mut exchange = blank(record);
    exchange.request_time = Some(at);
    exchange.request_end = Some(at);
    exchange.response_time = Some(at + wait);
    exchange.acknowledged = heard.map(|heard| at + heard);
    paths.judge(&mut exchange, &Snapshot::of(record));
    exchange
}

fn blank(record: &FlowRecord) -> HttpExchange {
    use flow_common::{
        app::App,
        event::{PayloadEvent, PayloadKind},
    };
    let bytes = b"GET / HTTP/1.1\r\n\r\n";
    let event = PayloadEvent {
        key: record.key,
        time: 1,
        slot: 0,
        seq: 1,
        payload_len: bytes.len() as u32,
        copied: bytes.len() as u16,
        kind: PayloadKind::Request as u8,
        sender: record.client,
        ack: 1,
        tcp_flags: 0x18,
        app: App::Http as u8,
        retransmits: 0,
        own_last: 0,
        peer_last: 0,
    };
    let mut tracker = HttpTracker::new(HttpOptions::default());
    let mut found = None;
    tracker.event(&event, bytes, &mut |exchange| found = Some(exchange));
    tracker.finish(&mut |exchange| found = Some(exchange));
    found.unwrap()
}

fn times(exchange: &HttpExchange) -> (Option<f64>, Option<u64>) {
    (exchange.head.server_rtt_us, exchange.think_time)
}

#[test]
fn the_handshake_of_a_young_connection_counts() {
    let mut paths = RoundTrips::default();
    let record = connection(SECOND, 10 * MS);
    let exchange = judged(&mut paths, &record, SECOND + 20 * MS, 60 * MS, None);
    assert_eq!(times(&exchange), (Some(10_000.0), Some(50 * MS)));
}

#[test]
fn a_newer_connection_tells_that_the_path_has_changed() {
    for (before, after) in [(10, 30), (30, 10)] {
        let mut paths = RoundTrips::default();
        let old = connection(SECOND, before * MS);
        judged(&mut paths, &old, 2 * SECOND, 60 * MS, None);
        let new = connection(8 * SECOND, after * MS);
        judged(&mut paths, &new, 8 * SECOND + MS, 60 * MS, None);
        let exchange = judged(&mut paths, &old, 9 * SECOND, (after + 50) * MS, None);
        assert_eq!(times(&exchange), (Some(after as f64 * 1_000.0), Some(50 * MS)));
    }
}

#[test]
fn a_lone_acknowledgement_is_the_path_as_it_is() {
    let mut paths = RoundTrips::default();
    let record = connection(SECOND, 10 * MS);
    // The path has become longer, and shorter, since the handshake.
    for rtt in [30, 4] {
        let exchange = judged(&mut paths, &record, 100 * SECOND, (100 + rtt) * MS, Some(rtt * MS));
        assert_eq!(times(&exchange), (Some(rtt as f64 * 1_000.0), Some(100 * MS)));
    }
}

#[test]
fn an_acknowledgement_by_the_timer_is_no_round_trip() {
    let mut paths = RoundTrips::default();
    let mut record = connection(SECOND, 10 * MS);
    let server = record.client().other();
    // As TCP's tracking took it.
    sample(Rtt::shared(&mut record.half_mut(server).rtt), 50 * MS);
    let exchange = judged(&mut paths, &record, 2 * SECOND, 110 * MS, Some(50 * MS));
    assert_eq!(times(&exchange), (Some(10_000.0), Some(100 * MS)));
}

#[test]
fn a_slow_handshake_is_corrected_by_the_connections_samples() {
    let mut paths = RoundTrips::default();
    let mut record = connection(SECOND, 300 * MS);
    let server = record.client().other();
    sample(Rtt::shared(&mut record.half_mut(server).rtt), 12 * MS);
    let exchange = judged(&mut paths, &record, 2 * SECOND, 62 * MS, None);
    assert_eq!(times(&exchange), (Some(12_000.0), Some(50 * MS)));
}

#[test]
fn a_server_cannot_think_backwards() {
    let mut paths = RoundTrips::default();
    let record = connection(SECOND, 20 * MS);
    let think = |paths: &mut RoundTrips, wait| judged(paths, &record, 2 * SECOND, wait, None).think_time;
    assert_eq!(think(&mut paths, 20 * MS), Some(0));
    assert_eq!(think(&mut paths, 18 * MS), Some(0), "within the noise");
    assert_eq!(think(&mut paths, 17 * MS), None, "the round trip is wrong");
}

#[test]
fn without_any_round_trip_nothing_is_said() {
    let record = testing::connection(1, 40_000, 80, SECOND);
    assert_eq!(times(&judged(&mut RoundTrips::default(), &record, 2 * SECOND, MS, None)), (None, None));
}

#[test]
fn the_table_of_servers_is_bounded() {
    let mut paths = RoundTrips::default();
    for server in 0..10_000_u32 {
        paths.learn((1, IpAddr::from(server.to_be_bytes())), SECOND, MS);
    }
    assert_eq!(paths.servers.len(), SERVERS);
    paths.learn((2, IpAddr::from([1, 1, 1, 1])), 100 * SECOND, MS);
    assert_eq!(paths.servers.len(), 1, "the stale ones made room");
}
