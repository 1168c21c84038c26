//! TCP's quality over a bad line behind flowd: the sender's kernel, the line itself and what programs see are the truth.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::atomic::Ordering::Relaxed,
    thread::scope,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::accounting::offload::super_datagram;
use crate::support::{
    alone::alone,
    daemon::Daemon,
    iperf::Iperf,
    lossy::{Line, Lossy},
    privileged,
    router::{LAN, SERVER_V4},
};

/// The sum of a number over all flows of a transport.
fn sum(flows: &[Value], transport: &str, side: &str, name: &str) -> u64 {
    let flows = flows.iter().filter(|flow| flow["transport"] == transport);
    flows.map(|flow| flow[side][name].as_u64().unwrap()).sum()
}

fn near(what: &str, seen: f64, truth: f64, share: f64, slack: f64) {
    let error = (seen - truth).abs();
    assert!(error <= (truth * share).max(slack), "{what}: {seen} where {truth} is true");
}

/// TCP over a line that loses, against the counters of the kernel that sends.
fn lossy_tcp(offloads: bool) {
    let _alone = alone();
    let path = Lossy::new(offloads, Line { lost_per_mille: 15, ..Line::default() });
    let iperf = Iperf::start(&path.server);
    let daemon = Daemon::start(&path.gateway, &[LAN], "");
    let names = ["RetransSegs", "OutSegs", "InSegs"];
    let before = names.map(|name| path.client.snmp("Tcp", name));
    iperf.second(&path.client, SERVER_V4, &["-t", "3", "-b", "40M"]);
    // What is still under way when iperf3 has its result.
    path.client.quiet("eth0");
    let after = names.map(|name| path.client.snmp("Tcp", name));
    let [repeated, fresh, received] = [0, 1, 2].map(|at| after[at] - before[at]);
    let flows = daemon.stop().flows;
    let retransmits = sum(&flows, "tcp", "sent", "retransmits");
    let [sent, skbs] = ["packets", "skb_packets"].map(|name| sum(&flows, "tcp", "sent", name));
    let back = sum(&flows, "tcp", "received", "packets");
    let lost = path.to_server.lost.load(Relaxed);
    println!(
        "offloads {offloads}: the line lost {lost} of {}; retransmits: flowd {retransmits}, sender {repeated}; \
         sent: flowd {sent} in {skbs} skbs, sender {fresh} + {repeated}; received: flowd {back}, client {received}",
        path.to_server.came.load(Relaxed)
    );
    assert!(lost > 20, "the line is too good");
    near("retransmits", retransmits as f64, repeated as f64, 0.02, 0.0);
    // The kernel does not count among OutSegs what it sends again.
    near("sent", sent as f64, (fresh + repeated) as f64, 0.001, 0.0);
    near("received", back as f64, received as f64, 0.001, 0.0);
    near("the line", sent as f64, path.to_server.came.load(Relaxed) as f64, 0.001, 0.0);
    assert!(!offloads || skbs < sent, "no super-packet");
}

#[test]
fn retransmits_equal_the_senders() {
    if privileged("retransmits_equal_the_senders") {
        lossy_tcp(false);
    }
}

#[test]
fn retransmits_in_super_packets_equal_the_senders() {
    if privileged("retransmits_in_super_packets_equal_the_senders") {
        lossy_tcp(true);
    }
}

#[test]
fn wire_packets_with_offloads_under_loss() {
    if !privileged("wire_packets_with_offloads_under_loss") {
        return;
    }
    let _alone = alone();
    let path = Lossy::new(true, Line { lost_per_mille: 15, ..Line::default() });
    let iperf = Iperf::start(&path.server);
    let daemon = Daemon::start(&path.gateway, &[LAN], "");
    let before = path.client.snmp("Udp", "OutDatagrams");
    iperf.second(&path.client, SERVER_V4, &["-u", "-l", "1400", "-b", "20M"]);
    let datagrams = path.client.snmp("Udp", "OutDatagrams") - before;
    let here = path.client.enter(|| UdpSocket::bind(("0.0.0.0", 0)).unwrap());
    let there = path.server.enter(|| UdpSocket::bind(("0.0.0.0", 5_000)).unwrap());
    for _ in 0..50 {
        super_datagram(&here, SERVER_V4, 30_000, 1_000);
        std::thread::sleep(Duration::from_millis(2));
    }
    drop(there);
    path.client.quiet("eth0");
    let flows = daemon.stop().flows;
    let [udp, skbs] = ["packets", "skb_packets"].map(|name| sum(&flows, "udp", "sent", name));
    let tcp = sum(&flows, "tcp", "sent", "packets");
    let came = path.to_server.came.load(Relaxed);
    println!(
        "udp: flowd {udp} in {skbs} skbs, sent {datagrams} + 1500; with tcp: flowd {}, the line {came}",
        udp + tcp
    );
    near("datagrams", udp as f64, (datagrams + 1_500) as f64, 0.001, 0.0);
    near("the line", (udp + tcp) as f64, came as f64, 0.001, 0.0);
    assert!(skbs + 1_400 < udp, "no super-packet");
}

/// What a program sees of a connection: how long it took to connect, and the mean of its answers' times, us.
struct Seen {
    port: u16,
    connect: f64,
    mean: f64,
}

/// Asks and answers so that every segment is answered at once, without delayed acknowledgements.
fn ask(path: &Lossy, port: u16) -> Seen {
    const TIMES: u16 = 40;
    let listener = path.server.enter(|| TcpListener::bind(("0.0.0.0", port)).unwrap());
    let mut seen = Seen { port, connect: 0.0, mean: 0.0 };
    scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            let mut question = [0; 100];
            while stream.read_exact(&mut question).is_ok() {
                stream.write_all(&[1; 900]).unwrap();
            }
        });
        let since = |start: Instant| start.elapsed().as_secs_f64() * 1e6;
        let (mut stream, took) = path.client.enter(|| {
            let start = Instant::now();
            let stream = TcpStream::connect((SERVER_V4, port)).unwrap();
            (stream, since(start))
        });
        stream.set_nodelay(true).unwrap();
        let start = Instant::now();
        for _ in 0..TIMES {
            stream.write_all(&[2; 100]).unwrap();
            stream.read_exact(&mut [0; 900]).unwrap();
        }
        (seen.connect, seen.mean) = (took, since(start) / f64::from(TIMES));
    });
    seen
}

#[test]
fn rtt_is_the_delay_made() {
    if !privileged("rtt_is_the_delay_made") {
        return;
    }
    let _alone = alone();
    let path = Lossy::new(true, Line { delay: Duration::from_millis(20), ..Line::default() });
    let daemon = Daemon::start(&path.gateway, &[LAN], "");
    // The best of some, as on a busy machine the programs at the ends wait for their turn.
    let rounds = [7_000, 7_001, 7_002, 7_003].map(|port| ask(&path, port));
    path.client.quiet("eth0");
    let flows = daemon.stop().flows;
    let [there, back] = [&path.to_server, &path.to_client].map(|way| way.least_held.load(Relaxed) as f64);
    let made = (there + back) / 1e3;
    let least = |what: fn(&Seen) -> f64| rounds.iter().min_by(|a, b| what(a).total_cmp(&what(b))).unwrap();
    let tcp = |round: &Seen| {
        let flow = flows.iter().find(|flow| flow["server"]["port"] == round.port).unwrap();
        flow["tcp"].clone()
    };
    let number = |value: &Value| value.as_f64().unwrap();

    let quickest = least(|round| round.connect);
    let handshake = number(&tcp(quickest)["handshake_server_rtt_us"]);
    let best = least(|round| round.mean);
    let tcp = tcp(best);
    let server = &tcp["server_rtt_us"];
    println!(
        "the line made {made:.0} us at least; connected in {:.0}, handshake {handshake}; answers in {:.0}: {tcp}",
        quickest.connect, best.mean
    );
    near("handshake", handshake, quickest.connect, 0.05, 100.0);
    near("least", number(&server["min"]), made, 0.05, 100.0);
    near("mean", number(&server["mean"]), best.mean, 0.05, 100.0);
    assert!(number(&server["count"]) > 35.0);
    // Nothing is between flowd and the client but the client's own kernel.
    for seen in [&tcp["handshake_client_rtt_us"], &tcp["client_rtt_us"]["min"]] {
        assert!(number(seen) < 2_000.0, "{seen}");
    }
}
