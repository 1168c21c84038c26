//! Nothing is lost without a name, also while flows end, slots are used again and the table overflows.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;

use crate::support::{
    daemon::{Daemon, Passage, in_flows},
    frames::{Wire, mac},
    namespace::{Counts, since},
    privileged,
    router::{LAN, Router, WAN},
};

/// Short flows from many ports, for seconds, in bursts: more at once than fit, and many that time out.
fn storm(router: &Router) -> u64 {
    let to = mac(&router.gateway, LAN);
    let wire = Wire::open(&router.client, "eth0");
    let mut frame = Vec::new();
    let mut sent = 0;
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        for _ in 0..400 {
            frame.clear();
            // Ports come again after a while, as flows that have ended or go on.
            let port = 1_024 + (sent % 12_007) as u16;
            let len = (sent % 900) as usize;
            let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], to);
            if sent % 3 == 0 {
                let client = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
                let server = [0x20, 1, 0xd, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
                let builder = link.ipv6(client, server, 64).udp(port, 40_000);
                builder.write(&mut frame, &vec![0; len]).unwrap();
            } else {
                let builder = link.ipv4([192, 0, 2, 2], [198, 51, 100, 2], 64).udp(port, 40_000);
                builder.write(&mut frame, &vec![0; len]).unwrap();
            }
            wire.send(&frame);
            sent += 1;
        }
        sleep(Duration::from_millis(20));
    }
    sent
}

#[test]
fn flows_and_reasons_make_up_the_interface() {
    if !privileged("flows_and_reasons_make_up_the_interface") {
        return;
    }
    let router = Router::new(false);
    let devices = [LAN, WAN];
    let before = devices.map(|device| router.gateway.quiet(device));
    let config =
        "interval = \"100ms\"\nflows = 1024\n[timeouts]\nudp = \"1s\"\nicmp = \"1s\"\nactive = \"1s\"\n";
    let daemon = Daemon::start(&router.gateway, &devices, config);
    let sent = storm(&router);
    let after = devices.map(|device| router.gateway.quiet(device));
    let passages = devices.map(|device| daemon.passages(device));
    assert_eq!(daemon.metric("flowd_export_dropped_total", &[]), 0.0);
    let ended = daemon.stop();
    for at in [0, 1] {
        let kernel = since(after[at], before[at]);
        let seen = [0, 1].map(|direction: usize| passages[at][direction].wire());
        let skipped: Vec<Counts> = passages[at].iter().map(Passage::skipped).collect();
        let full: u64 = passages[at].iter().map(|passage| passage.reason("table_full")).sum();
        let flows = in_flows(&ended.flows, devices[at]);
        println!(
            "{}: sent {sent}, kernel {kernel:?}, {} flow lines in all, {flows:?} in flows, {full} found the table full",
            devices[at],
            ended.flows.len()
        );
        assert_eq!(seen, kernel, "{}: totals", devices[at]);
        assert!(full > 1_000, "the table did not overflow");
        assert_eq!(
            flows.packets + skipped.iter().map(|counts| counts.packets).sum::<u64>(),
            kernel[0].packets + kernel[1].packets,
            "{}: packets",
            devices[at]
        );
        assert_eq!(
            flows.bytes + skipped.iter().map(|counts| counts.bytes).sum::<u64>(),
            kernel[0].bytes + kernel[1].bytes,
            "{}: bytes",
            devices[at]
        );
    }
    let reasons = |reason: &str| ended.flows.iter().filter(|flow| flow["end_reason"] == reason).count();
    // Nobody answers them: where the table fills, they leave before their time.
    assert!(reasons("idle") + reasons("evicted") > 1_000, "no slot was used again");
    let [idle, evicted, active, shutdown] = ["idle", "evicted", "active", "shutdown"].map(reasons);
    println!("idle {idle}, evicted {evicted}, active {active}, shutdown {shutdown}");
}
