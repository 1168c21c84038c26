//! Killed and started again: nothing counts twice, and what belongs to others stays as it was.

use std::{
    net::UdpSocket,
    sync::atomic::{AtomicBool, Ordering},
    thread::{scope, sleep},
    time::Duration,
};

use crate::support::{
    daemon::{Daemon, in_flows},
    namespace::{Counts, Namespace, since},
    privileged,
    process::run,
    router::{CLIENT_V4, LAN, Router, SERVER_V4},
};

/// What flowd's handles begin with, as tc shows them.
const OURS: &str = "handle 0xf10d0";

/// The filters of a device as tc shows them: ours, others'.
fn filters(namespace: &Namespace) -> (Vec<String>, Vec<String>) {
    let shown: String =
        ["ingress", "egress"].map(|hook| namespace.tc(&format!("-d filter show dev {LAN} {hook}"))).concat();
    let mut all: Vec<String> = Vec::new();
    for line in shown.lines() {
        match all.last_mut() {
            Some(filter) if !line.starts_with("filter ") => *filter += line,
            _ => all.push(line.to_owned()),
        }
    }
    // The line that opens a priority names no filter.
    all.retain(|filter| !filter.trim_end().ends_with("bpf chain 0"));
    all.into_iter().partition(|filter| filter.contains(OURS))
}

/// Sends until it is told to stop, and at least `count` datagrams.
fn send(router: &Router, stop: &AtomicBool, count: u32) {
    let socket = router.client.enter(|| UdpSocket::bind((CLIENT_V4, 0)).unwrap());
    let mut sent = 0;
    while sent < count || !stop.load(Ordering::Relaxed) {
        socket.send_to(&[0; 200], (SERVER_V4, 5_000)).unwrap();
        sent += 1;
        if sent % 100 == 0 {
            sleep(Duration::from_millis(1));
        }
    }
}

/// What the kernel and flowd say of the same traffic.
fn measured(router: &Router, config: &str, before: [Counts; 2], daemon: Daemon<'_>) {
    assert_eq!(router.gateway.counters(LAN), before, "{config}: it was not quiet while flowd attached");
    send(router, &AtomicBool::new(true), 3_000);
    let kernel = since(router.gateway.quiet(LAN), before);
    let seen = daemon.passages(LAN).map(|passage| passage.wire());
    println!("{config}: flowd {seen:?}, kernel {kernel:?}");
    assert!(seen[0].packets >= 3_000);
    assert_eq!(seen, kernel, "{config}");
    let flows = in_flows(&daemon.stop().flows, LAN).packets;
    assert!(flows >= 3_000 && flows <= kernel[0].packets + kernel[1].packets, "{config}: {flows}");
}

fn story(hook: &str, foreign: bool) {
    let config = format!("hook = \"{hook}\"\n");
    let router = Router::new(false);
    // Answers with ICMP errors only at first; then somebody listens.
    let _there = router.server.enter(|| UdpSocket::bind((SERVER_V4, 5_000)).unwrap());
    let gateway = &router.gateway;
    if foreign {
        gateway.tc(&format!("qdisc add dev {LAN} clsact"));
        for hook in ["ingress", "egress"] {
            // Both say "pass", which ends the chain: the first, of flowd's kind, even at its priority.
            run(gateway
                .command("tc")
                .args(["filter", "add", "dev", LAN, hook, "prio", "1", "protocol", "all"])
                .args(["bpf", "bytecode", "1,6 0 0 4294967295"]));
            let all = "u32 match u32 0 0 flowid 1:1";
            gateway.tc(&format!("filter add dev {LAN} {hook} prio 7 protocol all {all}"));
        }
    }
    let (ours, theirs) = filters(gateway);
    assert!(ours.is_empty());
    let unharmed = |when: &str, ours_now: usize| {
        let (ours, now) = filters(gateway);
        assert_eq!(now, theirs, "{hook}: others' filters {when}");
        assert_eq!(ours.len(), ours_now, "{hook}: our filters {when}: {ours:?}");
    };
    let attached = if hook == "clsact" { 2 } else { 0 };
    let daemon = Daemon::start(gateway, &[LAN], &config);
    assert!(daemon.stderr().contains(&format!("watching {LAN} ({hook})")), "{}", daemon.stderr());
    unharmed("after the start", attached);
    let stop = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| send(&router, &stop, 1_000));
        sleep(Duration::from_millis(500));
        assert_eq!(daemon.end(libc::SIGKILL).code, None);
        // The kernel keeps filters of clsact; links of TCX go with the process.
        unharmed("after SIGKILL", attached);
        stop.store(true, Ordering::Relaxed);
    });
    let before = gateway.quiet(LAN);
    let daemon = Daemon::start(gateway, &[LAN], &config);
    unharmed("after the restart", attached);
    measured(&router, &config, before, daemon);
    unharmed("after SIGTERM", 0);
    // What a flowd on clsact leaves when it is killed, the next removes whatever hook it takes itself.
    Daemon::start(gateway, &[LAN], &config).end(libc::SIGKILL);
    let before = gateway.quiet(LAN);
    let daemon = Daemon::start(gateway, &[LAN], "hook = \"auto\"\n");
    unharmed("with the other hook", 0);
    measured(&router, "hook = \"auto\"", before, daemon);
    unharmed("in the end", 0);
    let qdiscs = gateway.tc(&format!("qdisc show dev {LAN}"));
    assert_eq!(qdiscs.matches("clsact").count(), usize::from(foreign), "{qdiscs}");
}

#[test]
fn killed_and_started_again_on_tcx() {
    if privileged("killed_and_started_again_on_tcx") {
        story("tcx", true);
    }
}

#[test]
fn killed_and_started_again_on_clsact() {
    if privileged("killed_and_started_again_on_clsact") {
        story("clsact", true);
    }
}

#[test]
fn killed_and_started_again_on_a_clsact_of_its_own() {
    if privileged("killed_and_started_again_on_a_clsact_of_its_own") {
        story("clsact", false);
    }
}

#[test]
fn another_kind_of_filter_may_have_the_first_place() {
    if !privileged("another_kind_of_filter_may_have_the_first_place") {
        return;
    }
    let router = Router::new(false);
    let _there = router.server.enter(|| UdpSocket::bind((SERVER_V4, 5_000)).unwrap());
    let gateway = &router.gateway;
    gateway.tc(&format!("qdisc add dev {LAN} clsact"));
    // Matches nothing, so that the chain goes on behind it.
    gateway.tc(&format!(
        "filter add dev {LAN} ingress prio 1 protocol ip u32 match ip protocol 254 0xff flowid 1:1"
    ));
    let (_, theirs) = filters(gateway);
    let before = gateway.quiet(LAN);
    let daemon = Daemon::start(gateway, &[LAN], "hook = \"clsact\"\n");
    assert_eq!(filters(gateway).0.len(), 2);
    measured(&router, "behind another kind", before, daemon);
    assert_eq!(filters(gateway), (Vec::new(), theirs));
}
