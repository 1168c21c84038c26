//! What the host's side of metrics costs: a scrape, and deciding who has a series. Prints one
//! line each; `cargo bench -p flowd --bench series`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "prints what it measured"
)]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use flow_common::{
    key::{Direction, Endpoint, FlowKey, Scope, TunnelKind},
    record::{FlowRecord, RoleBy},
};
use flowd::{
    aggregate::{Ledger, LedgerOptions, Policy, Watched},
    clock::WallClock,
    config::Config,
    export::{classic::classic, prometheus::open_metrics},
    numbers::Board,
    telemetry::Telemetry,
};

const SERIES: u32 = 20_000;
const REPEAT: u32 = 20;

fn main() {
    scrape();
}

/// A connection to another port, answered.
fn record(number: u32) -> FlowRecord {
    let end = |address: [u8; 4], port| Endpoint::v4(u32::from_ne_bytes(address), port);
    let scope =
        Scope { interface: 1, vlans: 0, protocol: 6, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
    let (key, client) = FlowKey::new(
        end([10, 0, 0, 1], 40_000),
        end([198, 51, 100, (number >> 16) as u8], number as u16),
        &scope,
        Some(Direction::Ingress),
    );
    let mut record = FlowRecord::new(&key, 1);
    record.client = client as u8;
    record.role_by = RoleBy::Syn as u8;
    record.half_mut(client.other()).tcp_flags = 0x12;
    record
}

fn scrape() {
    let mut config = Config::default();
    // The flow families are five, and each series of a table is one in each of them.
    config.series.limit = SERIES / 5;
    let watched = Watched {
        slot: 1,
        name: Arc::from("eth0"),
        one_point: false,
        physical: true,
        speed: None,
        mac: String::new(),
        mtu: 1_500,
        ifindex: 2,
    };
    let policy = Arc::new(Policy::new(&config));
    let options = LedgerOptions { conversations: 100_000, active_timeout: None };
    let mut ledger = Ledger::new(options, policy, vec![(watched, None)], WallClock::CAPTURE);
    for number in 0..SERIES {
        ledger.absorb(number, &record(number), None, 1, &mut |_| {});
    }
    let (mut settling, mut publishing) = (Duration::ZERO, Duration::ZERO);
    let board = Board::new(ledger.numbers().published(), Vec::new(), Arc::new(Telemetry::new(Vec::new())));
    for drain in 0..REPEAT {
        let started = Instant::now();
        ledger.drained(u64::from(drain) * 10_000_000_000, WallClock::CAPTURE);
        settling += started.elapsed();
        let started = Instant::now();
        let numbers = ledger.numbers().published();
        publishing += started.elapsed();
        board.publish(numbers, Vec::new());
    }
    let text = open_metrics(&board).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    println!("scrape: {lines} series, {} KiB", text.len() / 1_024);
    println!(
        "drain: {:.2?} to decide who has a series, {:.2?} to publish",
        settling / REPEAT,
        publishing / REPEAT
    );
    let started = Instant::now();
    for _ in 0..REPEAT {
        black_box(open_metrics(&board).unwrap());
    }
    println!("scrape: {:.2?} for OpenMetrics text (asked: below 10 ms)", started.elapsed() / REPEAT);
    let started = Instant::now();
    for _ in 0..REPEAT {
        black_box(classic(&open_metrics(&board).unwrap()));
    }
    println!("scrape: {:.2?} for classic text", started.elapsed() / REPEAT);
}
