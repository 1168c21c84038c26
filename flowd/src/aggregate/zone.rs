//! The net an address belongs to, as a label.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Zone {
    /// Addresses that no router of the internet carries: private use (RFC 1918), unique local (RFC 4193),
    /// carrier-grade NAT (RFC 6598), link-local, loopback, unspecified, broadcast, and multicast, whose
    /// receivers are on this side.
    Private,
    /// Everything else.
    Internet,
}

impl Zone {
    pub const ALL: [Self; 2] = [Self::Private, Self::Internet];

    /// The zone of `address`.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let private = match address {
            IpAddr::V4(address) => private_v4(address),
            IpAddr::V6(address) => private_v6(address),
        };
        if private { Self::Private } else { Self::Internet }
    }

    /// The label value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internet => "internet",
        }
    }
}

fn private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || first == 0
        || first == 100 && second & 0xc0 == 64
}

fn private_v6(address: Ipv6Addr) -> bool {
    match address.to_ipv4_mapped() {
        Some(mapped) => private_v4(mapped),
        None => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_every_border() {
        for (address, zone) in [
            ("10.255.255.255", Zone::Private),
            ("11.0.0.0", Zone::Internet),
            ("172.15.255.255", Zone::Internet),
            ("172.31.0.1", Zone::Private),
            ("172.32.0.0", Zone::Internet),
            ("192.168.0.1", Zone::Private),
            ("100.63.255.255", Zone::Internet),
            ("100.64.0.0", Zone::Private),
            ("100.127.255.255", Zone::Private),
            ("100.128.0.0", Zone::Internet),
            ("127.0.0.1", Zone::Private),
            ("169.254.1.1", Zone::Private),
            ("224.0.0.251", Zone::Private),
            ("255.255.255.255", Zone::Private),
            ("0.0.0.0", Zone::Private),
            ("8.8.8.8", Zone::Internet),
            ("::1", Zone::Private),
            ("::", Zone::Private),
            ("fd00::1", Zone::Private),
            ("fe80::1", Zone::Private),
            ("ff02::fb", Zone::Private),
            ("2001:4860::8888", Zone::Internet),
            ("::ffff:10.0.0.1", Zone::Private),
        ] {
            assert_eq!(Zone::of(address.parse().unwrap()), zone, "{address}");
        }
    }
}
