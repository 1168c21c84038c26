//! Beside others: another flowd, and programs that drop packets or let them pass.

use std::{fs::File, process::Stdio};

use etherparse::PacketBuilder;

use crate::support::{
    daemon::{Daemon, flowd},
    foreign::{Fate, Foreign, filter},
    frames::{Wire, index, mac},
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
    for fate in [Fate::Drop, Fate::Pass] {
        let other = Foreign::tcx(&host, "a0", "theirs", fate);
        for (order, expected) in [("first", PACKETS), ("last", 0)] {
            beside(&host, &peer, &format!("hook = \"tcx\"\norder = \"{order}\"\n"), expected);
        }
        // Filters of clsact are behind it.
        beside(&host, &peer, "hook = \"clsact\"\n", 0);
        drop(other);
        beside(&host, &peer, "order = \"last\"\n", PACKETS);
    }
}

/// Programs that lead packets elsewhere or change them: what is counted where.
#[test]
fn beside_tcx_programs_that_redirect_or_rewrite() {
    if !privileged("beside_tcx_programs_that_redirect_or_rewrite") {
        return;
    }
    let (host, peer) = network();
    let out = index(&host, "b0");
    for (order, seen) in [("first", PACKETS), ("last", 0)] {
        let _other = Foreign::tcx(&host, "a0", "theirs", Fate::Redirect(out));
        let daemon = Daemon::start(&host, &["a0", "b0"], &format!("hook = \"tcx\"\norder = \"{order}\"\n"));
        send(&peer, "eth0", mac(&host, "a0"));
        let came = daemon.passages("a0")[0].wire().packets;
        let went = daemon.passages("b0")[1].wire().packets;
        assert_eq!((came, went), (seen, PACKETS), "redirect, {order}");
        daemon.stop();
    }
    for (order, port) in [("first", 5_000), ("last", 6_000)] {
        let _other = Foreign::tcx(&host, "a0", "theirs", Fate::Port(6_000));
        let daemon = Daemon::start(&host, &["a0"], &format!("hook = \"tcx\"\norder = \"{order}\"\n"));
        send(&peer, "eth0", mac(&host, "a0"));
        assert_eq!(daemon.passages("a0")[0].wire().packets, PACKETS, "rewrite, {order}");
        let flows = daemon.stop().flows;
        let ports = |flow: &serde_json::Value| ["client", "server"].map(|end| flow[end]["port"].clone());
        assert!(flows.iter().any(|flow| ports(flow).contains(&port.into())), "{order}: {flows:?}");
    }
}

/// Starts flowd, which must refuse; gives what it says.
fn refused(host: &Namespace, config: &str) -> String {
    let folder = user::folder();
    let file = folder.path().join("flowd.toml");
    std::fs::write(&file, format!("{config}listen = \"127.0.0.1:9436\"\n")).unwrap();
    user::own(&file);
    let refused = attempt(flowd(host).args(["run", "-i", "a0", "-c"]).arg(&file));
    assert_eq!(refused.status.code(), Some(1));
    String::from_utf8(refused.stderr).unwrap()
}

#[test]
fn a_place_next_to_a_named_tcx_program() {
    if !privileged("a_place_next_to_a_named_tcx_program") {
        return;
    }
    let (host, peer) = network();
    let _first = Foreign::tcx(&host, "a0", "their_first", Fate::Next);
    let _second = Foreign::tcx(&host, "a0", "their_second_so", Fate::Drop);
    if user::is_other() {
        let said = refused(&host, "order = \"after:their_first\"\n");
        assert!(said.contains("CAP_SYS_ADMIN"), "{said}");
        return;
    }
    for (order, expected) in [
        ("before:their_first", PACKETS),
        ("after:their_first", PACKETS),
        // Longer than what the kernel keeps.
        ("before:their_second_so_long", PACKETS),
        ("after:their_second_so_long", 0),
    ] {
        beside(&host, &peer, &format!("order = \"{order}\"\n"), expected);
    }
    let said = refused(&host, "order = \"after:nobody\"\n");
    for part in ["a0", "\"nobody\"", "their_first, their_second_so"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[test]
fn a_place_next_to_a_named_filter() {
    if !privileged("a_place_next_to_a_named_filter") {
        return;
    }
    let (host, peer) = network();
    host.tc("qdisc add dev a0 clsact");
    filter(&host, "a0", "their_first", 7, Fate::Next);
    filter(&host, "a0", "their_second.o:[tc]", 8, Fate::Drop);
    let theirs = filters(&host, "a0");
    for (order, expected) in [
        ("before:their_first", PACKETS),
        ("before:their_second.o:[tc]", PACKETS),
        ("after:their_second.o:[tc]", 0),
    ] {
        beside(&host, &peer, &format!("hook = \"clsact\"\norder = \"{order}\"\n"), expected);
    }
    assert_eq!(filters(&host, "a0"), theirs);
    let said = refused(&host, "hook = \"clsact\"\norder = \"before:nobody\"\n");
    assert!(said.contains("their_first, their_second.o:[tc]"), "{said}");
    // The hook is the one where the program stands.
    let daemon = Daemon::start(&host, &["a0"], "order = \"before:their_first\"\n");
    assert!(daemon.stderr().contains("watching a0 (clsact)"), "{}", daemon.stderr());
}
