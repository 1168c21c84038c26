//! What payload copies tell about the applications: one file per protocol.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flow_common::key::{FlowKey, Sender};

use crate::flow::Endpoint;

pub mod http;

/// The address and port that `sender` has in `key`.
#[must_use]
pub fn endpoint(key: &FlowKey, sender: Sender) -> Endpoint {
    let (address, port) = match sender {
        Sender::A => (key.a_address, key.a_port),
        Sender::B => (key.b_address, key.b_port),
    };
    // Words lie in the key as they lay in the packet, so their bytes are in network order already.
    let [first, second, third, fourth] = address.map(u32::to_ne_bytes);
    let address = if key.is_ipv6() {
        let mut bytes = [0; 16];
        let words = first.into_iter().chain(second).chain(third).chain(fourth);
        for (to, from) in bytes.iter_mut().zip(words) {
            *to = from;
        }
        IpAddr::V6(Ipv6Addr::from(bytes))
    } else {
        IpAddr::V4(Ipv4Addr::from(fourth))
    };
    Endpoint { address, port }
}
