//! Ingress by XDP, in the driver and in the kernel: the same numbers as everywhere.

use std::net::UdpSocket;

use crate::support::{
    daemon::{Daemon, flowd, in_flows},
    foreign::Foreign,
    namespace::{Counts, Namespace, since},
    nginx::Nginx,
    privileged,
    process::attempt,
    requests::{by_flowd, by_nginx},
    router::{CLIENT_V4, LAN, Router, SERVER_V4, SERVER_V6},
    user,
};

/// Where its driver runs XDP, veth counts what it receives without the link header; loopback always does.
const LINK_HEADER: u64 = 14;

/// What is attached to a device, as the kernel shows it.
pub fn attached(namespace: &Namespace, device: &str) -> String {
    let link = namespace.ip(&format!("-d link show dev {device}"));
    let xdp: Vec<&str> = link.split_whitespace().filter(|word| word.contains("xdp")).collect();
    let filters = ["ingress", "egress"].map(|at| namespace.tc(&format!("filter show dev {device} {at}")));
    format!("{}{}", xdp.join(" "), filters.concat())
}

fn with_link_header(received: Counts) -> Counts {
    Counts { bytes: received.bytes + LINK_HEADER * received.packets, ..received }
}

fn story(mode: &str, word: &str, native: bool) {
    let router = Router::new(false);
    let nginx = Nginx::start(&router.server);
    let config = format!("hook = \"xdp\"\nxdp_mode = \"{mode}\"\n");
    // Killed, it leaves nothing: its link goes with the process.
    Daemon::start(&router.gateway, &[LAN], &config).end(libc::SIGKILL);
    assert_eq!(attached(&router.gateway, LAN), "", "after SIGKILL");
    let daemon = Daemon::start(&router.gateway, &[LAN], &config);
    assert!(daemon.stderr().contains(&format!("watching {LAN} ({word})")), "{}", daemon.stderr());
    assert!(attached(&router.gateway, LAN).contains("xdp"));
    let before = router.gateway.quiet(LAN);
    let seen_before = daemon.passages(LAN).map(|passage| passage.wire());
    for server in [SERVER_V4.to_owned(), format!("[{SERVER_V6}]")] {
        let paths = "/large/[1-20]";
        router.client.run(&format!("curl -sS --max-time 20 -o /dev/null http://{server}{paths}"));
        router.client.run(&format!("curl -sS --max-time 20 -o /dev/null http://{server}/echo/[1-20]"));
    }
    let here = router.client.enter(|| UdpSocket::bind((CLIENT_V4, 0)).unwrap());
    // Fragments, and an ICMP error that comes back.
    here.send_to(&vec![7; 20_000], (SERVER_V4, 9)).unwrap();
    let truth = nginx.logged(80);
    let mut kernel = since(router.gateway.quiet(LAN), before);
    if native {
        kernel[0] = with_link_header(kernel[0]);
    }
    let passages = daemon.passages(LAN);
    let seen = since([passages[0].wire(), passages[1].wire()], seen_before);
    println!("{word}: kernel {kernel:?}, flowd {seen:?}");
    assert_eq!(seen, kernel);
    assert!(seen[0].packets > 200);
    let passed: u64 = passages.iter().map(|passage| passage.wire().packets).sum();
    let skipped: u64 = passages.iter().map(|passage| passage.skipped().packets).sum();
    let ended = daemon.stop();
    assert_eq!(by_flowd(&ended.http), by_nginx(&truth));
    assert_eq!(in_flows(&ended.flows, LAN).packets + skipped, passed);
    assert_eq!(attached(&router.gateway, LAN), "", "after SIGTERM");
}

#[test]
fn native_xdp_is_exact() {
    if privileged("native_xdp_is_exact") {
        story("auto", "xdp", true);
    }
}

#[test]
fn generic_xdp_is_exact() {
    if privileged("generic_xdp_is_exact") {
        story("generic", "xdp-generic", false);
    }
}

/// Frames that the driver hands over in several buffers.
#[test]
fn jumbo_frames_at_native_xdp() {
    if !privileged("jumbo_frames_at_native_xdp") {
        return;
    }
    let router = Router::new(false);
    for (host, device) in router.devices() {
        host.ip(&format!("link set {device} mtu 9000"));
    }
    let daemon = Daemon::start(&router.gateway, &[LAN], "hook = \"xdp\"\nxdp_mode = \"native\"\n");
    let here = router.client.enter(|| UdpSocket::bind((CLIENT_V4, 0)).unwrap());
    let there = router.server.enter(|| UdpSocket::bind((SERVER_V4, 5_000)).unwrap());
    for _ in 0..50 {
        here.send_to(&[7; 8_000], (SERVER_V4, 5_000)).unwrap();
        there.recv(&mut [0; 9_000]).unwrap();
    }
    let flows = daemon.stop().flows;
    let sent = &flows.iter().find(|flow| flow["transport"] == "udp").unwrap()["sent"];
    assert_eq!((sent["packets"].as_u64(), sent["frame_bytes"].as_u64()), (Some(50), Some(50 * 8_042)));
}

/// Loopback has no driver for it; every packet comes in there once.
#[test]
fn loopback_at_generic_xdp() {
    if !privileged("loopback_at_generic_xdp") {
        return;
    }
    let host = Namespace::new("host");
    host.ethtool("lo", "tso off gso off");
    let nginx = Nginx::start(&host);
    let daemon = Daemon::start(&host, &["lo"], "hook = \"xdp\"\n");
    assert!(daemon.stderr().contains("watching lo (xdp-generic)"), "{}", daemon.stderr());
    let before = host.quiet("lo");
    host.run("curl -s -o /dev/null http://127.0.0.1/echo/[1-50] http://[::1]/large/[1-5]");
    let truth = nginx.logged(55);
    let kernel = with_link_header(since(host.quiet("lo"), before)[0]);
    let ended = daemon.stop();
    assert_eq!(in_flows(&ended.flows, "lo"), kernel);
    assert_eq!(by_flowd(&ended.http), by_nginx(&truth));
    assert_eq!(attached(&host, "lo"), "");
}

#[test]
fn what_xdp_cannot_is_refused_with_its_remedy() {
    if !privileged("what_xdp_cannot_is_refused_with_its_remedy") {
        return;
    }
    let [host, peer] = ["host", "peer"].map(Namespace::new);
    host.veth("a0", &peer, "eth0");
    host.up("a0", &[]);
    let folder = user::folder();
    let file = folder.path().join("flowd.toml");
    let refused = |device: &str, mode: &str, parts: &[&str]| {
        std::fs::write(&file, format!("hook = \"xdp\"\nxdp_mode = \"{mode}\"\n")).unwrap();
        let ended = attempt(flowd(&host).args(["run", "-i", device, "-c"]).arg(&file));
        let said = String::from_utf8(ended.stderr).unwrap();
        let last = said.lines().last().unwrap();
        println!("{last}");
        assert_eq!(ended.status.code(), Some(1), "{said}");
        for part in parts {
            assert!(last.contains(part), "{part} is not in: {last}");
        }
    };
    refused("lo", "native", &["flowd: ", "interface lo", "native", "xdp_mode = \"auto\""]);
    let other = Foreign::xdp(&host, "a0");
    let before = attached(&host, "a0");
    for mode in ["auto", "native", "generic"] {
        refused("a0", mode, &["flowd: interface a0 has an XDP program already (", "hook = \"auto\""]);
    }
    assert_eq!(attached(&host, "a0"), before, "the other's program");
    let checked = attempt(flowd(&host).args(["check", "-i", "a0", "-c"]).arg(&file));
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("xdp a0") && said.contains("XDP program there"), "{said}");
    // By TC it works beside the other.
    Daemon::start(&host, &["a0"], "").stop();
    drop(other);
    Daemon::start(&host, &["a0"], "hook = \"xdp\"\n").stop();
    assert_eq!(attached(&host, "a0"), "");
}
