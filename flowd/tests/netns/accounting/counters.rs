//! Interface totals against the kernel's counters of the watched device: equal, not nearly.

use std::net::UdpSocket;

use crate::support::{
    daemon::{Daemon, in_flows},
    iperf::Iperf,
    namespace::{Counts, since},
    nginx::Nginx,
    privileged,
    router::{CLIENT_V4, CLIENT_V6, LAN, Router, SERVER_V4, SERVER_V6},
};

/// TCP both ways, UDP with fragments, neighbour discovery: over IPv4 and IPv6.
fn talk(router: &Router) {
    let [v4, v6] = [format!("http://{SERVER_V4}"), format!("http://[{SERVER_V6}]")];
    for server in [v4, v6] {
        router
            .client
            .run(&format!("curl -sS --max-time 10 -o /dev/null {server}/large/[1-20] {server}/echo/[1-20]"));
    }
    for (server, client) in [(SERVER_V4, CLIENT_V4), (SERVER_V6, CLIENT_V6)] {
        let there = router.server.enter(|| UdpSocket::bind((server, 5_000)).unwrap());
        let here = router.client.enter(|| UdpSocket::bind((client, 0)).unwrap());
        for len in [0, 1, 100, 1_400, 4_000, 20_000] {
            here.send_to(&vec![7; len], (server, 5_000)).unwrap();
            let mut back = vec![0; 30_000];
            let (read, from) = there.recv_from(&mut back).unwrap();
            there.send_to(&back[..read], from).unwrap();
            here.recv_from(&mut back).unwrap();
        }
        // Nobody listens: an ICMP error comes back.
        here.send_to(b"x", (server, 9)).unwrap();
    }
}

fn added(left: Counts, right: Counts) -> Counts {
    Counts { bytes: left.bytes + right.bytes, packets: left.packets + right.packets }
}

#[test]
fn totals_equal_the_kernels() {
    if !privileged("totals_equal_the_kernels") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let before = router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    assert_eq!(router.gateway.counters(LAN), before, "it was not quiet while flowd attached");
    talk(&router);
    let kernel = since(router.gateway.quiet(LAN), before);
    let passages = daemon.passages(LAN);
    for direction in [0, 1] {
        assert_eq!(passages[direction].wire(), kernel[direction], "direction {direction}");
        assert_eq!(passages[direction].skbs(), kernel[direction], "direction {direction}, skbs");
    }
    assert_eq!(daemon.interface_metrics(LAN), kernel, "/metrics");
    let skipped = added(passages[0].skipped(), passages[1].skipped());
    assert!(passages[0].reason("arp") > 0, "the client asked for its gateway");
    let ended = daemon.stop();
    let flows = in_flows(&ended.flows, LAN);
    println!("kernel {kernel:?}; {} flow lines {flows:?}; skipped {skipped:?}", ended.flows.len());
    assert_eq!(added(flows, skipped), added(kernel[0], kernel[1]), "flow log and skipped");
}

#[test]
fn with_offloads_skbs_equal_the_kernels() {
    if !privileged("with_offloads_skbs_equal_the_kernels") {
        return;
    }
    let router = Router::new(true);
    let iperf = Iperf::start(&router.server);
    let before = router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    assert_eq!(router.gateway.counters(LAN), before, "it was not quiet while flowd attached");
    for server in [SERVER_V4, SERVER_V6] {
        iperf.second(&router.client, server, &[]);
        iperf.second(&router.client, server, &["-R"]);
    }
    let kernel = since(router.gateway.quiet(LAN), before);
    let passages = daemon.passages(LAN);
    for direction in [0, 1] {
        let (skbs, wire) = (passages[direction].skbs(), passages[direction].wire());
        println!("direction {direction}: kernel {:?}, skbs {skbs:?}, wire {wire:?}", kernel[direction]);
        assert_eq!(skbs, kernel[direction], "direction {direction}");
        assert!(wire.packets > 2 * skbs.packets && wire.bytes > skbs.bytes, "super-packets count as such");
    }
    let ended = daemon.stop();
    assert_eq!(
        in_flows(&ended.flows, LAN).packets + skipped(&passages),
        passages[0].wire().packets + passages[1].wire().packets
    );
}

fn skipped(passages: &[crate::support::daemon::Passage; 2]) -> u64 {
    passages.iter().map(|passage| passage.skipped().packets).sum()
}
