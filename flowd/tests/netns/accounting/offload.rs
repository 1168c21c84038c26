//! Super-packets count as what crosses the wire. The oracle is a device without offloads behind flowd's hook:
//! the kernel cuts the super-packets there, and the device counts each segment with its headers.

use std::{net::UdpSocket, os::fd::AsRawFd as _};

use crate::support::{
    alone::alone,
    daemon::Daemon,
    iperf::Iperf,
    namespace::{Counts, since},
    privileged,
    router::{LAN, Router, SERVER_V4, SERVER_V6, WAN},
};

const LINK_HEADER: u64 = 14;

/// Sends `len` bytes by one system call, to be cut into datagrams of `segment` bytes (udp(7), UDP_SEGMENT).
pub fn super_datagram(socket: &UdpSocket, to: &str, len: usize, segment: libc::c_int) {
    // SAFETY: the value is an int of the stated size that lives through the call.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_SEGMENT,
            std::ptr::from_ref(&segment).cast(),
            size_of::<libc::c_int>() as u32,
        )
    };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
    assert_eq!(socket.send_to(&vec![1; len], (to, 5_000)).unwrap(), len);
}

#[test]
fn super_packets_count_as_on_the_wire() {
    if !privileged("super_packets_count_as_on_the_wire") {
        return;
    }
    let _alone = alone();
    let router = Router::new(true);
    for device in [LAN, WAN] {
        // What leaves the gateway is cut after flowd saw it.
        router.gateway.ethtool(device, "tso off gso off tx-udp-segmentation off");
    }
    let iperf = Iperf::start(&router.server);
    let before = [LAN, WAN].map(|device| router.gateway.quiet(device));
    let daemon = Daemon::start(&router.gateway, &[LAN, WAN], "");
    for (server, any) in [(SERVER_V4, "0.0.0.0"), (SERVER_V6, "::")] {
        iperf.second(&router.client, server, &[]);
        iperf.second(&router.client, server, &["-R"]);
        let _there = router.server.enter(|| UdpSocket::bind((any, 5_000)).unwrap());
        let here = router.client.enter(|| UdpSocket::bind((any, 0)).unwrap());
        for (len, segment) in [(60_000, 1_000), (1_000, 1_000), (1_001, 1_000), (20_000, 1_400), (50, 1)] {
            super_datagram(&here, server, len, segment);
        }
    }
    for (device, before) in [LAN, WAN].into_iter().zip(before) {
        let kernel = since(router.gateway.quiet(device), before);
        let [ingress, egress] = daemon.passages(device);
        println!(
            "{device}: egress wire {:?} of {:?} skbs, kernel {:?}",
            egress.wire(),
            egress.skbs(),
            kernel[1]
        );
        assert!(egress.wire().packets > 2 * egress.skbs().packets);
        assert_eq!(egress.wire(), kernel[1], "{device}: segments as the device sent them");
        assert_eq!(ingress.skbs(), kernel[0], "{device}: skbs as the device got them");
    }
    daemon.stop();
}

#[test]
fn merged_packets_count_as_on_the_wire() {
    if !privileged("merged_packets_count_as_on_the_wire") {
        return;
    }
    let _alone = alone();
    let router = Router::new(false);
    // The client sends single segments; its gateway merges them before flowd's hook.
    router.gateway.ethtool(LAN, "gro on");
    let iperf = Iperf::start(&router.server);
    let before = router.client.quiet("eth0");
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    for server in [SERVER_V4, SERVER_V6] {
        iperf.second(&router.client, server, &[]);
    }
    let sent = since(router.client.quiet("eth0"), before)[1];
    let [ingress, _] = daemon.passages(LAN);
    println!("ingress wire {:?} of {:?} skbs, the client sent {sent:?}", ingress.wire(), ingress.skbs());
    assert!(ingress.skbs().packets < sent.packets, "nothing was merged");
    // On a device that merges, veth counts what comes without the link header.
    assert_eq!(ingress.wire(), Counts { bytes: sent.bytes + LINK_HEADER * sent.packets, ..sent });
    daemon.stop();
}
