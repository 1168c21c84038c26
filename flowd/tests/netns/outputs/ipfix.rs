//! Flows in a collector's own store: as many packets and octets as flowd counted, from the first to the last.

use etherparse::PacketBuilder;

use crate::support::{
    daemon::{Daemon, Ended},
    frames::{Wire, mac},
    nfcapd::{Nfcapd, Stored, free_port, printed_sums, stored_sums},
    nginx::Nginx,
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4, SERVER_V6},
    until,
};

/// One echo over ICMP, which the server answers.
fn echo(router: &Router) {
    let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], mac(&router.gateway, LAN));
    let mut frame = Vec::new();
    link.ipv4([192, 0, 2, 2], [198, 51, 100, 2], 64)
        .icmpv4_echo_request(7, 1)
        .write(&mut frame, b"x")
        .unwrap();
    Wire::open(&router.client, "eth0").send(&frame);
}

fn request(router: &Router, url: &str) {
    let mut curl = router.client.command("curl");
    run(curl.args(["-gsS", "--max-time", "10", "-o", "/dev/null", url]));
}

#[test]
fn a_collector_has_every_packet_that_flowd_counted() {
    if !privileged("a_collector_has_every_packet_that_flowd_counted") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let port = free_port();
    let Some(nfcapd) = Nfcapd::start(router.gateway.command("nfcapd"), port) else { return };
    let config =
        format!("[timeouts]\nactive = \"1s\"\nudp = \"1s\"\n[[sink]]\nurl = \"ipfix://127.0.0.1:{port}\"\n");
    let daemon = Daemon::start(&router.gateway, &[LAN], &config);
    for number in 0..20 {
        request(&router, &format!("http://{SERVER_V4}/echo/{number}"));
        request(&router, &format!("http://[{SERVER_V6}]/echo/{number}"));
    }
    echo(&router);
    daemon.drained();
    let sink = format!("sink=\"ipfix://127.0.0.1:{port}\"");
    assert_eq!(daemon.metric("flowd_sink_up", &[&sink]), 1.0);
    let counted = daemon.metric("flowd_flow_packets_total", &[]) as u64;
    let Ended { flows, stderr, .. } = daemon.stop();
    let (records, said) = nfcapd.stop();
    let sums = stored_sums(&records);
    assert_eq!(sums, printed_sums(&flows), "{stderr}");
    let packets: u64 = sums.values().map(|[packets, _]| packets).sum();
    println!("{packets} packets in {} records; nfcapd: {said}", records.len());
    assert!(said.contains("Sequence Errors: 0, Bad Packets: 0"), "{said}");
    assert!(packets >= counted && counted > 200, "{packets} {counted}");
    for kind in ["6 192", "6 2001:", "1 192", "1 198"] {
        assert!(sums.keys().any(|between| between.starts_with(kind)), "{kind}: {sums:?}");
    }
    for Stored { first, interfaces, .. } in &records {
        assert!(first.starts_with("20"), "{first}");
        // Packets came in by it or left by it.
        assert_eq!(interfaces.iter().filter(|index| **index != 0).count(), 1, "{interfaces:?}");
    }
}

/// The collector is started last: what waited in the queue is all there.
#[test]
fn a_collector_that_comes_late_misses_nothing() {
    if !privileged("a_collector_that_comes_late_misses_nothing") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let port = free_port();
    let config = format!("[[sink]]\nurl = \"ipfix://127.0.0.1:{port}\"\n[timeouts]\nactive = \"1s\"\n");
    let daemon = Daemon::start(&router.gateway, &[LAN], &config);
    let sink = format!("sink=\"ipfix://127.0.0.1:{port}\"");
    request(&router, &format!("http://{SERVER_V4}/echo/1"));
    until("the sink is down", 20, || (daemon.metric("flowd_sink_up", &[&sink]) == 0.0).then_some(()));
    let Some(nfcapd) = Nfcapd::start(router.gateway.command("nfcapd"), port) else { return };
    request(&router, &format!("http://{SERVER_V4}/echo/2"));
    until("it is up", 40, || (daemon.metric("flowd_sink_up", &[&sink]) == 1.0).then_some(()));
    let Ended { flows, stderr, .. } = daemon.stop();
    assert_eq!(stored_sums(&nfcapd.stop().0), printed_sums(&flows), "{stderr}");
}
