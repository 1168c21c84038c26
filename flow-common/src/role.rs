//! Who is the client: the sender of the SYN; without one, the peer of the better-known port; else the
//! first sender.

use crate::{
    dissect::{Headers, transport::Transport},
    key::Sender,
    record::RoleBy,
    wire::tcp::flag,
};

/// Services at ports of 1024 and above: databases, caches, queues, proxies, remote desktops, tunnels.
const SERVICES: [u16; 32] = [
    1194, 1433, 1521, 1812, 1883, 2049, 2181, 2375, 3128, 3268, 3306, 3389, 4789, 5060, 5432, 5672, 5900,
    6081, 6379, 6443, 8000, 8080, 8086, 8443, 8883, 9000, 9042, 9090, 9092, 9200, 11211, 27017,
];

/// The client and the rule that says so, from the first packet of a flow.
#[inline(always)]
#[must_use]
pub fn of_first(headers: &Headers, sender: Sender) -> (Sender, RoleBy) {
    let flags = headers.segment.flags;
    if flags & flag::SYN != 0 {
        let client = if flags & flag::ACK == 0 { sender } else { sender.other() };
        return (client, RoleBy::Syn);
    }
    match headers.transport {
        Transport::Icmp => return (sender, RoleBy::First),
        Transport::IcmpAnswer => return (sender.other(), RoleBy::First),
        Transport::Tcp | Transport::Other => {}
    }
    let (source, destination) = (rank(headers.source.port), rank(headers.destination.port));
    if source == destination {
        (sender, RoleBy::First)
    } else if source < destination {
        (sender.other(), RoleBy::Port)
    } else {
        (sender, RoleBy::Port)
    }
}

/// Whether a later segment names the client better than the rule that did so before.
#[inline(always)]
#[must_use]
pub const fn proves_client(flags: u16, role_by: u8) -> bool {
    role_by != RoleBy::Syn as u8 && flags & (flag::SYN | flag::ACK) == flag::SYN
}

/// How well known a port is, smaller is better; ports without a name share a rank.
#[inline(always)]
fn rank(port: u16) -> u32 {
    const UNNAMED: u32 = 1 << 17;
    if port == 0 {
        return UNNAMED;
    }
    if port < 1024 {
        return u32::from(port);
    }
    // Without comparisons, as each would double the ways that the verifier walks: only 0 less 1 has its highest
    // bit set.
    let mut listed = 0_u32;
    for service in SERVICES {
        listed |= u32::from(service ^ port).wrapping_sub(1);
    }
    if listed >> 31 != 0 { (1 << 16) | u32::from(port) } else { UNNAMED }
}
