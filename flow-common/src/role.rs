//! Who is the client: the sender of the SYN; without one, the peer of the better-known port; else the
//! first sender.

use crate::{
    dissect::{Headers, Transport},
    key::Sender,
    ports,
    record::RoleBy,
    wire::tcp::flag,
};

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
    if port < ports::FIRST_LISTED {
        return u32::from(port);
    }
    // Without comparisons, as each would double the ways that the verifier walks: only 0 less 1 has its highest
    // bit set.
    let mut listed = 0_u32;
    for service in ports::LISTED {
        listed |= u32::from(service ^ port).wrapping_sub(1);
    }
    if listed >> 31 != 0 { (1 << 16) | u32::from(port) } else { UNNAMED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_with_a_name_is_better_known_than_one_without() {
        for (port, name) in ports::NAMES {
            assert!(rank(port) < rank(40_000), "{port}, {name}");
        }
        assert!(rank(22) < rank(80) && rank(443) < rank(1194) && rank(1194) < rank(6379));
        assert_eq!(rank(0), rank(40_000));
        assert_eq!(rank(1_500), rank(40_000));
    }
}
