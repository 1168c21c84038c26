use flow_common::record::TcpEnd;

use super::*;
use crate::{aggregate::interface::watched, flow::testing};

const SECOND: u64 = 1_000_000_000;

fn ledger(limit: usize, interfaces: u16) -> Ledger {
    let options =
        LedgerOptions { series_limit: limit, conversations: 1_000, active_timeout: Some(60 * SECOND) };
    let watched = (1..=interfaces).map(|slot| (watched(slot, &format!("eth{slot}")), None)).collect();
    Ledger::new(options, watched, WallClock::CAPTURE)
}

fn bytes(ledger: &Ledger) -> u64 {
    ledger.numbers().flows.rows().map(|(_, row)| row.ip_bytes).sum()
}

#[test]
fn cumulative_records_become_differences() {
    let mut ledger = ledger(100, 1);
    let mut record = testing::connection(1, 40_000, 443, SECOND);
    let client = record.client();
    testing::send(&mut record, client, 2, 100, SECOND);
    ledger.absorb(5, &record, None, 2 * SECOND, &mut |_| {});
    testing::send(&mut record, client, 3, 100, 2 * SECOND);
    testing::send(&mut record, client.other(), 1, 1_000, 2 * SECOND);
    ledger.absorb(5, &record, None, 3 * SECOND, &mut |_| {});
    ledger.absorb(5, &record, Some(EndReason::Fin), 4 * SECOND, &mut |_| {});
    assert_eq!(bytes(&ledger), 1_500);
    let interface = &ledger.numbers().interfaces[0];
    assert_eq!((interface.active, interface.ended[0]), (0, 1));
    assert!(ledger.live().is_empty());
    let counted: Vec<_> = ledger.numbers().flows.rows().filter(|(_, row)| row.packets != 0).collect();
    assert_eq!(counted.len(), 2);
    assert!(counted.iter().all(|(key, _)| key.group.unwrap().server_port == Some(443)));
    assert_eq!(counted.iter().map(|(_, row)| row.flows).sum::<u64>(), 1);
}

#[test]
fn the_sum_is_exact_beyond_the_budget() {
    let mut ledger = ledger(4, 1);
    for port in 0..50 {
        let mut record = testing::connection(1, 40_000, 1_000 + port, SECOND);
        let client = record.client();
        testing::send(&mut record, client, 1, 100, SECOND);
        ledger.absorb(u32::from(port), &record, Some(EndReason::Fin), SECOND, &mut |_| {});
    }
    assert_eq!(bytes(&ledger), 5_000);
    assert_eq!(ledger.numbers().flows.len(), 4 + 2);
    assert!(ledger.numbers().flows.overflows() > 0);
}

#[test]
fn lines_of_a_long_flow_add_up() {
    let mut ledger = ledger(100, 1);
    let mut record = testing::connection(1, 40_000, 80, SECOND);
    let client = record.client();
    let mut lines = Vec::new();
    for minute in 1..=3 {
        testing::send(&mut record, client, minute, 100, minute * 60 * SECOND);
        ledger.absorb(1, &record, None, minute * 61 * SECOND, &mut |line| lines.push(line));
    }
    ledger.absorb(1, &record, Some(EndReason::Idle), 500 * SECOND, &mut |line| lines.push(line));
    let reasons: Vec<_> = lines.iter().map(|line| line.end_reason.unwrap().name()).collect();
    assert_eq!(reasons, ["active", "active", "active", "idle"]);
    let packets: Vec<_> = lines.iter().map(|line| line.sent.packets).collect();
    assert_eq!(packets, [1, 2, 3, 0]);
    assert_eq!(lines[0].start, SECOND);
    assert_eq!(lines[1].start, 61 * SECOND);
    assert_eq!(lines[1].end, 120 * SECOND);
    assert!(lines[1].sent.first.is_none() && lines[3].sent.last.is_none());
    assert!(lines.iter().all(|line| line.end >= line.start));
}

#[test]
fn another_flow_in_the_same_slot_is_another_flow() {
    let mut ledger = ledger(100, 1);
    let mut lines = Vec::new();
    for (port, start) in [(1, 1), (2, 5)] {
        let mut record = testing::connection(1, port, 80, start);
        let client = record.client();
        testing::send(&mut record, client, 1, 100, start);
        ledger.absorb(9, &record, None, 10, &mut |line| lines.push(line));
    }
    assert_eq!(bytes(&ledger), 200);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].end_reason, Some(EndReason::Evicted));
    assert_eq!(ledger.live().len(), 1);
    assert_eq!(ledger.numbers().interfaces[0].active, 1);
}

#[test]
fn a_connection_seen_on_two_interfaces_is_one_attempt() {
    let mut ledger = ledger(100, 2);
    for slot in [1, 2] {
        let mut record = testing::connection(slot, 40_000, 80, SECOND);
        let client = record.client();
        record.half_mut(client).tcp.state = TcpEnd::SynSent as u8;
        testing::send(&mut record, client, 1, 60, SECOND);
        ledger.absorb(u32::from(slot), &record, None, SECOND, &mut |_| {});
        ledger.absorb(u32::from(slot), &record, Some(EndReason::Idle), SECOND, &mut |_| {});
    }
    // The second begins after the first ended here, so both speak; the other way round only one does.
    let rows: Vec<_> = ledger.numbers().connections.rows().filter(|(key, _)| key.is_some()).collect();
    assert_eq!((rows[0].1.attempts, rows[0].1.unanswered), (2, 2));

    let mut ledger = self::ledger(100, 2);
    for end in [None, Some(EndReason::Idle)] {
        for slot in [1, 2] {
            let record = testing::connection(slot, 40_000, 80, SECOND);
            ledger.absorb(u32::from(slot), &record, end, SECOND, &mut |_| {});
        }
    }
    let rows: Vec<_> = ledger.numbers().connections.rows().filter(|(key, _)| key.is_some()).collect();
    assert_eq!(rows[0].1.attempts, 1);
}

#[test]
fn round_trips_and_trouble_are_counted_once() {
    let mut ledger = ledger(100, 1);
    let mut record = testing::connection(1, 40_000, 80, SECOND);
    let server = record.client().other();
    record.handshake_server_rtt = 2_000_001;
    record.half_mut(server).rtt.count = 1;
    record.half_mut(server).rtt.buckets[2] = 1;
    record.half_mut(server).rtt.sum = 2_000_000;
    record.half_mut(server).tcp.zero_windows = 3;
    for _ in 0..3 {
        ledger.absorb(1, &record, None, SECOND, &mut |_| {});
    }
    let counted: Vec<_> = ledger.numbers().rtt.rows().filter(|(_, row)| row.count() != 0).collect();
    assert_eq!(counted.len(), 2);
    assert!(counted.iter().all(|(key, row)| key.side == RttSide::Server && row.count() == 1));
    assert_eq!(ledger.numbers().quality.rows().map(|(_, row)| row.zero_windows).sum::<u64>(), 3);
}

#[test]
fn the_heaviest_flows_come_first_and_filters_hold() {
    let mut ledger = ledger(100, 1);
    for port in 1..=5 {
        let mut record = testing::connection(1, 40_000 + port, 80 + port % 2, SECOND);
        let client = record.client();
        testing::send(&mut record, client, u64::from(port), 100, SECOND);
        ledger.absorb(u32::from(port), &record, None, SECOND, &mut |_| {});
    }
    let ports = |flows: Vec<Flow>| flows.iter().map(|flow| flow.client.port).collect::<Vec<_>>();
    assert_eq!(ports(ledger.top(2)), [40_005, 40_004]);
    let live = ledger.live();
    let filter = Filter { port: Some(80), ..Filter::default() };
    assert_eq!(ports(live.top(9, &filter)), [40_004, 40_002]);
    let filter = Filter { cidr: Some("10.0.0.0/8".parse().unwrap()), ..Filter::default() };
    assert_eq!(live.top(9, &filter).len(), 5);
    let filter = Filter { cidr: Some("2001:db8::/32".parse().unwrap()), ..Filter::default() };
    assert!(live.top(9, &filter).is_empty());
    let filter = Filter { protocol: Some(17), ..Filter::default() };
    assert!(live.top(9, &filter).is_empty());
}
