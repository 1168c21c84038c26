//! Frames that make no flow: each is counted under its reason, and none is fatal.

use etherparse::PacketBuilder;

use crate::support::{
    daemon::{Daemon, Passage, in_flows},
    frames::{Wire, ethernet, mac},
    namespace::{Namespace, since},
    privileged,
};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// A good datagram without its link header.
fn datagram(ipv6: bool) -> Vec<u8> {
    let mut packet = Vec::new();
    if ipv6 {
        let builder = PacketBuilder::ipv6([0x20; 16], [0x21; 16], 64).udp(1_000, 2_000);
        builder.write(&mut packet, &[9; 40]).unwrap();
    } else {
        let builder = PacketBuilder::ipv4([192, 0, 2, 2], [192, 0, 2, 1], 64).udp(1_000, 2_000);
        builder.write(&mut packet, &[9; 40]).unwrap();
    }
    packet
}

/// Reason (or `flow`) and frame.
fn frames(to: [u8; 6]) -> Vec<(&'static str, Vec<u8>)> {
    let [v4, v6] = [datagram(false), datagram(true)];
    let with = |packet: &[u8], at: usize, byte: u8| {
        let mut changed = packet.to_vec();
        changed[at] = byte;
        changed
    };
    let mut all = vec![
        ("flow", ethernet(to, IPV4, &v4)),
        ("flow", ethernet(to, IPV6, &v6)),
        ("arp", ethernet(to, 0x0806, &[0, 1, 8, 0, 6, 4, 0, 1].repeat(4))),
        ("arp", ethernet(to, 0x8035, &[0; 46])),
        // LLDP, spanning tree, loopback test, an empty frame, a type that nobody knows.
        ("not_ip", ethernet([1, 0x80, 0xc2, 0, 0, 0xe], 0x88cc, &[2, 7, 4, 0])),
        ("not_ip", ethernet([1, 0x80, 0xc2, 0, 0, 0], 38, &[0x42, 0x42, 3])),
        ("not_ip", ethernet(to, 0x9000, &[])),
        ("not_ip", ethernet(to, 0xffff, &[0; 900])),
        ("malformed", ethernet(to, IPV4, &with(&v4, 0, 0x55))),
        ("malformed", ethernet(to, IPV4, &with(&v4, 0, 0x44))),
        ("malformed", ethernet(to, IPV6, &with(&v6, 0, 0x40))),
        ("truncated", ethernet(to, IPV4, &[])),
        ("truncated", ethernet(to, IPV6, &[])),
    ];
    for cut in [1, 8, 19] {
        all.push(("truncated", ethernet(to, IPV4, &v4[..cut])));
    }
    for cut in [1, 20, 39] {
        all.push(("truncated", ethernet(to, IPV6, &v6[..cut])));
    }
    // Ends inside the ports.
    all.push(("truncated", ethernet(to, IPV4, &v4[..22])));
    all.push(("truncated", ethernet(to, IPV6, &v6[..42])));
    all
}

#[test]
fn every_frame_is_in_a_flow_or_under_its_reason() {
    if !privileged("every_frame_is_in_a_flow_or_under_its_reason") {
        return;
    }
    let [here, there] = ["here", "there"].map(Namespace::new);
    here.veth("eth0", &there, "eth0");
    // Without addresses nobody else sends anything.
    for end in [&here, &there] {
        end.sysctl("ipv6/conf/eth0/disable_ipv6", "1");
        end.ip("link set eth0 up");
    }
    let before = there.quiet("eth0");
    let daemon = Daemon::start(&there, &["eth0"], "interval = \"100ms\"\n");
    // In by one direction, out by the other.
    for (sender, at) in [(&here, 0), (&there, 1)] {
        let wire = Wire::open(sender, "eth0");
        let to = mac(&there, "eth0");
        let mut frames = frames(to);
        if at == 1 {
            // Ends inside a VLAN tag: on the way in, the kernel drops it before any hook.
            frames.push(("truncated", ethernet(to, 0x8100, &[0])));
        }
        for (number, (reason, frame)) in frames.iter().enumerate() {
            let before = take(daemon.passages("eth0"), at);
            wire.send(frame);
            let after = take(daemon.passages("eth0"), at);
            let name = format!("direction {at}, frame {number} ({reason}): {frame:02x?}");
            assert_eq!(after.wire().packets, before.wire().packets + 1, "{name}");
            assert_eq!(after.wire().bytes, before.wire().bytes + frame.len() as u64, "{name}");
            for known in ["arp", "not_ip", "truncated", "malformed", "table_full", "unknown_interface"] {
                let added = after.reason(known) - before.reason(known);
                assert_eq!(added, u64::from(*reason == known), "{name}: {known}");
            }
        }
    }
    let kernel = since(there.quiet("eth0"), before);
    let passages = daemon.passages("eth0");
    assert_eq!([0, 1].map(|at: usize| passages[at].wire()), kernel);
    let skipped: u64 = passages.iter().map(|passage| passage.skipped().packets).sum();
    let by_metric = daemon.metric("flowd_packets_unaccounted_total", &["iface=\"eth0\""]) as u64;
    assert_eq!(by_metric, skipped);
    let flows = in_flows(&daemon.stop().flows, "eth0");
    println!("kernel {kernel:?}: {} packets in flows, {skipped} skipped", flows.packets);
    assert_eq!(flows.packets + skipped, kernel[0].packets + kernel[1].packets);
}

fn take(passages: [Passage; 2], at: usize) -> Passage {
    passages.into_iter().nth(at).unwrap()
}
