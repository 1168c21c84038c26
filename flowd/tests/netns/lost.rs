//! Interfaces that go, and outputs and clients that hold up the end.

use std::{fs::OpenOptions, io::Write as _, net::TcpStream, process::Command, time::Duration};

use etherparse::PacketBuilder;

use crate::support::{
    daemon::Daemon,
    frames::{Wire, mac},
    namespace::Namespace,
    privileged,
    process::run,
    until, user,
};

fn network() -> (Namespace, Namespace) {
    let [host, peer] = ["host", "peer"].map(Namespace::new);
    for (device, there) in [("a0", "eth0"), ("b0", "eth1")] {
        host.veth(device, &peer, there);
        host.up(device, &[]);
        peer.up(there, &[]);
    }
    (host, peer)
}

fn lost(hook: &str) {
    let (host, _peer) = network();
    let daemon = Daemon::start(&host, &["*0", "!lo*"], &format!("hook = \"{hook}\"\n"));
    assert!(daemon.stderr().contains("watching b0") && !daemon.stderr().contains("watching lo"));
    let says = |part: &str| until(part, 5, || daemon.answer("/readyz").contains(part).then_some(()));
    says("200 OK");
    says("\r\n\r\nready\n");
    host.ip("link delete b0");
    says("degraded: lost b0\n");
    says("200 OK");
    // What was counted stays.
    assert!(daemon.get("/metrics").contains("iface=\"b0\""));
    // A new name that the pattern matches is no loss.
    host.ip("link set a0 down");
    host.ip("link set a0 name c0");
    daemon.drained();
    says("degraded: lost b0\n");
    host.ip("link delete c0");
    says("503");
    says("lost b0, c0\n");
    // With nothing to watch it waits.
    host.ip("link add b0 type veth peer name b1");
    says("degraded: lost c0\n");
    host.ip("link add c0 type veth peer name c1");
    says("\r\n\r\nready\n");
    let ended = daemon.stop();
    assert_eq!(ended.stderr.matches("has gone").count(), 2, "each once: {}", ended.stderr);
}

#[test]
fn a_lost_interface_is_named_on_tcx() {
    if privileged("a_lost_interface_is_named_on_tcx") {
        lost("tcx");
    }
}

#[test]
fn a_lost_interface_is_named_on_clsact() {
    if privileged("a_lost_interface_is_named_on_clsact") {
        lost("clsact");
    }
}

/// A pipe that nobody reads, and clients that send no request: two seconds all the same.
#[test]
fn nobody_holds_up_the_end() {
    if !privileged("nobody_holds_up_the_end") {
        return;
    }
    const FLOWS: u16 = 3_000;
    let (host, peer) = network();
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
    slow.write_all(b"GET /api/v1/http/stream HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let ended = daemon.end(libc::SIGTERM);
    println!("ended in {:?}", ended.took);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(2), "{:?}: {}", ended.took, ended.stderr);
    assert!(ended.stderr.contains("takes no lines"), "{}", ended.stderr);
}
