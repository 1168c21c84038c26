//! SIGTERM and SIGINT: all is written, nothing stays attached, and it is quick, whoever holds it up.

use std::{
    fs::OpenOptions,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    time::Duration,
};

use etherparse::PacketBuilder;

use crate::support::{
    daemon::{Daemon, in_flows},
    frames::{Wire, mac},
    namespace::Namespace,
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4},
    user,
};

/// More than a log's queue holds.
const FLOWS: u16 = 30_000;

fn story(signal: i32) {
    let router = Router::new(false);
    let to = mac(&router.gateway, LAN);
    router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], "flows = 65536\n");
    // One connection that ends, and one that goes on.
    let listener = router.server.enter(|| TcpListener::bind((SERVER_V4, 7)).unwrap());
    let connect = || {
        let here = router.client.enter(|| TcpStream::connect((SERVER_V4, 7)).unwrap());
        (here, listener.accept().unwrap().0)
    };
    let (mut closed, mut other) = connect();
    closed.write_all(b"bye").unwrap();
    drop(closed);
    other.read_to_end(&mut Vec::new()).unwrap();
    drop(other);
    let _open = connect();
    let wire = Wire::open(&router.client, "eth0");
    for port in 1..=FLOWS {
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], to)
            .ipv4([192, 0, 2, 2], [192, 0, 2, 1], 64)
            .udp(port, 40_000);
        let mut frame = Vec::new();
        builder.write(&mut frame, b"x").unwrap();
        wire.send(&frame);
    }
    router.gateway.quiet(LAN);
    let passages = daemon.passages(LAN);
    let all: u64 = passages.iter().map(|passage| passage.wire().packets - passage.skipped().packets).sum();
    let ended = daemon.end(signal);
    println!("signal {signal}: {} flow lines, ended in {:?}", ended.flows.len(), ended.took);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let of = |transport: &str| {
        ended.flows.iter().filter(|flow| flow["transport"] == transport).collect::<Vec<_>>()
    };
    assert_eq!(of("udp").len(), usize::from(FLOWS));
    assert!(of("udp").iter().all(|flow| flow["end_reason"] == "shutdown"));
    let mut reasons: Vec<_> = of("tcp").iter().map(|flow| flow["end_reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["fin", "shutdown"]);
    assert_eq!(in_flows(&ended.flows, LAN).packets, all);
    for hook in ["ingress", "egress"] {
        assert_eq!(router.gateway.tc(&format!("filter show dev {LAN} {hook}")), "");
    }
    // The port is free again, and so is the device.
    let ended = Daemon::start(&router.gateway, &[LAN], "").end(signal);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(2), "{:?}", ended.took);
}

#[test]
fn sigterm_writes_all_and_detaches() {
    if privileged("sigterm_writes_all_and_detaches") {
        story(libc::SIGTERM);
    }
}

#[test]
fn sigint_writes_all_and_detaches() {
    if privileged("sigint_writes_all_and_detaches") {
        story(libc::SIGINT);
    }
}

/// A pipe that nobody reads, and clients that send no request: two seconds all the same.
#[test]
fn nobody_holds_up_the_end() {
    if !privileged("nobody_holds_up_the_end") {
        return;
    }
    const FLOWS: u16 = 3_000;
    let [host, peer] = ["host", "peer"].map(Namespace::new);
    host.veth("a0", &peer, "eth0");
    host.up("a0", &[]);
    peer.up("eth0", &[]);
    let folder = user::folder();
    let pipe = folder.path().join("pipe");
    run(Command::new("mkfifo").args(["-m", "666"]).arg(&pipe));
    let _held = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let config = format!("flow_log = \"{}\"\nlog_queue = 16\n", pipe.display());
    let daemon = Daemon::start(&host, &["a0"], &config);
    let wire = Wire::open(&peer, "eth0");
    let to = mac(&host, "a0");
    for port in 1..=FLOWS {
        let builder =
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], to).ipv4([192, 0, 2, 2], [192, 0, 2, 1], 64);
        let mut frame = Vec::new();
        builder.udp(port, 40_000).write(&mut frame, b"x").unwrap();
        wire.send(&frame);
    }
    daemon.drained();
    let connect = || host.enter(|| TcpStream::connect("127.0.0.1:9435").unwrap());
    let _silent = connect();
    let mut slow = connect();
    slow.write_all(b"GET /api/v1/http/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let ended = daemon.end(libc::SIGTERM);
    println!("ended in {:?}", ended.took);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(2), "{:?}: {}", ended.took, ended.stderr);
    assert!(
        ended.stderr.contains("flow_log: its output takes nothing; ending without its last "),
        "{}",
        ended.stderr
    );
}
