use flow_common::record::TcpEnd;
use proptest::prelude::*;

use flowd_numbers::Sum;

use super::*;
use crate::{
    aggregate::{FlowNumbers, RttSide, interface::watched},
    config::FlowLabel,
    flow::testing,
};

const SECOND: u64 = 1_000_000_000;

fn ledger(limit: u32, interfaces: u16) -> Ledger {
    let mut config = Config::default();
    config.series.limit = limit;
    with(&config, interfaces)
}

fn with(config: &Config, interfaces: u16) -> Ledger {
    let options = LedgerOptions { conversations: 1_000, active_timeout: Some(60 * SECOND) };
    let watched = (1..=interfaces).map(|slot| (watched(slot, &format!("eth{slot}")), None)).collect();
    let policy = Arc::new(Policy::new(config));
    let named = crate::enrich::enrichers(&policy);
    Ledger::new(options, policy, watched, WallClock::CAPTURE).enriched(named)
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
    ledger.drained(2 * SECOND, WallClock::CAPTURE);
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
    record.half_mut(server).quality.zero_windows = 3;
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
    let ports = |flows: Vec<Flow>| flows.iter().map(|flow| flow.client.endpoint.port).collect::<Vec<_>>();
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

fn everything(ledger: &Ledger) -> FlowNumbers {
    let mut sum = FlowNumbers::default();
    let flows = &ledger.numbers().flows;
    flows.rows().for_each(|(_, row)| Sum::add(&mut sum, row));
    flows.retired().for_each(|(_, _, row)| Sum::add(&mut sum, row));
    sum
}

#[test]
fn a_scan_makes_no_series() {
    let mut ledger = ledger(2_000, 1);
    for port in 1..=5_000 {
        let mut record = testing::connection(1, 40_000, port, SECOND);
        let client = record.client();
        record.half_mut(client).tcp.state = TcpEnd::SynSent as u8;
        record.half_mut(client.other()).tcp_flags = 0x14;
        testing::send(&mut record, client, 1, 60, SECOND);
        ledger.absorb(u32::from(port), &record, Some(EndReason::Idle), SECOND, &mut |_| {});
    }
    ledger.drained(2 * SECOND, WallClock::CAPTURE);
    let numbers = ledger.numbers();
    assert_eq!((numbers.flows.len(), numbers.connections.len()), (2 + 2, 1 + 1));
    assert_eq!(bytes(&ledger), 300_000);
    let (service, row) = numbers.connections.rows().nth(1).unwrap();
    assert_eq!((service.unwrap().server_port, row.attempts, row.unanswered), (None, 5_000, 5_000));
}

#[test]
fn a_port_that_has_answered_keeps_its_failures() {
    let mut ledger = ledger(100, 1);
    let answered = testing::connection(1, 1, 443, SECOND);
    ledger.absorb(1, &answered, None, SECOND, &mut |_| {});
    let mut refused = testing::connection(1, 2, 443, SECOND);
    let client = refused.client();
    refused.half_mut(client).tcp.state = TcpEnd::SynSent as u8;
    refused.half_mut(client.other()).tcp.state = TcpEnd::Reset as u8;
    refused.half_mut(client.other()).tcp_flags = 0x14;
    ledger.absorb(2, &refused, Some(EndReason::Rst), SECOND, &mut |_| {});
    let (service, row) = ledger.numbers().connections.rows().nth(1).unwrap();
    assert_eq!((service.unwrap().server_port, row.attempts, row.refused), (Some(443), 2, 1));
}

#[test]
fn lines_name_zones_way_and_service() {
    let mut config = Config::default();
    config.zones.nets.insert("office".to_owned(), vec!["10.0.0.0/24".to_owned()]);
    config.zones.home = vec!["office".to_owned()];
    let mut ledger = with(&config, 1);
    let record = testing::connection(1, 40_000, 443, SECOND);
    ledger.absorb(1, &record, None, SECOND, &mut |_| {});
    let of = |line: &Flow| {
        [line.client.zone.as_deref(), line.server.zone.as_deref(), line.direction, line.service.as_deref()]
            .map(|word| word.unwrap().to_owned())
    };
    assert_eq!(of(&ledger.top(1)[0]), ["office", "internet", "outbound", "https"]);
    config.zones.nets.insert("customer".to_owned(), vec!["198.51.100.0/24".to_owned()]);
    config.zones.home.clear();
    ledger.reconfigure(&config);
    ledger.set_enrichers(crate::enrich::enrichers(ledger.policy()));
    assert_eq!(of(&ledger.top(1)[0]), ["office", "customer", "transit", "https"]);
    let mut lines = Vec::new();
    ledger.absorb(1, &record, Some(EndReason::Fin), SECOND, &mut |line| lines.push(line));
    assert_eq!(of(&lines[0]), ["office", "customer", "transit", "https"]);
}

#[test]
fn addresses_are_labels_on_request_for_the_heaviest_only() {
    let mut config = Config::default();
    config.series.flow_labels = vec![FlowLabel::Iface, FlowLabel::Direction, FlowLabel::SrcAddr];
    config.series.top_addresses = 2;
    let mut ledger = with(&config, 1);
    let mut records: Vec<FlowRecord> = (0..8).map(|port| testing::connection(1, port, 443, SECOND)).collect();
    for (record, last) in records.iter_mut().zip(1..) {
        // Another client each, the last the heaviest.
        let (client, server) = (testing::v4([10, 0, 0, last], 1), testing::v4([198, 51, 100, 7], 443));
        let direction = Some(flow_common::key::Direction::Ingress);
        let (key, sender) = FlowKey::new(client, server, &testing::scope(1, 6, false), direction);
        *record = testing::empty(key, sender, SECOND);
    }
    for drain in 1..=3 {
        for (record, slot) in records.iter_mut().zip(1..) {
            let client = record.client();
            testing::send(record, client, u64::from(slot) * u64::from(slot), 1_000, drain * SECOND);
            ledger.absorb(slot, record, None, drain * SECOND, &mut |_| {});
        }
        ledger.drained(drain * 10 * SECOND, WallClock::CAPTURE);
    }
    let rows = ledger.numbers().flows.rows();
    let heavy: Vec<String> = rows
        .filter(|(_, row)| row.ip_bytes > 100_000)
        .filter_map(|(key, _)| key.group?.source.map(|address| address.to_string()))
        .collect();
    assert!(heavy.contains(&"10.0.0.8".to_owned()), "{heavy:?}");
    let sources: std::collections::BTreeSet<_> =
        ledger.numbers().flows.rows().filter_map(|(key, _)| key.group?.source).collect();
    assert!(sources.len() <= 4, "{sources:?}");
}

/// What happens to a ledger between drains.
#[derive(Clone, Debug)]
enum Step {
    /// Packets of the client of one of a few connections.
    Send(u8, u64),
    End(u8),
    Drain(u64),
    /// Another configuration: limit, zones, labels.
    Reload(u32, u8, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        20 => (0..40_u8, 1..1_000_u64).prop_map(|(flow, packets)| Step::Send(flow, packets)),
        3 => (0..40_u8).prop_map(Step::End),
        5 => prop_oneof![Just(10_u64), Just(700)].prop_map(Step::Drain),
        2 => (1..12_u32, 0..4_u8, 3..FlowLabel::ALL.len()).prop_map(|(limit, zones, labels)| Step::Reload(limit, zones, labels)),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn reloading_loses_no_count(steps in steps()) {
        let mut ledger = ledger(4, 1);
        let mut records: Vec<Option<FlowRecord>> = (0..40).map(|_| None).collect();
        let (mut packets, mut begun, mut now, mut before) = (0, 0, 1_000 * SECOND, FlowNumbers::default());
        for step in steps {
            match step {
                Step::Send(flow, more) => {
                    let at = usize::from(flow);
                    let record = records[at].get_or_insert_with(|| {
                        begun += 1;
                        testing::connection(1, u16::from(flow), 1_000 + u16::from(flow) % 17, now)
                    });
                    let client = record.client();
                    testing::send(record, client, more, 100, now);
                    packets += more;
                    ledger.absorb(u32::from(flow), record, None, now, &mut |_| {});
                }
                Step::End(flow) => {
                    if let Some(record) = records[usize::from(flow)].take() {
                        ledger.absorb(u32::from(flow), &record, Some(EndReason::Fin), now, &mut |_| {});
                    }
                }
                Step::Drain(seconds) => {
                    now += seconds * SECOND;
                    ledger.drained(now, WallClock::CAPTURE);
                    let flows = &ledger.numbers().flows;
                    prop_assert!(flows.rows().filter(|(key, _)| key.group.is_some()).count() <= flows.limit());
                }
                Step::Reload(limit, zones, labels) => {
                    let mut config = Config::default();
                    config.series.limit = limit;
                    config.series.flow_labels = FlowLabel::ALL[..labels].to_vec();
                    for zone in 0..zones {
                        config.zones.nets.insert(format!("z{zone}"), vec![format!("198.51.100.{zone}/32"), format!("10.0.{zone}.0/24")]);
                    }
                    ledger.reconfigure(&config);
                }
            }
            let sum = everything(&ledger);
            prop_assert_eq!((sum.packets, sum.ip_bytes, sum.flows), (packets, packets * 100, begun));
            prop_assert!(sum.packets >= before.packets);
            before = sum;
        }
    }
}
