//! Which ids of tunnels tell conversations apart, and which belong to one direction.
#![allow(clippy::indexing_slicing, reason = "helpers of tests are tests")]
mod support;

use flow_common::{key::TunnelKind, record::FlowRecord, settings::Settings};
use support::{
    World,
    frames::{self, CLIENT, IPV4, SERVER, V4},
};

/// Forth from the client, and back.
const FORTH: bool = true;
const BACK: bool = false;

fn between(forth: bool, protocol: u8, inner: &[u8]) -> Vec<u8> {
    let (source, destination) = if forth { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    V4 { source, destination, ..V4::of(protocol) }.wrap(inner)
}

/// The same datagram of one conversation, either way.
fn datagram(forth: bool) -> Vec<u8> {
    let (source, destination) = if forth { (4_000, 53) } else { (53, 4_000) };
    between(forth, 17, &frames::udp(source, destination, &[1; 20]))
}

fn gre(forth: bool, key: u32) -> Vec<u8> {
    frames::ethernet(IPV4, &between(forth, 47, &frames::gre(Some(key), IPV4, &datagram(forth))))
}

fn over_udp(forth: bool, port: u16, inner: &[u8]) -> Vec<u8> {
    frames::ethernet(IPV4, &between(forth, 17, &frames::udp(port, port, inner)))
}

fn gtp(forth: bool, teid: u32) -> Vec<u8> {
    over_udp(forth, 2152, &frames::gtp(teid, false, &datagram(forth)))
}

fn vxlan(forth: bool, vni: u32) -> Vec<u8> {
    over_udp(forth, 4789, &frames::vxlan(vni, &frames::ethernet(IPV4, &datagram(forth))))
}

/// Key or TEID under which each inner flow stands, and the packets either way.
fn inner(packets: &[Vec<u8>]) -> Vec<(u32, u64, u64)> {
    let mut world = World::new(32);
    packets.iter().for_each(|packet| world.feed(packet));
    world.records().iter().filter(|record| record.key.tunnel() != TunnelKind::None).map(summary).collect()
}

fn summary(record: &FlowRecord) -> (u32, u64, u64) {
    let packets = |half: usize| record.halves[half].volume().packets;
    let (a, b) = (packets(0), packets(1));
    (record.key.tunnel_id, a.max(b), a.min(b))
}

#[test]
fn a_teid_belongs_to_its_receiver() {
    // The third packet comes after a handover.
    let packets = [gtp(FORTH, 1), gtp(BACK, 2), gtp(BACK, 3), gtp(FORTH, 1)];
    assert_eq!(inner(&packets), [(0, 2, 2)]);
}

#[test]
fn a_key_of_each_direction() {
    let packets = [gre(FORTH, 7), gre(BACK, 9), gre(BACK, 9), gre(FORTH, 7), gre(BACK, 9)];
    assert_eq!(inner(&packets), [(7, 3, 2)]);
    let packets = [gre(BACK, 9), gre(BACK, 9), gre(FORTH, 7)];
    assert_eq!(inner(&packets), [(9, 2, 1)]);
}

/// Two customers with the same addresses, in any order.
#[test]
fn a_key_of_each_customer() {
    let apart = [(7, 2, 2), (9, 2, 2)];
    for order in [
        [(FORTH, 7), (BACK, 7), (FORTH, 7), (BACK, 7), (FORTH, 9), (BACK, 9), (FORTH, 9), (BACK, 9)],
        [(FORTH, 7), (FORTH, 9), (BACK, 9), (BACK, 7), (FORTH, 7), (FORTH, 9), (BACK, 9), (BACK, 7)],
        [(FORTH, 7), (FORTH, 9), (FORTH, 9), (FORTH, 7), (BACK, 7), (BACK, 9), (BACK, 9), (BACK, 7)],
    ] {
        let packets = order.map(|(forth, key)| gre(forth, key));
        assert_eq!(inner(&packets), apart, "{order:?}");
    }
}

/// A network's number is the same both ways.
#[test]
fn a_network_of_each_customer() {
    let packets = [vxlan(FORTH, 7), vxlan(BACK, 7), vxlan(FORTH, 9), vxlan(BACK, 9)];
    assert_eq!(inner(&packets), [(7, 1, 1), (9, 1, 1)]);
}

/// A mirrored trunk may show each direction in a VLAN of its own; without being asked, VLANs are nets of their own.
#[test]
fn a_vlan_of_each_direction() {
    let frames = [(FORTH, 100), (BACK, 200)].map(|(forth, id)| {
        frames::tagged(&[(frames::VLAN, id), (frames::VLAN, id + 1)], IPV4, &datagram(forth))
    });
    let mut world = World::new(8);
    frames.iter().for_each(|frame| world.feed(frame));
    assert_eq!(world.records().len(), 2);
    let mut world = World::new(8);
    world.settings = Settings { ignore_vlan: 1, ..world.settings };
    frames.iter().for_each(|frame| world.feed(frame));
    let records = world.records();
    assert_eq!(records.iter().map(summary).collect::<Vec<_>>(), [(0, 1, 1)]);
    assert_eq!(records[0].key.vlans(), [0; 3]);
}
