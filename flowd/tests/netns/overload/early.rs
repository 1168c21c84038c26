//! A flood of SYNs that would fill the table long before it is time to read it: the table is read before, and what is
//! honest finds its place all the time.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;

use crate::support::{
    alone::alone,
    daemon::Daemon,
    flood::{AT_ONCE, Flood},
    namespace::since,
    nginx::Nginx,
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4},
    until,
};

const TABLE: u64 = 32_768;
const INTERVAL: Duration = Duration::from_secs(10);
/// A second; the table is full after eight.
const RATE: u64 = 4_000;

#[test]
fn a_table_that_fills_between_two_readings_is_read_early() {
    if !privileged("a_table_that_fills_between_two_readings_is_read_early") {
        return;
    }
    let _alone = alone();
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let before = router.gateway.quiet(LAN);
    let config = format!("interval = \"10s\"\nflows = {TABLE}\nflow_log = \"\"\n");
    let daemon =
        Daemon::start_with(&router.gateway, &[LAN], &config, &[("FLOWD_LOG", "info,flowd::run=debug")]);
    let (sent, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut requests = 0;
    scope(|scope| {
        scope.spawn(|| {
            let mut frame = Vec::new();
            let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 0x77]);
            let tcp = ethernet.ipv4([10, 0, 0, 0], [198, 51, 100, 2], 64).tcp(1_024, 80, 7, 64_240);
            tcp.syn().write(&mut frame, &[]).unwrap();
            let mut flood = Flood::open(&router.client, "eth0", &frame);
            let (start, mut number) = (Instant::now(), 0_u32);
            while !stop.load(Relaxed) {
                // On a beat, so that it is this fast whatever else the machine does.
                while flood.sent() < start.elapsed().as_millis() as u64 * RATE / 1_000 {
                    flood.send(|frame| {
                        number += 1;
                        frame[26..30].copy_from_slice(&(0x0a00_0000 | number).to_be_bytes());
                    });
                }
                sleep(Duration::from_millis(5));
            }
            sent.store(flood.sent(), Relaxed);
        });
        let start = Instant::now();
        while start.elapsed() < INTERVAL * 2 {
            requests += 1;
            let mut curl = router.client.command("curl");
            curl.args(["-sS", "--max-time", "5", "-o", "/dev/null"]);
            run(curl.arg(format!("http://{SERVER_V4}/echo/{requests}")));
            sleep(Duration::from_millis(100));
        }
        stop.store(true, Relaxed);
    });
    let sent = sent.load(Relaxed);
    assert!(sent > 2 * TABLE && sent > AT_ONCE as u64, "{sent} flows are no flood of this table");
    let kernel = since(router.gateway.quiet(LAN), before);
    // The reading that is due shows all that came.
    let ended = daemon.age();
    until("a reading after the flood", 15, || (daemon.age() < ended).then_some(()));
    let shown: serde_json::Value = serde_json::from_str(&daemon.get("/api/v1/interfaces")).unwrap();
    let skipped = |direction: &str| {
        let reasons = shown["interfaces"][0][direction]["skipped"].as_object().unwrap();
        reasons
            .iter()
            .map(|(reason, tally)| (reason.clone(), tally["packets"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    let full =
        skipped("ingress").into_iter().chain(skipped("egress")).filter(|(reason, _)| reason == "table_full");
    let full: u64 = full.map(|(_, packets)| packets).sum();
    assert_eq!(full, 0, "{sent} flows in {:?}", INTERVAL * 2);
    let flows = daemon.metric("flowd_flow_packets_total", &[]) as u64;
    let unaccounted = daemon.metric("flowd_packets_unaccounted_total", &[]) as u64;
    assert_eq!(flows + unaccounted, kernel[0].packets + kernel[1].packets, "flows and reasons");
    // Scrapes see the readings that are due, and no others.
    let shown = daemon.metric("flowd_drain_duration_seconds_count", &[]) as u64;
    assert_eq!(daemon.http().len(), requests, "every request has its line");
    let said = daemon.stop().stderr;
    let early = said.matches("read early, as the table fills").count() as u64;
    println!("{sent} flows, {shown} readings shown, {early} early ones, {requests} requests");
    assert!((2..=12).contains(&early) && shown <= 5, "{early} early readings, {shown} shown");
}
