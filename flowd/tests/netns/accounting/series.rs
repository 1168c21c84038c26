//! The series budget under a port scan, and a configuration that is read again, with real packets.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use etherparse::PacketBuilder;

use crate::support::{
    daemon::Daemon,
    frames::{Wire, mac},
    privileged,
    router::{LAN, Router, SERVER_V4},
    until,
};

const SCANNED: u16 = 20_000;

/// Packets in flows, under a reason, not yet in flows, and those of the interface, of one scrape.
fn totals(daemon: &Daemon<'_>) -> [u64; 4] {
    let text = daemon.get("/metrics");
    let sum = |family: &str| -> u64 {
        let mine = text.lines().filter(|line| line.starts_with(&format!("{family}{{")));
        mine.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64).sum()
    };
    let reasons = sum("flowd_packets_unaccounted_total");
    let unread = sum("flowd_interface_unread_packets");
    [sum("flowd_flow_packets_total"), reasons, unread, sum("flowd_interface_packets_total")]
}

/// While nothing passes, flows and named reasons are the interface; gives back the packets in flows.
fn reconciled(daemon: &Daemon<'_>) -> u64 {
    let [flows, reasons, unread, all] = totals(daemon);
    assert_eq!((flows + reasons, unread), (all, 0));
    flows
}

fn talk(router: &Router, port: u16) {
    let listener = router.server.enter(|| TcpListener::bind((SERVER_V4, port)).unwrap());
    let mut here = router.client.enter(|| TcpStream::connect((SERVER_V4, port)).unwrap());
    let (mut there, _) = listener.accept().unwrap();
    here.write_all(b"hello").unwrap();
    drop(here);
    there.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_port_scan_stays_within_the_budget() {
    if !privileged("a_port_scan_stays_within_the_budget") {
        return;
    }
    let router = Router::new(false);
    let to = mac(&router.gateway, LAN);
    router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], "flows = 65536\n[series]\nlimit = 16\n");
    // More servers than there are series, so that some are folded.
    for port in 7_000..7_020 {
        talk(&router, port);
    }
    let wire = Wire::open(&router.client, "eth0");
    let mut before = 0;
    for port in 1..=SCANNED {
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], to)
            .ipv4([192, 0, 2, 2], [198, 51, 100, 2], 64)
            .tcp(55_555, port, 1, 1_024)
            .syn();
        let mut frame = Vec::new();
        builder.write(&mut frame, &[]).unwrap();
        wire.send(&frame);
        if port.is_multiple_of(4_000) {
            let [flows, reasons, unread, all] = totals(&daemon);
            assert_eq!(flows + reasons + unread, all, "{flows} in flows, {reasons} reasons, {unread} unread");
            assert!(flows >= before, "{flows}, {before} before");
            before = flows;
        }
    }
    router.gateway.quiet(LAN);
    daemon.drained();
    let flows = reconciled(&daemon);
    assert!(flows > u64::from(SCANNED), "{flows}");
    let text = daemon.get("/metrics");
    let series = text.lines().filter(|line| line.starts_with("flowd_flow_bytes_total{")).count();
    // A catch-all, and perhaps a retired sum, per direction.
    assert!(series <= 16 + 2 + 2, "{series} series");
    assert!(!text.contains("server_port=\"55555\""), "the scanner is no server");
    assert!(daemon.metric("flowd_other_share", &["family=\"flow\""]) > 0.0);
    daemon.stop();
}

#[test]
fn a_hang_up_takes_over_zones_and_loses_nothing() {
    if !privileged("a_hang_up_takes_over_zones_and_loses_nothing") {
        return;
    }
    let router = Router::new(false);
    router.gateway.quiet(LAN);
    let mut daemon = Daemon::start(&router.gateway, &[LAN], "[zones]\noffice = [\"192.0.2.0/24\"]\n");
    let packets = |daemon: &Daemon<'_>, net: &str| {
        daemon.metric("flowd_flow_packets_total", &[&format!("src_net=\"{net}\"")])
    };
    let listener = router.server.enter(|| TcpListener::bind((SERVER_V4, 7)).unwrap());
    let mut here = router.client.enter(|| TcpStream::connect((SERVER_V4, 7)).unwrap());
    let (_there, _) = listener.accept().unwrap();
    here.write_all(b"before").unwrap();
    router.gateway.quiet(LAN);
    daemon.drained();
    let office = packets(&daemon, "office");
    assert!(office >= 3.0, "{office}");
    reconciled(&daemon);

    daemon.configure("[zones]\noffice = [\"10.0.0.5/8\"]\n");
    until("the bad file is refused", 5, || daemon.stderr().contains("the net is 10.0.0.0/8").then_some(()));
    assert!(daemon.stderr().contains("flowd.toml, line "), "{}", daemon.stderr());

    daemon.configure("head_bytes = 100\n[zones]\nlab = [\"192.0.2.0/24\"]\n[series]\nlimit = 50\n");
    until("the good file is taken", 5, || daemon.stderr().contains("configuration read again").then_some(()));
    assert!(daemon.stderr().contains("only after a restart: head_bytes"), "{}", daemon.stderr());
    here.write_all(b"after").unwrap();
    router.gateway.quiet(LAN);
    daemon.drained();
    // The same connection, under its new zone; what it counted under the old one stays.
    assert_eq!(packets(&daemon, "office"), office);
    assert!(packets(&daemon, "lab") >= 1.0);
    assert_eq!(daemon.metric("flowd_series_limit", &[]), 50.0);
    reconciled(&daemon);
    let ended = daemon.stop();
    let flow = ended.flows.iter().find(|flow| flow["server"]["port"] == 7).unwrap();
    assert_eq!((&flow["client_zone"], &flow["direction"]), (&"lab".into(), &"transit".into()));
}
