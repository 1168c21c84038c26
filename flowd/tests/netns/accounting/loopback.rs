//! Loopback: every packet goes out and comes in at one place, and counts once.

use std::net::UdpSocket;

use crate::support::{
    daemon::{Daemon, in_flows},
    namespace::{Namespace, since},
    nginx::Nginx,
    privileged,
    requests::{by_flowd, by_nginx},
};

/// The kernel counts at the loopback device without the link header.
const LINK_HEADER: u64 = 14;

#[test]
fn loopback_counts_once() {
    if !privileged("loopback_counts_once") {
        return;
    }
    let host = Namespace::new("host");
    host.ethtool("lo", "tso off gso off");
    let nginx = Nginx::start(&host);
    let before = host.quiet("lo");
    let daemon = Daemon::start(&host, &["lo"], "");
    assert_eq!(host.counters("lo"), before, "nothing passes before flowd watches");
    host.run("curl -s -o /dev/null http://127.0.0.1/echo/[1-100] http://[::1]/large/[1-20]");
    host.enter(|| UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"nobody", "127.0.0.1:9").unwrap());
    let truth = nginx.logged(120);
    let kernel = since(host.quiet("lo"), before)[0];
    // No look at its metrics: that would be traffic on this device.
    let ended = daemon.stop();
    let ours = in_flows(&ended.flows, "lo");
    println!("loopback: {ours:?}, kernel {kernel:?}");
    assert_eq!(ours.packets, kernel.packets);
    assert_eq!(ours.bytes - LINK_HEADER * ours.packets, kernel.bytes);
    assert_eq!(by_flowd(&ended.http), by_nginx(&truth));
}
