//! What stands between the frame's addresses and the IP packet.
#![allow(clippy::indexing_slicing, reason = "helpers of tests are tests")]
mod support;

use flow_common::record::FlowRecord;
use support::{
    World,
    frames::{self, IPV4, V4},
};

fn datagram() -> Vec<u8> {
    V4::of(17).wrap(&frames::udp(4_000, 53, &[1; 20]))
}

/// The one flow of one frame.
fn flow(frame: &[u8]) -> Option<FlowRecord> {
    let mut world = World::new(8);
    world.feed(frame);
    world.records().pop()
}

/// Tags of switches older than IEEE 802.1ad are tags.
#[test]
fn tags_by_any_of_their_ethertypes() {
    for kind in [0x8100, 0x88a8, 0x9100, 0x9200] {
        let found = flow(&frames::tagged(&[(kind, 7)], IPV4, &datagram()));
        let vlans = found.map(|record| record.key.vlans());
        assert_eq!(vlans.map(|vlans| vlans[0]), Some(7), "{kind:04x}");
    }
}

/// IP behind LLC and SNAP (RFC 1042); what is LLC without it is no IP.
#[test]
fn ip_behind_llc_and_snap() {
    let snap = |organisation: u8| {
        let head = [0xaa, 0xaa, 3, 0, 0, organisation, 8, 0];
        let payload = [&head[..], &datagram()].concat();
        frames::ethernet(payload.len() as u16, &payload)
    };
    assert!(flow(&snap(0)).is_some());
    assert!(flow(&snap(9)).is_none(), "another organisation's protocol");
    let spanning_tree = [0x42, 0x42, 3, 0, 0, 0, 0, 0];
    assert!(flow(&frames::ethernet(spanning_tree.len() as u16, &spanning_tree)).is_none());
}
