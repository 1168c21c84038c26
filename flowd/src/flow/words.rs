//! Numbers of records as the words of the JSON schema.

use flow_common::{
    key::{FlowKey, TunnelKind},
    record::{RoleBy, TcpEnd},
};
pub use flowd_protocols::{
    party::{address, port},
    transport::{is_icmp, transport},
};

use super::{Side, Snapshot, Tunnel};

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

/// The bits of such letters.
#[must_use]
pub fn flag_bits(letters: &str) -> u16 {
    let bit = |letter| "FSRPAUECN".find(letter).map_or(0, |bit| 1 << bit);
    letters.chars().map(bit).fold(0, |all, bit| all | bit)
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
        TunnelKind::Vxlan | TunnelKind::Geneve | TunnelKind::Erspan => Some(key.tunnel_id),
        // A GRE key is optional, and the record keeps 0 where there is none.
        TunnelKind::Gre => Some(key.tunnel_id).filter(|id| *id != 0),
        TunnelKind::Ipip
        | TunnelKind::SixInFour
        | TunnelKind::FourInSix
        | TunnelKind::SixInSix
        | TunnelKind::GtpU
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
