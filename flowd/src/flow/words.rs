//! Numbers of records as the words of the JSON schema.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flow_common::{
    key::{FlowKey, Sender, TunnelKind},
    record::{RoleBy, TcpEnd},
};

use super::{Side, Snapshot, Tunnel};

/// Address of one endpoint of `key`.
#[must_use]
pub fn address(key: &FlowKey, of: Sender) -> IpAddr {
    let words = match of {
        Sender::A => key.a_address,
        Sender::B => key.b_address,
    };
    // The words stand as in the header: their bytes in memory are the address.
    let [high, low] = words.map(u64::from_be);
    let bits = u128::from(high) << 64 | u128::from(low);
    // IPv4 stands in the last four bytes.
    if key.is_ipv6() {
        IpAddr::V6(Ipv6Addr::from_bits(bits))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(bits as u32))
    }
}

/// Port of one endpoint of `key`, as the packet path put it there.
#[must_use]
pub const fn port(key: &FlowKey, of: Sender) -> u16 {
    match of {
        Sender::A => key.a_port,
        Sender::B => key.b_port,
    }
}

/// The common name of an IP protocol; `None` where there is none.
#[must_use]
pub const fn transport(protocol: u8) -> Option<&'static str> {
    Some(match protocol {
        1 => "icmp",
        2 => "igmp",
        4 => "ipip",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        41 => "ipv6",
        46 => "rsvp",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmpv6",
        59 => "ipv6-nonxt",
        88 => "eigrp",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        115 => "l2tp",
        132 => "sctp",
        136 => "udplite",
        _ => return None,
    })
}

/// True for protocols whose key ports hold an echo identifier.
#[must_use]
pub const fn is_icmp(protocol: u8) -> bool {
    matches!(protocol, 1 | 58)
}

/// Flags from the lowest bit: `FSRPAUECN`.
#[must_use]
pub fn flags(bits: u16) -> String {
    "FSRPAUECN"
        .chars()
        .enumerate()
        .filter(|(bit, _)| bits >> bit & 1 == 1)
        .map(|(_, letter)| letter)
        .collect()
}

/// The rule that named the client.
#[must_use]
pub const fn role_by(rule: u8) -> &'static str {
    if rule == RoleBy::Syn as u8 {
        "syn"
    } else if rule == RoleBy::Port as u8 {
        "port"
    } else {
        "first"
    }
}

/// The outer kind and id, where the flow was wrapped.
#[must_use]
pub fn tunnel(key: &FlowKey) -> Option<Tunnel> {
    let kind = key.tunnel();
    let id = match kind {
        TunnelKind::None => return None,
        TunnelKind::Vxlan | TunnelKind::Geneve | TunnelKind::GtpU => Some(key.tunnel_id),
        // A GRE key is optional, and the record keeps 0 where there is none.
        TunnelKind::Gre => Some(key.tunnel_id).filter(|id| *id != 0),
        TunnelKind::Ipip
        | TunnelKind::SixInFour
        | TunnelKind::FourInSix
        | TunnelKind::SixInSix
        | TunnelKind::Teredo => None,
    };
    Some(Tunnel { kind: kind.name(), id })
}

/// Zeek's `conn_state` of a TCP flow, decided by the last state of either endpoint.
#[must_use]
pub fn connection_state(flow: &Snapshot) -> &'static str {
    let (client, server) = (flow.side(flow.client), flow.side(flow.client.other()));
    let is = |side: &Side, state: TcpEnd| side.state == state as u8;
    let quiet = |side: &Side| is(side, TcpEnd::Inactive) || is(side, TcpEnd::Partial);
    if is(server, TcpEnd::Reset) {
        let no_data = client.volume.payload_bytes == 0 && server.volume.payload_bytes == 0;
        let opening = is(client, TcpEnd::SynSent) || is(client, TcpEnd::SynAckSent);
        if opening || is(client, TcpEnd::Reset) && no_data {
            "REJ"
        } else if quiet(client) {
            "RSTRH"
        } else {
            "RSTR"
        }
    } else if is(client, TcpEnd::Reset) {
        if quiet(server) { "RSTOS0" } else { "RSTO" }
    } else if is(client, TcpEnd::Closed) && is(server, TcpEnd::Closed) {
        "SF"
    } else if is(client, TcpEnd::Closed) {
        if quiet(server) { "SH" } else { "S2" }
    } else if is(server, TcpEnd::Closed) {
        if quiet(client) { "SHR" } else { "S3" }
    } else if is(client, TcpEnd::SynSent) && is(server, TcpEnd::Inactive) {
        "S0"
    } else if is(client, TcpEnd::Established) && is(server, TcpEnd::Established) {
        "S1"
    } else {
        "OTH"
    }
}
