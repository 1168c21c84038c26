//! The two ends of a conversation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flow_common::key::{FlowKey, Sender};
use serde::Serialize;

/// Address and port; port 0 for protocols without ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Endpoint {
    pub address: IpAddr,
    pub port: u16,
}

impl Endpoint {
    /// The address and port that `sender` has in `key`.
    #[must_use]
    pub fn of(key: &FlowKey, sender: Sender) -> Self {
        Self { address: address(key, sender), port: port(key, sender) }
    }
}

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
