//! A real Prometheus scrapes a flowd that watches real traffic: every query of every dashboard and every rule
//! answers, sums are exact at every scrape, and a port scan does not blow the series up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this is tests"
)]
#![allow(unreachable_pub, dead_code, reason = "the harness and the readers are modules here and elsewhere")]

mod exact;
mod history;
#[path = "../dashboards/names.rs"]
mod names;
#[path = "../dashboards/panels.rs"]
mod panels;
#[path = "../dashboards/rules.rs"]
mod rules;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod traffic;

use std::{collections::BTreeMap, fs, time::Duration};

use serde_json::{Value, json};
use server::Server;
use support::{
    daemon::Daemon,
    lossy::{Line, Lossy},
    privileged,
    router::LAN,
};

/// Seconds of traffic, where nothing else is asked for.
const SECONDS: u64 = 40;
/// Of the daemon: a table that holds the scan.
const CONFIG: &str = "interval = \"1s\"\nflows = 262144\n[dns]\nenabled = true\n[tls]\nenabled = true\n\
    [http2]\nenabled = true\n[redis]\nenabled = true\n[postgresql]\nenabled = true\n";

/// Panels that show nothing on this machine, and why that is right.
const EMPTY: &[(&str, &str)] = &[
    // kernel.bpf_stats_enabled costs time on the whole machine and stays off.
    ("flowd", "Programs in the kernel"),
    // Each message of the few is followed.
    ("flowd", "Messages not followed"),
];

#[test]
fn dashboards_and_rules_on_a_real_prometheus() {
    if !privileged("dashboards_and_rules_on_a_real_prometheus") {
        return;
    }
    let seconds = std::env::var("FLOWD_PROMETHEUS_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    let line = Line { lost_per_mille: 20, delay: Duration::from_millis(2) };
    let path = Lossy::new(false, line);
    let daemon = Daemon::start(&path.gateway, &[LAN, "tun0"], CONFIG);
    let prometheus = Server::start(&path.gateway);
    traffic::run(&path, seconds);
    let busy = server::now();
    path.client.quiet("eth0");
    // A drain and a scrape of what came last, and an evaluation of that.
    std::thread::sleep(Duration::from_secs(10));

    let series = prometheus.number("max(max_over_time(flowd_series[10m]))");
    let limit = prometheus.number("max(flowd_series_limit)");
    for family in [
        "flowd_flow_packets_total",
        "flowd_flow_bytes_total",
        "flowd_flows_total",
        "flowd_tcp_connections_total",
    ] {
        let count = prometheus.number(&format!("max_over_time(count({family})[10m:1s])"));
        // Each of the four points has an `other` beside.
        assert!(count <= limit + 4.0, "{family}: {count} series, {limit} allowed");
    }
    println!("{series} series at most, {limit} allowed in a family");
    panels_answer(&prometheus, busy);
    rules_answer(&prometheus);
    report_answers(&prometheus);
    exact::hold(&prometheus);
    drop(prometheus);
    daemon.stop();
}

/// Whether a query waits for series that flowd does not have yet, itself or by a rule.
fn waits(expr: &str, rules: &[rules::Rule]) -> bool {
    names::COMING.iter().any(|(name, _)| expr.contains(name))
        || rules.iter().any(|rule| !rule.alert && expr.contains(&rule.name) && waits(&rule.expr, rules))
}

fn rules_answer(prometheus: &Server<'_>) {
    let answer = prometheus.get("rules", &[]);
    let mut seen = 0;
    for group in answer["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            assert_eq!(rule["health"], "ok", "{rule}");
            seen += 1;
        }
    }
    let rules = rules::all();
    assert_eq!(seen, rules.len());
    for rule in rules.iter().filter(|rule| !rule.alert && !waits(&rule.expr, &rules)) {
        assert!(!prometheus.instant(&rule.name).is_empty(), "{} has no value", rule.name);
    }
    let pending = prometheus.instant("ALERTS{alertname=\"FlowdConnectionsFailing\"}");
    assert!(!pending.is_empty(), "nobody noticed the refused connections");
    let wrong =
        prometheus.instant("ALERTS{alertname=~\"FlowdDown|FlowdStalled|FlowdAccountingOff|FlowdFlowsLost\"}");
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Asks all that the dashboards ask, as of the end of the traffic. The answers are kept where a picture of them is wanted.
fn panels_answer(prometheus: &Server<'_>, end: f64) {
    let rules = rules::all();
    let mut kept: BTreeMap<String, BTreeMap<u64, Vec<Value>>> = BTreeMap::new();
    let (mut queries, mut empty) = (0, Vec::new());
    for dashboard in panels::dashboards() {
        for panel in &dashboard.panels {
            for target in &panel.targets {
                let expr = target
                    .expr
                    .replace("$__rate_interval", "10s")
                    .replace("$__range", "5m")
                    .replace("$instance", ".*")
                    .replace("$iface", ".*");
                // What grows over days is looked at over days.
                let days = expr.contains("sample_bytes");
                let result = match target.instant {
                    true => prometheus.at(&expr, end),
                    false if days => prometheus.range(&expr, end, 10.0 * 86_400.0, 7_200.0),
                    false => prometheus.range(&expr, end, 120.0, 2.0),
                };
                queries += 1;
                let right = EMPTY.contains(&(dashboard.name.as_str(), panel.title.as_str()));
                if !server::has_numbers(&result) && !right && !waits(&expr, &rules) {
                    empty.push(format!("{}, {}: {expr}", dashboard.name, panel.title));
                }
                let results = kept.entry(dashboard.name.clone()).or_default().entry(panel.id).or_default();
                results.push(json!({ "reference": target.reference, "result": result }));
            }
        }
    }
    println!("{queries} queries of dashboards, {} without data", empty.len());
    if let Some(file) = std::env::var_os("FLOWD_QUERY_RESULTS") {
        fs::write(file, serde_json::to_string(&kept).unwrap()).unwrap();
    }
    assert!(empty.is_empty(), "without data:\n{}", empty.join("\n"));
}

/// The history that was laid before grows by a known amount.
fn report_answers(prometheus: &Server<'_>) {
    let report = |format: &str| {
        let mut command = prometheus.namespace.command(env!("CARGO_BIN_EXE_flowd"));
        let output = command
            .args(["report", "--prometheus", server::URL, "--days", "14", "--format", format])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shown: Value = serde_json::from_str(&report("json")).unwrap();
    let link = shown["links"].as_array().unwrap().iter().find(|link| link["iface"] == LAN).unwrap();
    let speed = link["speed"].as_f64().unwrap();
    let truth = history::days_until(speed);
    for (name, days) in [
        ("flowd report", link["days_until_100"].as_f64().unwrap()),
        (
            "the rule",
            prometheus
                .number(&format!("min(instance_iface_direction:flowd_link_full:days{{iface=\"{LAN}\"}})")),
        ),
    ] {
        println!("{name}: full in {days:.1} days, truth {truth:.1}");
        assert!((days / truth - 1.0).abs() < 0.05, "{name}: {days}, truth {truth}");
    }
    assert!(!shown["zone_pairs"].as_array().unwrap().is_empty());
    if let Some(file) = std::env::var_os("FLOWD_REPORT_PAGE") {
        fs::write(file, report("html")).unwrap();
    }
    assert!(report("text").contains(LAN));
}
