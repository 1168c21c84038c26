//! Beside others: another flowd, and programs that drop packets or let them pass.

use std::{fs::File, process::Stdio};

use etherparse::PacketBuilder;

use crate::support::{
    daemon::{Daemon, flowd},
    foreign::Foreign,
    frames::{Wire, mac},
    namespace::Namespace,
    privileged,
    process::{Process, attempt, run},
    until, user,
};

const PACKETS: u64 = 50;

/// A host with `a0` and `b0`, and what they lead to.
fn network() -> (Namespace, Namespace) {
    let [host, peer] = ["host", "peer"].map(Namespace::new);
    for namespace in [&host, &peer] {
        // So that nothing passes but what the tests send.
        namespace.sysctl("ipv6/conf/default/disable_ipv6", "1");
    }
    for (device, there) in [("a0", "eth0"), ("b0", "eth1")] {
        host.veth(device, &peer, there);
        host.up(device, &[]);
        peer.up(there, &[]);
    }
    (host, peer)
}

fn filters(host: &Namespace, device: &str) -> String {
    ["ingress", "egress"].map(|hook| host.tc(&format!("filter show dev {device} {hook}"))).concat()
}

fn has_clsact(host: &Namespace, device: &str) -> bool {
    host.tc(&format!("qdisc show dev {device}")).contains("clsact")
}

/// Sends datagrams to port 5000 of whatever is behind `there`.
fn send(peer: &Namespace, there: &str, to: [u8; 6]) {
    let wire = Wire::open(peer, there);
    for _ in 0..PACKETS {
        let builder =
            PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], to).ipv4([192, 0, 2, 2], [192, 0, 2, 1], 64);
        let mut frame = Vec::new();
        builder.udp(4_000, 5_000).write(&mut frame, b"x").unwrap();
        wire.send(&frame);
    }
}

/// Packets to port 5000 in the flow log.
fn counted(daemon: Daemon<'_>) -> u64 {
    let flows = daemon.stop().flows;
    let of = flows.iter().filter(|flow| flow["transport"] == "udp");
    of.map(|flow| flow["sent"]["packets"].as_u64().unwrap() + flow["received"]["packets"].as_u64().unwrap())
        .sum()
}

fn second(hook: &str) {
    let (host, peer) = network();
    let to = mac(&host, "a0");
    let config = format!("hook = \"{hook}\"\n");
    let first = Daemon::start(&host, &["a0"], &config);
    let before = filters(&host, "a0");
    for other in ["tcx", "clsact"] {
        let folder = user::folder();
        let file = folder.path().join("flowd.toml");
        std::fs::write(&file, format!("hook = \"{other}\"\nlisten = \"127.0.0.1:9436\"\n")).unwrap();
        let refused = attempt(flowd(&host).args(["run", "-i", "a0", "-c"]).arg(&file));
        let said = String::from_utf8(refused.stderr).unwrap();
        println!("{said}");
        assert_eq!(refused.status.code(), Some(1), "{said}");
        let last = said.lines().last().unwrap();
        let holder = format!("process {}", first.id());
        for part in ["flowd: interface a0", "another flowd", &holder, "-i"] {
            assert!(last.contains(part), "{part} is not in: {last}");
        }
        assert_eq!(filters(&host, "a0"), before, "the first one's filters");
    }
    let clean = run(flowd(&host).arg("clean"));
    assert!(clean.contains("a0: a flowd is at work") && clean.lines().count() == 1, "{clean}");
    assert_eq!(filters(&host, "a0"), before, "the first one's filters");
    // On another interface there is no reason to refuse.
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut other = flowd(&host);
    other.args(["run", "-i", "b0", "--listen", "127.0.0.1:9436"]).stdout(Stdio::null());
    let other = Process::start(other.stderr(File::create(log.path()).unwrap()));
    until("the other flowd watches b0", 20, || {
        std::fs::read_to_string(log.path()).unwrap().contains("metrics at").then_some(())
    });
    other.signal(libc::SIGTERM);
    assert_eq!(other.wait(5).0.code(), Some(0));
    send(&peer, "eth0", to);
    first.drained();
    assert_eq!(first.passages("a0")[0].wire().packets, PACKETS, "the first one counts");
    // Whatever the end of the first: its place is free.
    first.end(libc::SIGKILL);
    Daemon::start(&host, &["a0"], &config).stop();
    assert!(!has_clsact(&host, "a0") && filters(&host, "a0").is_empty());
}

#[test]
fn one_flowd_per_interface_on_tcx() {
    if privileged("one_flowd_per_interface_on_tcx") {
        second("tcx");
    }
}

#[test]
fn one_flowd_per_interface_on_clsact() {
    if privileged("one_flowd_per_interface_on_clsact") {
        second("clsact");
    }
}

#[test]
fn one_flowd_per_interface_on_xdp() {
    if privileged("one_flowd_per_interface_on_xdp") {
        second("xdp");
    }
}

#[test]
fn clean_removes_what_is_flowds_and_nothing_else() {
    if !privileged("clean_removes_what_is_flowds_and_nothing_else") {
        return;
    }
    let (host, _peer) = network();
    // On b0 there is a qdisc, with a filter at flowd's very handle, and one without.
    host.tc("qdisc add dev b0 clsact");
    for words in ["prio 1 handle 0xf10d00", "prio 9"] {
        let mut filter = host.command("tc");
        filter.args("filter add dev b0 ingress protocol all".split(' ')).args(words.split(' '));
        run(filter.args(["bpf", "bytecode", "1,6 0 0 4294967295"]));
    }
    let theirs = filters(&host, "b0");
    let leave = || Daemon::start(&host, &["a0", "b0"], "hook = \"clsact\"\n").end(libc::SIGKILL);
    leave();
    assert!(has_clsact(&host, "a0") && filters(&host, "b0") != theirs);
    let said = run(flowd(&host).arg("clean"));
    assert_eq!(said, "a0: removed 2 filters and the clsact qdisc\nb0: removed 2 filters\n");
    assert!(!has_clsact(&host, "a0"));
    assert_eq!(filters(&host, "b0"), theirs);
    assert_eq!(run(flowd(&host).arg("clean")), "nothing to remove\n");
    // A qdisc of ours in which others have put a filter is theirs as well.
    leave();
    host.tc("filter add dev a0 egress prio 9 protocol ip u32 match u32 0 0 flowid 1:1");
    run(flowd(&host).arg("clean"));
    assert!(has_clsact(&host, "a0") && filters(&host, "a0").contains("u32"));
    assert!(!filters(&host, "a0").contains("flow_"));
}

/// What flowd counts of packets to port 5000.
fn beside(host: &Namespace, peer: &Namespace, config: &str, expected: u64) {
    let daemon = Daemon::start(host, &["a0"], config);
    send(peer, "eth0", mac(host, "a0"));
    daemon.drained();
    assert_eq!(counted(daemon), expected, "{config}");
}

#[test]
fn beside_filters_that_drop_or_pass() {
    if !privileged("beside_filters_that_drop_or_pass") {
        return;
    }
    let (host, peer) = network();
    host.tc("qdisc add dev a0 clsact");
    // TC_ACT_SHOT and TC_ACT_OK, by a classic program whose answer is taken as it is.
    for fate in [2, 0] {
        let mut filter = host.command("tc");
        filter.args("filter add dev a0 ingress prio 7 protocol all bpf da bytecode".split(' '));
        run(filter.arg(format!("1,6 0 0 {fate}")));
        for (order, expected) in [("first", PACKETS), ("last", 0)] {
            let config = |hook: &str| format!("hook = \"{hook}\"\norder = \"{order}\"\n");
            beside(&host, &peer, &config("clsact"), expected);
            // TCX comes before every filter of clsact, whatever the order.
            beside(&host, &peer, &config("tcx"), PACKETS);
        }
        host.tc("filter del dev a0 ingress prio 7");
    }
    beside(&host, &peer, "hook = \"clsact\"\norder = \"last\"\n", PACKETS);
    assert!(has_clsact(&host, "a0"), "it was there before us");
}

#[test]
fn beside_tcx_programs_that_drop_or_pass() {
    if !privileged("beside_tcx_programs_that_drop_or_pass") {
        return;
    }
    let (host, peer) = network();
    for drops in [true, false] {
        let other = Foreign::tcx(&host, "a0", drops);
        for (order, expected) in [("first", PACKETS), ("last", 0)] {
            beside(&host, &peer, &format!("hook = \"tcx\"\norder = \"{order}\"\n"), expected);
        }
        // Filters of clsact are behind it.
        beside(&host, &peer, "hook = \"clsact\"\n", 0);
        drop(other);
        beside(&host, &peer, "order = \"last\"\n", PACKETS);
    }
}
