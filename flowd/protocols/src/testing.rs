//! Keys made by hand, for the tests of this crate.

use flow_common::key::{Endpoint, Scope, TunnelKind};

/// The scope of plain IPv4 or IPv6 on interface slot `interface`.
pub(crate) fn scope(interface: u16, protocol: u8, ipv6: bool) -> Scope {
    Scope { interface, vlans: 0, protocol, ipv6, tunnel: TunnelKind::None, tunnel_id: 0 }
}

/// An IPv4 endpoint.
pub(crate) fn v4(address: [u8; 4], port: u16) -> Endpoint {
    Endpoint::v4(u32::from_ne_bytes(address), port)
}
