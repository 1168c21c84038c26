//! The zone an address belongs to.

mod ranges;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use ipnetwork::IpNetwork;

use self::ranges::Ranges;
use crate::config::{self, BUILT_IN_ZONES};

/// A zone by number. A name keeps its number as long as the daemon runs, so that its series go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Zone(u16);

impl Zone {
    /// What no other zone holds.
    pub const INTERNET: Self = Self(0);
    /// Private use (RFC 1918), unique local (RFC 4193), carrier-grade NAT (RFC 6598), loopback, unspecified,
    /// broadcast.
    pub const PRIVATE: Self = Self(1);
    /// One link: RFC 3927 and RFC 4291 section 2.5.6.
    pub const LINK_LOCAL: Self = Self(2);
    pub const MULTICAST: Self = Self(3);

    /// Its number, for those who know zones by nothing else.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The zone with this number.
    #[must_use]
    pub const fn numbered(number: u16) -> Self {
        Self(number)
    }

    /// The built-in zone of `address`.
    #[must_use]
    pub fn built_in(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => built_in_v4(address),
            IpAddr::V6(address) => built_in_v6(address),
        }
    }
}

/// Which way a conversation goes, as seen from the zones that are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Both ends are ours.
    Internal,
    /// The client is ours.
    Outbound,
    /// The server is ours.
    Inbound,
    /// Neither is.
    Transit,
}

impl Way {
    /// The word in records and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
            Self::Transit => "transit",
        }
    }
}

/// The nets of a packet's source and destination, or of client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nets {
    pub source: Zone,
    pub destination: Zone,
}

impl Nets {
    /// As seen by the other end.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source }
    }
}

/// All zones and the nets they are made of.
#[derive(Clone, Debug)]
pub struct Zones {
    /// By number. Names that the configuration has no longer stay, as their series do.
    names: Vec<Arc<str>>,
    home: Vec<bool>,
    /// Zones that the configuration names.
    configured: Vec<Zone>,
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

impl Zones {
    /// The zones of a configuration.
    #[must_use]
    pub fn new(config: &config::Zones) -> Self {
        Self::with(BUILT_IN_ZONES.map(Arc::from).to_vec(), config)
    }

    /// The zones of another configuration, in which names keep their numbers.
    #[must_use]
    pub fn renewed(&self, config: &config::Zones) -> Self {
        Self::with(self.names.clone(), config)
    }

    fn with(mut names: Vec<Arc<str>>, config: &config::Zones) -> Self {
        let mut numbers: HashMap<Arc<str>, u16> =
            (0..).zip(&names).map(|(at, name)| (Arc::clone(name), at)).collect();
        let mut number = |name: &str| {
            if let Some(number) = numbers.get(name) {
                return *number;
            }
            // A daemon that was told more names than there are numbers puts the rest into the internet.
            let Ok(number) = u16::try_from(names.len()) else { return Zone::INTERNET.0 };
            let name: Arc<str> = Arc::from(name);
            names.push(Arc::clone(&name));
            numbers.insert(name, number);
            number
        };
        let configured = config.nets.keys().map(|name| Zone(number(name))).collect();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for net in config.nets() {
            let zone = number(net.zone);
            match net.net {
                IpNetwork::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits(), zone)),
                IpNetwork::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits(), zone)),
            }
        }
        let home = names.iter().map(|name| config.home.iter().any(|home| **home == **name)).collect();
        Self { names, home, configured, v4: Ranges::new(v4), v6: Ranges::new(v6) }
    }

    /// The zone of `address`: of the longest configured prefix, else the built-in one. IPv6 addresses that
    /// stand for IPv4 are in the zone of that.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Zone {
        let address = address.to_canonical();
        let found = match address {
            IpAddr::V4(address) => self.v4.find(address.to_bits()),
            IpAddr::V6(address) => self.v6.find(address.to_bits()),
        };
        found.map_or_else(|| Zone::built_in(address), Zone)
    }

    /// The zone's name.
    #[must_use]
    pub fn name(&self, zone: Zone) -> &Arc<str> {
        // Every zone comes from here or from the zones that these renewed.
        static INTERNET: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(|| Arc::from("internet"));
        self.names.get(usize::from(zone.0)).unwrap_or(&INTERNET)
    }

    /// The name of the zone of `address`.
    #[must_use]
    pub fn name_of(&self, address: IpAddr) -> Arc<str> {
        Arc::clone(self.name(self.of(address)))
    }

    /// Which way a conversation from a client in one zone to a server in another goes.
    #[must_use]
    pub fn way(&self, client: Zone, server: Zone) -> Way {
        let ours = |zone: Zone| self.home.get(usize::from(zone.0)).copied().unwrap_or_default();
        match (ours(client), ours(server)) {
            (true, true) => Way::Internal,
            (true, false) => Way::Outbound,
            (false, true) => Way::Inbound,
            (false, false) => Way::Transit,
        }
    }

    /// Zones in which traffic is to be expected: private, internet and those of the configuration.
    pub fn expected(&self) -> impl Iterator<Item = Zone> {
        let built_in = [Zone::PRIVATE, Zone::INTERNET];
        built_in
            .into_iter()
            .chain(self.configured.iter().copied().filter(move |zone| !built_in.contains(zone)))
    }
}

fn built_in_v4(address: Ipv4Addr) -> Zone {
    let [first, second, ..] = address.octets();
    if address.is_link_local() {
        Zone::LINK_LOCAL
    } else if address.is_multicast() {
        Zone::MULTICAST
    } else if address.is_private()
        || address.is_loopback()
        || address.is_broadcast()
        || first == 0
        || first == 100 && second & 0xc0 == 64
    {
        Zone::PRIVATE
    } else {
        Zone::INTERNET
    }
}

fn built_in_v6(address: Ipv6Addr) -> Zone {
    if let Some(mapped) = address.to_ipv4_mapped() {
        built_in_v4(mapped)
    } else if address.is_unicast_link_local() {
        Zone::LINK_LOCAL
    } else if address.is_multicast() {
        Zone::MULTICAST
    } else if address.is_loopback() || address.is_unspecified() || address.is_unique_local() {
        Zone::PRIVATE
    } else {
        Zone::INTERNET
    }
}

#[cfg(test)]
mod tests;
