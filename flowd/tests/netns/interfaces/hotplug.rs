//! Interfaces that come, go, move and change their names while flowd runs: every packet of the time in which they
//! were watched counts, and nothing counts twice.

use std::{fs, thread::sleep, time::Duration};

use etherparse::PacketBuilder;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen::Dword, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::{
    attach::xdp::attached,
    support::{
        daemon::{Daemon, in_flows},
        foreign::Foreign,
        frames::Wire,
        namespace::Namespace,
        privileged, until,
    },
};

/// Quick to see what changes.
const QUICK: &str = "interval = \"200ms\"\nevent_interval = \"10ms\"\n";
const HOOKS: [&str; 2] = ["tcx", "clsact"];

struct Scene {
    host: Namespace,
    peer: Namespace,
}

impl Scene {
    /// A host with `w0`, where nothing passes but what the tests send.
    fn new() -> Self {
        let [host, peer] = ["host", "peer"].map(Namespace::new);
        for namespace in [&host, &peer] {
            namespace.sysctl("ipv6/conf/default/disable_ipv6", "1");
        }
        let scene = Self { host, peer };
        scene.add("w0");
        scene
    }

    /// A device of the host; its other end has the same name at the peer.
    fn add(&self, device: &str) {
        self.host.veth(device, &self.peer, device);
        self.peer.ip(&format!("link set {device} up"));
        self.host.ip(&format!("link set {device} up"));
    }

    /// Sends datagrams into what is behind the peer's device.
    fn send(&self, device: &str, packets: u64) {
        let wire = Wire::open(&self.peer, device);
        for _ in 0..packets {
            let frame = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [0xff; 6]);
            let frame = frame.ipv4([192, 0, 2, 2], [192, 0, 2, 1], 64).udp(4_000, 5_000);
            let mut bytes = Vec::new();
            frame.write(&mut bytes, b"x").unwrap();
            wire.send(&bytes);
        }
    }
}

fn start<'a>(scene: &'a Scene, hook: &str, patterns: &[&str]) -> Daemon<'a> {
    Daemon::start(&scene.host, patterns, &format!("{QUICK}hook = \"{hook}\"\n"))
}

/// Waits until it has said so `times`.
fn says(daemon: &Daemon<'_>, part: &str, times: usize) {
    until(part, 5, || (daemon.stderr().matches(part).count() >= times).then_some(()));
}

/// Waits until it has said that a device has gone. On its way out that loses its programs before its name.
fn gone(daemon: &Daemon<'_>, device: &str, times: usize) {
    let said = ["has", "have"].map(|have| format!("interface {device} {have} gone"));
    until("a device has gone", 5, || {
        let stderr = daemon.stderr();
        (said.iter().map(|said| stderr.matches(said).count()).sum::<usize>() >= times).then_some(())
    });
}

fn came(daemon: &Daemon<'_>, device: &str) -> u64 {
    daemon.passages(device)[0].wire().packets
}

/// By the kernel's counters, where both are of the same time.
fn fits(daemon: &Daemon<'_>, device: &str, packets: u64) {
    let labels = [format!("iface=\"{device}\""), "direction=\"ingress\"".to_owned()];
    let labels = labels.each_ref().map(String::as_str);
    let kernel = daemon.metric("flowd_interface_kernel_packets_total", &labels);
    assert_eq!(kernel as u64, packets, "{device}: the kernel's");
    let ratio = daemon.metric("flowd_accounting_ratio", &labels);
    assert!((ratio - 1.0).abs() < 1e-9, "{device}: {ratio}");
}

#[test]
fn an_interface_comes_goes_and_comes_back() {
    if !privileged("an_interface_comes_goes_and_comes_back") {
        return;
    }
    for hook in HOOKS {
        let scene = Scene::new();
        let daemon = start(&scene, hook, &["w*", "!w9"]);
        for round in 1..=2 {
            scene.add("w9");
            scene.add("w1");
            says(&daemon, &format!("watching w1 ({hook})"), round);
            scene.send("w1", 50);
            scene.send("w9", 5);
            let packets = 50 * round as u64;
            assert_eq!(came(&daemon, "w1"), packets, "{hook}");
            fits(&daemon, "w1", packets);
            assert!(daemon.answer("/readyz").ends_with("\nready\n"));
            scene.host.ip("link delete w1");
            scene.host.ip("link delete w9");
            gone(&daemon, "w1", round);
            until("degraded", 5, || daemon.answer("/readyz").contains("degraded: lost w1\n").then_some(()));
            assert_eq!(came(&daemon, "w1"), packets, "what was counted stays");
            assert!(daemon.get("/api/v1/interfaces").contains("\"watched\":false"));
            assert_eq!(daemon.metric("flowd_interface_watched", &["iface=\"w1\""]), 0.0);
        }
        let ended = daemon.stop();
        assert!(!ended.stderr.contains("watching w9"), "{}", ended.stderr);
        assert_eq!(in_flows(&ended.flows, "w1").packets, 100);
        let evicted = ended.flows.iter().filter(|flow| flow["end_reason"] == "evicted").count();
        assert_eq!(evicted, 2, "{:?}", ended.flows);
    }
}

/// Refuses, to this thread and the programs that it starts, sockets of rtnetlink(7) on which one waits for news: of
/// flowd's, only those of its news do not block. Without any rtnetlink there is no attaching.
fn refuse_news() {
    let condition = |argument, operator, value| {
        SeccompCondition::new(argument, Dword, operator, u64::from(i32::cast_unsigned(value))).unwrap()
    };
    let without_waiting = SeccompCmpOp::MaskedEq(u64::from(libc::SOCK_NONBLOCK.cast_unsigned()));
    let rule = SeccompRule::new(vec![
        condition(0, SeccompCmpOp::Eq, libc::AF_NETLINK),
        condition(1, without_waiting, libc::SOCK_NONBLOCK),
    ]);
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(
        [(libc::SYS_socket, vec![rule.unwrap()])].into(),
        SeccompAction::Allow,
        refused,
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn without_the_kernels_news_each_reading_looks() {
    if !privileged("without_the_kernels_news_each_reading_looks") {
        return;
    }
    let refused = || {
        refuse_news();
        for hook in HOOKS {
            let scene = Scene::new();
            let daemon = start(&scene, hook, &["w*"]);
            says(&daemon, "no news of interfaces (Operation not permitted", 1);
            for round in 1..=2 {
                scene.add("w1");
                says(&daemon, &format!("watching w1 ({hook})"), round);
                scene.send("w1", 50);
                assert_eq!(came(&daemon, "w1"), 50 * round as u64, "{hook}");
                scene.host.ip("link delete w1");
                gone(&daemon, "w1", round);
                until("degraded", 5, || {
                    daemon.answer("/readyz").contains("degraded: lost w1\n").then_some(())
                });
            }
            scene.host.ip("link set w0 mtu 1400");
            until("the new size", 5, || daemon.get("/metrics").contains("mtu=\"1400\"").then_some(()));
            scene.host.ip("link set w0 down");
            scene.host.ip("link set w0 name w2");
            says(&daemon, "interface w0 is w2 now", 1);
            assert_eq!(in_flows(&daemon.stop().flows, "w1").packets, 100, "{hook}");
        }
    };
    std::thread::spawn(refused).join().unwrap();
}

/// The hook that has room for one program: an interface that comes back may be taken by then.
#[test]
fn at_xdp_an_interface_comes_back_once_its_place_is_free() {
    if !privileged("at_xdp_an_interface_comes_back_once_its_place_is_free") {
        return;
    }
    let scene = Scene::new();
    let daemon = start(&scene, "xdp", &["w*"]);
    for round in 1..=2 {
        scene.add("w1");
        says(&daemon, "watching w1 (xdp)", round);
        scene.send("w1", 50);
        assert_eq!(came(&daemon, "w1"), 50 * round as u64);
        scene.host.ip("link delete w1");
        gone(&daemon, "w1", round);
    }
    // Another's program is there before the name is one of ours.
    scene.add("x1");
    let other = Foreign::xdp(&scene.host, "x1");
    for change in ["x1 down", "x1 name w1", "w1 up"] {
        scene.host.ip(&format!("link set {change}"));
    }
    let theirs = attached(&scene.host, "w1");
    says(&daemon, "w1 is not watched: interface w1 has an XDP program already (", 1);
    let state = |part: &str| until(part, 5, || daemon.answer("/readyz").contains(part).then_some(()));
    state("degraded: lost w1 (not attached: see the log)\n");
    scene.send("x1", 20);
    scene.send("w0", 20);
    assert_eq!((came(&daemon, "w1"), came(&daemon, "w0")), (100, 20), "the others go on");
    assert_eq!(attached(&scene.host, "w1"), theirs, "what is another's stays");
    drop(other);
    says(&daemon, "watching w1 (xdp)", 3);
    state("\nready\n");
    scene.send("x1", 50);
    assert_eq!(came(&daemon, "w1"), 150);
    let ended = daemon.stop();
    assert_eq!(in_flows(&ended.flows, "w1").packets, 150);
    assert_eq!(attached(&scene.host, "w1"), "");
}

#[test]
fn a_name_counts_whatever_device_has_it() {
    if !privileged("a_name_counts_whatever_device_has_it") {
        return;
    }
    for hook in HOOKS {
        let scene = Scene::new();
        scene.add("w1");
        let daemon = start(&scene, hook, &["w*"]);
        let rename = |from: &str, to: &str| {
            scene.host.ip(&format!("link set {from} down"));
            scene.host.ip(&format!("link set {from} name {to}"));
            scene.host.ip(&format!("link set {to} up"));
        };
        scene.send("w1", 50);
        assert_eq!(came(&daemon, "w1"), 50);
        rename("w1", "w2");
        says(&daemon, "interface w1 is w2 now", 1);
        scene.send("w1", 20);
        assert_eq!((came(&daemon, "w1"), came(&daemon, "w2")), (50, 20), "{hook}");
        fits(&daemon, "w2", 20);
        // Two that swap their names go on under these.
        rename("w2", "x");
        rename("w0", "w2");
        rename("x", "w0");
        // The peer's ends keep their names.
        until("w1's other end counts as w0", 5, || {
            let before = came(&daemon, "w0");
            scene.send("w1", 1);
            (came(&daemon, "w0") == before + 1).then_some(())
        });
        let before = came(&daemon, "w2");
        scene.send("w0", 10);
        assert_eq!(came(&daemon, "w2"), before + 10, "{hook}");
        // Out of the patterns.
        rename("w0", "y");
        gone(&daemon, "w0", 1);
        daemon.stop();
    }
}

#[test]
fn a_device_moves_to_another_namespace_and_back() {
    if !privileged("a_device_moves_to_another_namespace_and_back") {
        return;
    }
    for hook in HOOKS {
        let scene = Scene::new();
        scene.add("w1");
        let daemon = start(&scene, hook, &["w*"]);
        let there = &scene.peer.name;
        scene.host.ip(&format!("link set w1 name v1 netns {there}"));
        gone(&daemon, "w1", 1);
        scene.peer.ip("link set v1 up");
        scene.send("w1", 20);
        let back = |wait: bool| {
            scene.peer.ip(&format!("link set v1 name w1 netns {}", scene.host.name));
            scene.host.ip("link set w1 up");
            if wait {
                says(&daemon, "watching w1", 2);
            }
        };
        back(true);
        assert_eq!(came(&daemon, "w1"), 0, "{hook}: what passed elsewhere");
        scene.send("w1", 50);
        assert_eq!(came(&daemon, "w1"), 50, "{hook}");
        // There and back before anybody looks, perhaps.
        scene.host.ip(&format!("link set w1 name v1 netns {there}"));
        back(false);
        daemon.drained();
        daemon.drained();
        scene.send("w1", 30);
        assert_eq!(came(&daemon, "w1"), 80, "{hook}");
        assert_eq!(in_flows(&daemon.stop().flows, "w1").packets, 80);
    }
}

#[test]
fn up_and_down_loses_nothing() {
    if !privileged("up_and_down_loses_nothing") {
        return;
    }
    let scene = Scene::new();
    let daemon = start(&scene, "auto", &["w0"]);
    for round in 1..=3 {
        scene.send("w0", 10);
        assert_eq!(came(&daemon, "w0"), 10 * round);
        fits(&daemon, "w0", 10 * round);
        scene.host.ip("link set w0 down");
        scene.host.ip("link set w0 up");
    }
    let ended = daemon.stop();
    assert!(!ended.stderr.contains("gone"), "{}", ended.stderr);
    assert_eq!(in_flows(&ended.flows, "w0").packets, 30);
    assert_eq!(ended.flows.len(), 1, "one flow all the time: {:?}", ended.flows);
}

#[test]
fn flapping_leaves_nothing_behind() {
    if !privileged("flapping_leaves_nothing_behind") {
        return;
    }
    const ROUNDS: usize = 20;
    const PACKETS: u64 = 7;
    for hook in HOOKS {
        let scene = Scene::new();
        let daemon = start(&scene, hook, &["w*"]);
        let open = || fs::read_dir(format!("/proc/{}/fd", daemon.id())).unwrap().count();
        let claims = || {
            let sockets = scene.host.enter(|| fs::read_to_string("/proc/thread-self/net/unix").unwrap());
            sockets.matches("flowd/interface/").count()
        };
        // It opens some for a moment all the time.
        let least = |_| {
            sleep(Duration::from_millis(10));
            (open(), claims())
        };
        let before = (0..20).map(least).min().unwrap();
        for round in 1..=ROUNDS {
            scene.add("w1");
            says(&daemon, "watching w1", round);
            scene.send("w1", PACKETS);
            scene.host.ip("link delete w1");
            gone(&daemon, "w1", round);
        }
        let all = PACKETS * ROUNDS as u64;
        assert_eq!(came(&daemon, "w1"), all, "{hook}");
        until("no descriptor, no claim is left", 5, || ((open(), claims()) == before).then_some(()));
        assert_eq!(daemon.metric("flowd_flows_active", &["iface=\"w1\""]), 0.0);
        assert_eq!(in_flows(&daemon.stop().flows, "w1").packets, all, "{hook}");
    }
}

#[test]
fn other_interfaces_by_sighup() {
    if !privileged("other_interfaces_by_sighup") {
        return;
    }
    let scene = Scene::new();
    scene.add("w1");
    let config = |patterns: &str| format!("interfaces = [{patterns}]\n{QUICK}hook = \"clsact\"\n");
    let mut daemon = Daemon::start(&scene.host, &[], &config("\"w0\""));
    daemon.configure(&config("\"w0\", \"w1\""));
    says(&daemon, "watching w1", 1);
    scene.send("w1", 10);
    assert_eq!(came(&daemon, "w1"), 10);
    // One that matches nothing, and one that is none: all stays as it was.
    for (round, pattern) in [(1, "z*"), (2, "w[")] {
        daemon.configure(&config(&format!("\"w1\", \"{pattern}\"")));
        says(&daemon, "not taken over", round);
        assert!(daemon.stderr().contains(&format!("\"{pattern}\"")), "{}", daemon.stderr());
    }
    scene.send("w0", 10);
    assert_eq!(came(&daemon, "w0"), 10);
    daemon.configure(&config("\"w1\""));
    says(&daemon, "not watching w0 any more", 1);
    assert!(!scene.host.tc("qdisc show dev w0").contains("clsact"));
    scene.send("w0", 10);
    scene.send("w1", 10);
    assert_eq!((came(&daemon, "w0"), came(&daemon, "w1")), (10, 20));
    assert!(daemon.answer("/readyz").ends_with("\nready\n"), "nobody misses what is not to be watched");
    let ended = daemon.stop();
    assert!(!ended.stderr.contains("restart"), "{}", ended.stderr);
}
