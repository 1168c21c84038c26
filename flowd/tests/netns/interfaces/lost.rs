//! Interfaces that go.

use crate::support::{daemon::Daemon, namespace::Namespace, privileged, until};

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
