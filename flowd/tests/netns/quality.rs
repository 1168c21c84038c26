//! TCP's quality over a bad line behind flowd: the sender's kernel, the line itself and other round trips are the truth.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::atomic::Ordering::Relaxed,
    thread::scope,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::offload::super_datagram;
use crate::support::{
    daemon::Daemon,
    iperf::Iperf,
    lossy::{Line, Lossy},
    namespace::Namespace,
    privileged,
    router::{LAN, SERVER_V4},
};

/// A counter of a namespace's own kernel part, as nstat shows it: `Tcp RetransSegs`.
fn snmp(namespace: &Namespace, group: &str, name: &str) -> u64 {
    // /proc/net would be that of this process, not of the thread that moved.
    let text = namespace.enter(|| fs::read_to_string("/proc/thread-self/net/snmp").unwrap());
    let mut lines = text.lines().filter(|line| line.starts_with(&format!("{group}:")));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let at = names.split(' ').position(|known| known == name).unwrap();
    values.split(' ').nth(at).unwrap().parse().unwrap()
}

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
    let path = Lossy::new(offloads, Line { lost_per_mille: 15, ..Line::default() });
    let iperf = Iperf::start(&path.server);
    let daemon = Daemon::start(&path.gateway, &[LAN], "");
    let names = ["RetransSegs", "OutSegs", "InSegs"];
    let before = names.map(|name| snmp(&path.client, "Tcp", name));
    iperf.second(&path.client, SERVER_V4, &["-t", "3", "-b", "40M"]);
    // What is still under way when iperf3 has its result.
    path.client.quiet("eth0");
    let after = names.map(|name| snmp(&path.client, "Tcp", name));
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
    let path = Lossy::new(true, Line { lost_per_mille: 15, ..Line::default() });
    let iperf = Iperf::start(&path.server);
    let daemon = Daemon::start(&path.gateway, &[LAN], "");
    let before = snmp(&path.client, "Udp", "OutDatagrams");
    iperf.second(&path.client, SERVER_V4, &["-u", "-l", "1400", "-b", "20M"]);
    let datagrams = snmp(&path.client, "Udp", "OutDatagrams") - before;
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

/// Asks and answers so that every segment is answered at once, without delayed acknowledgements.
fn ask(path: &Lossy, times: usize) {
    let listener = path.server.enter(|| TcpListener::bind(("0.0.0.0", 7_000)).unwrap());
    scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            let mut question = [0; 100];
            while stream.read_exact(&mut question).is_ok() {
                stream.write_all(&[1; 900]).unwrap();
            }
        });
        let mut stream = path.client.enter(|| TcpStream::connect((SERVER_V4, 7_000)).unwrap());
        stream.set_nodelay(true).unwrap();
        let mut answer = [0; 900];
        for _ in 0..times {
            stream.write_all(&[2; 100]).unwrap();
            stream.read_exact(&mut answer).unwrap();
        }
    });
}

/// The mean of 20 round trips of small datagrams through the path, microseconds.
fn datagram_round_trip(path: &Lossy) -> f64 {
    let there = path.server.enter(|| UdpSocket::bind(("0.0.0.0", 7_000)).unwrap());
    let here = path.client.enter(|| UdpSocket::bind(("0.0.0.0", 0)).unwrap());
    here.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                let (len, from) = there.recv_from(&mut [0; 64]).unwrap();
                there.send_to(&[0; 64][..len], from).unwrap();
            }
        });
        let start = Instant::now();
        for _ in 0..20 {
            here.send_to(&[0; 20], (SERVER_V4, 7_000)).unwrap();
            here.recv(&mut [0; 64]).unwrap();
        }
        start.elapsed().as_secs_f64() * 1e6 / 20.0
    })
}

#[test]
fn rtt_is_the_delay_made() {
    if !privileged("rtt_is_the_delay_made") {
        return;
    }
    let path = Lossy::new(true, Line { delay: Duration::from_millis(20), ..Line::default() });
    let daemon = Daemon::start(&path.gateway, &[LAN], "");
    ask(&path, 60);
    let round_trip = datagram_round_trip(&path);
    path.client.quiet("eth0");
    let flows = daemon.stop().flows;
    let made = (path.to_server.mean_held() + path.to_client.mean_held()).as_secs_f64() * 1e6;
    let tcp = flows.iter().find(|flow| flow["server"]["port"] == 7_000).unwrap()["tcp"].clone();
    println!("the line made {made:.0} us, datagrams {round_trip:.0} us, flowd {tcp}");
    let number = |value: &Value| value.as_f64().unwrap();
    let server = &tcp["server_rtt_us"];
    for (what, seen) in
        [("handshake", &tcp["handshake_server_rtt_us"]), ("least", &server["min"]), ("mean", &server["mean"])]
    {
        near(what, number(seen), made, 0.05, 100.0);
        near(what, number(seen), round_trip, 0.05, 100.0);
    }
    assert!(number(&server["count"]) > 50.0);
    // Nothing is between flowd and the client but the client's own kernel.
    for seen in [&tcp["handshake_client_rtt_us"], &tcp["client_rtt_us"]["min"]] {
        assert!(number(seen) < 2_000.0, "{seen}");
    }
}
