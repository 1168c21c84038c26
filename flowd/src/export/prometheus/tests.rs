use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use flowd_protocols::{ProtocolNumbers as _, http::HttpNumbers};

use flow_common::app::App;

use super::*;
use crate::{
    aggregate::{Ledger, LedgerOptions, Policy, Watched},
    clock::WallClock,
    config::{Config, FlowLabel},
    export::classic::classic,
    flow::{EndReason, testing},
    numbers::families,
    pipeline::Pipeline,
    telemetry::{SinkCounters, Telemetry},
};

fn board(names: &[&str]) -> (Ledger, Board) {
    let watched = |(index, name): (usize, &&str)| Watched {
        slot: index as u16 + 1,
        name: Arc::from(*name),
        one_point: *name == "lo",
        physical: false,
        speed: Some(125_000_000),
        mac: "02:00:00:00:00:01".to_owned(),
        mtu: 1500,
        ifindex: index as u32 + 2,
    };
    let options = LedgerOptions { conversations: 100, active_timeout: None };
    let list = names.iter().enumerate().map(|entry| (watched(entry), None)).collect();
    let ledger = Ledger::new(options, Arc::default(), list, WallClock::CAPTURE);
    let telemetry = Arc::new(Telemetry::new(vec![SinkCounters::new("http_log")]));
    let board = Board::new(ledger.numbers().clone(), protocols(&Arc::default()), telemetry);
    (ledger, board)
}

/// Protocols that have seen nothing.
fn protocols(policy: &Arc<Policy>) -> Vec<Arc<dyn flowd_protocols::Shown>> {
    Pipeline::new(&Config::default().protocol_options(), policy).published()
}

fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut samples = BTreeMap::new();
    for line in lines {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let twice = samples.insert(series.to_owned(), value.parse().unwrap());
        assert!(twice.is_none(), "{series} stands twice");
    }
    samples
}

#[test]
fn the_table_is_sound() {
    let mut names = HashSet::new();
    for family in families() {
        assert!(names.insert(family.name), "{} twice", family.name);
        // Of any process, by the name that Prometheus's own clients use.
        let of_any = family.name == "process_cpu_seconds";
        assert!((family.name.starts_with("flowd_") || of_any) && !family.name.ends_with("_total"));
        assert!(family.help.ends_with('.') && !family.help.contains(['"', '\\']), "{}", family.name);
    }
    assert_eq!(families().last().unwrap().name, "flowd_series");
}

#[test]
fn known_series_are_there_from_the_start() {
    let (_, board) = board(&["eth0", "lo"]);
    let text = open_metrics(&board).unwrap();
    assert!(text.ends_with("# EOF\n"));
    let samples = samples(&text);
    for series in [
        "flowd_interface_bytes_total{iface=\"eth0\",direction=\"egress\",family=\"ipv6\"}",
        "flowd_packets_unaccounted_total{iface=\"lo\",direction=\"ingress\",reason=\"table_full\"}",
        "flowd_flows_ended_total{iface=\"eth0\",reason=\"fin\"}",
        "flowd_flow_bytes_total{iface=\"eth0\",direction=\"ingress\",proto=\"other\",src_net=\"other\",dst_net=\"other\",server_port=\"other\"}",
        "flowd_tcp_zero_windows_total{iface=\"eth0\",direction=\"egress\",src_net=\"private\",dst_net=\"internet\"}",
        "flowd_export_dropped_total{sink=\"http_log\"}",
        "flowd_events_lost_total",
        "flowd_events_skipped_total{reason=\"governor\"}",
        "flowd_governor_level",
        "flowd_governor_changes_total{direction=\"up\"}",
        "flowd_tcp_rtt_seconds_count{iface=\"eth0\",src_net=\"private\",dst_net=\"internet\",kind=\"data\",side=\"server\"}",
    ] {
        assert_eq!(samples.get(series), Some(&0.0), "{series}\n{text}");
    }
    assert_eq!(samples["flowd_series"], samples.len() as f64);
}

#[test]
fn both_formats_say_the_same() {
    let (mut ledger, board) = board(&["eth0"]);
    let mut record = testing::connection(1, 40_000, 443, 1);
    let client = record.client();
    testing::send(&mut record, client, 3, 100, 5);
    ledger.absorb(1, &record, Some(EndReason::Rst), 5, &mut |_| {});
    let mut http = HttpNumbers::new(Arc::<Policy>::default());
    let mut exchange = crate::export::testing::exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    exchange.status = Some(503);
    http.record(&exchange);
    let mut all = protocols(&Arc::default());
    all[0] = http.published();
    board.publish(ledger.numbers().published(), all);
    let open = open_metrics(&board).unwrap();
    let old = classic(&open);
    assert_eq!(samples(&open), samples(&old));
    let samples = samples(&old);
    assert_eq!(
        samples["flowd_flow_bytes_total{iface=\"eth0\",direction=\"ingress\",proto=\"tcp\",src_net=\"private\",dst_net=\"internet\",server_port=\"443\"}"],
        300.0
    );
    assert_eq!(
        samples["flowd_http_requests_total{method=\"GET\",status=\"503\",server_net=\"internet\"}"],
        1.0
    );
    let bucket = "flowd_http_request_duration_seconds_bucket{le=\"0.05\",method=\"GET\",status_class=\"5xx\",server_net=\"internet\"}";
    assert!(
        samples.keys().any(|key| key.contains("status_class=\"5xx\"") && key.contains("le=\"0.05\"")),
        "{bucket}"
    );
    for family in families() {
        assert!(old.contains(&format!("# HELP {} ", family.full_name())), "{}", family.name);
        assert!(old.contains(&format!("# TYPE {} ", family.full_name())), "{}", family.name);
    }
    assert!(!old.contains("# UNIT") && !old.contains("# EOF"));
}

#[test]
fn label_values_are_escaped() {
    let (_, board) = board(&["a\"b\\c"]);
    let text = open_metrics(&board).unwrap();
    assert!(text.contains("iface=\"a\\\"b\\\\c\""), "{}", text.lines().nth(3).unwrap_or_default());
}

#[test]
fn an_app_is_named_as_the_record_says_and_unknown_without() {
    let (mut ledger, board) = board(&["eth0"]);
    let mut config = Config::default();
    config.series.flow_labels = vec![FlowLabel::Iface, FlowLabel::Direction, FlowLabel::App];
    ledger.reconfigure(&config);
    let apps: Vec<_> = App::ALL.into_iter().map(Some).chain([None]).collect();
    for (slot, app) in (1..).zip(&apps) {
        let mut record = testing::connection(1, 40_000 + slot, 443, 1);
        record.app = app.map_or(0, |app| app as u8);
        let client = record.client();
        testing::send(&mut record, client, 3, 100, 5);
        ledger.absorb(u32::from(slot), &record, Some(EndReason::Fin), 5, &mut |_| {});
    }
    ledger.drained(10_000_000_000, WallClock::CAPTURE);
    board.publish(ledger.numbers().published(), protocols(&Arc::default()));
    let samples = samples(&open_metrics(&board).unwrap());
    for app in apps {
        let name = app.map_or("unknown", App::name);
        let series = format!("flowd_flow_bytes_total{{iface=\"eth0\",direction=\"ingress\",app=\"{name}\"}}");
        assert_eq!(samples.get(&series), Some(&300.0), "{series}");
    }
}

#[test]
fn labels_are_those_of_the_configuration_and_no_series_stands_twice() {
    let (mut ledger, board) = board(&["eth0"]);
    let mut config = Config::default();
    config.series.hosts = vec!["www.example.org".to_owned()];
    config.series.services.insert("pair".to_owned(), vec![1_000, 1_001]);
    let few = |label| vec![FlowLabel::Iface, FlowLabel::Direction, label];
    let choices =
        [FlowLabel::ALL.to_vec(), few(FlowLabel::Service), few(FlowLabel::Proto), few(FlowLabel::SrcAddr)];
    for (round, labels) in (1..).zip(choices) {
        config.series.flow_labels = labels;
        ledger.reconfigure(&config);
        for port in 1_000..1_020 {
            let mut record = testing::connection(1, 40_000, port, 1);
            let client = record.client();
            testing::send(&mut record, client, 3, 100, 5);
            ledger.absorb(u32::from(port), &record, Some(EndReason::Fin), 5, &mut |_| {});
        }
        ledger.drained(10_000_000_000, WallClock::CAPTURE);
        board.publish(ledger.numbers().published(), protocols(ledger.policy()));
        let text = open_metrics(&board).unwrap();
        let bytes =
            samples(&text).into_iter().filter(|(name, _)| name.starts_with("flowd_flow_bytes_total{"));
        let names: Vec<&str> = config.series.flow_labels.iter().map(|label| label.name()).collect();
        let mut sum = 0.0;
        for (name, value) in bytes {
            let (_, labels) = name.split_once('{').unwrap();
            let found: Vec<&str> = labels.split(',').map(|label| label.split('=').next().unwrap()).collect();
            assert_eq!(found, names, "{name}");
            sum += value;
        }
        assert_eq!(sum, f64::from(round * 20 * 300));
        assert!(text.contains("status=\"other\",server_net=\"other\",host=\"other\""));
    }
}
