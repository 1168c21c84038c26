//! Headers against etherparse, a parser of other people: every packet at every cut length, and with every
//! byte set to 0x00, to 0xff and with its highest bit flipped.
//!
//! `dissect` must never panic, and where both read a field they must agree. Where the two differ by design:
//!
//! - **What is no header to one of them.** PPPoE, MPLS, SCTP, UDP-Lite, DCCP, and the IPv6 headers of HIP,
//!   Shim6 and Mobility are unknown to etherparse, MACsec and the AH of IPv4 to `dissect` (there AH is a flow
//!   of its own). Those are held against the numbers they were made from.
//! - **Where a chain of IPv6 headers breaks off.** etherparse reports an error for a hop-by-hop header that
//!   is not the first and for an AH of no length; `dissect` walks on, as routers do. It stops after 8
//!   headers, and at the fragment header of a later fragment, behind which there is no header.
//! - **Fragments.** etherparse reads no transport header of a first fragment, `dissect` does: later ones get
//!   their ports from it.
//! - **Lengths.** etherparse takes an IPv4 length below the header's and an IPv6 length of 0 as "to the end";
//!   to `dissect` the first is malformed and the second empty, unless the frame is too long for the field
//!   (BIG TCP). `dissect` tells lengths on the wire, etherparse what the cut left of them.
//! - **UDP's own length field.** `dissect` counts the payload by the IP length, as the kernel's counters do.
//! - **A TCP header that claims to be longer than its packet** stops etherparse; `dissect` keeps its flow, with
//!   no payload.
#![allow(clippy::indexing_slicing, clippy::panic, reason = "helpers of tests are tests")]
#[path = "../support/mod.rs"]
mod support;

mod compare;
mod generate;
mod tunnels;

use compare::{agree, try_everything};
use etherparse::PacketBuilder;
use generate::packet;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_packet_cut_and_damaged_anywhere(frame in packet()) {
        try_everything(&frame);
    }
}

#[test]
fn what_etherparse_builds() {
    let payload = [7; 40];
    let (mac, client, server) = ([2; 6], [10, 0, 0, 1], [192, 0, 2, 7]);
    let (client6, server6) = ([0x20; 16], [0x21; 16]);
    let mut frames: Vec<Vec<u8>> = Vec::new();
    macro_rules! built {
        ($builder:expr) => {{
            let mut frame = Vec::new();
            assert!($builder.write(&mut frame, &payload).is_ok());
            frames.push(frame);
        }};
    }
    built!(PacketBuilder::ethernet2(mac, mac).ipv4(client, server, 9).udp(1000, 53));
    built!(PacketBuilder::ethernet2(mac, mac).ipv6(client6, server6, 9).udp(1000, 53));
    built!(
        PacketBuilder::ethernet2(mac, mac)
            .ipv4(client, server, 9)
            .tcp(1000, 80, u32::MAX, 500)
            .syn()
            .ece()
            .cwr()
    );
    built!(
        PacketBuilder::ethernet2(mac, mac)
            .single_vlan(100.try_into().unwrap_or_default())
            .ipv6(client6, server6, 9)
            .tcp(1000, 80, 7, 500)
            .ack(9)
            .psh()
            .ns()
    );
    built!(
        PacketBuilder::ethernet2(mac, mac)
            .double_vlan(100.try_into().unwrap_or_default(), 4095.try_into().unwrap_or_default())
            .ipv4(client, server, 9)
            .icmpv4_echo_request(77, 1)
    );
    built!(PacketBuilder::ethernet2(mac, mac).ipv6(client6, server6, 9).icmpv6_echo_reply(77, 1));
    for frame in &frames {
        assert!(agree(frame, frame.len()).transport, "etherparse and dissect both read the transport");
        try_everything(frame);
    }
}
