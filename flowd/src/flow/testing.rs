//! Records made by hand, for the tests of this crate.

use flow_common::{
    key::{Direction, Endpoint, FlowKey, Scope, Sender, TunnelKind},
    record::{FlowRecord, Half, RoleBy, Volume},
    shared::Share as _,
};

/// The scope of plain IPv4 or IPv6 on interface slot `interface`.
pub(crate) fn scope(interface: u16, protocol: u8, ipv6: bool) -> Scope {
    Scope { interface, vlans: 0, protocol, ipv6, tunnel: TunnelKind::None, tunnel_id: 0 }
}

/// An IPv4 endpoint.
pub(crate) fn v4(address: [u8; 4], port: u16) -> Endpoint {
    Endpoint::v4(u32::from_ne_bytes(address), port)
}

/// A record of `key` without traffic whose client is `client`.
pub(crate) fn empty(key: FlowKey, client: Sender, start: u64) -> FlowRecord {
    let mut record = FlowRecord::new(&key, start);
    record.client = client as u8;
    record
}

/// SYN and ACK.
const SYN_ACK: u16 = 0x12;

/// A TCP connection from 10.0.0.1 to 198.51.100.7:`port`, its client's packets on their way in, seen on
/// interface slot `interface`; the server has answered.
pub(crate) fn connection(interface: u16, client_port: u16, port: u16, start: u64) -> FlowRecord {
    let (key, client) = FlowKey::new(
        v4([10, 0, 0, 1], client_port),
        v4([198, 51, 100, 7], port),
        &scope(interface, 6, false),
        Some(Direction::Ingress),
    );
    let mut record = empty(key, client, start);
    record.role_by = RoleBy::Syn as u8;
    record.half_mut(client.other()).tcp_flags = SYN_ACK;
    record
}

/// Adds `packets` of `bytes` octets of IP each, sent by `sender` until `last`.
pub(crate) fn send(record: &mut FlowRecord, sender: Sender, packets: u64, bytes: u64, last: u64) {
    let half = record.half_mut(sender);
    Half::shared(half).count(
        0,
        &Volume {
            packets,
            skb_packets: packets,
            ip_bytes: packets * bytes,
            frame_bytes: packets * (bytes + 14),
            payload_bytes: packets * bytes.saturating_sub(40),
        },
        |_, _| {},
    );
    if half.first == 0 {
        half.first = last;
    }
    half.last = last;
}
