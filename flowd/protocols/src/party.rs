//! The two ends of a conversation.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use flow_common::key::{FlowKey, Sender};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

/// One end of a conversation, with what enrichers know of it. Its JSON form is an object of address, port and facts;
/// the zone stands in the record itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    pub endpoint: Endpoint,
    pub zone: Option<Arc<str>>,
    /// In the order in which enrichers found them; each name at most once.
    pub facts: Vec<Fact>,
}

/// One thing that an enricher knows of an address: a field of the party's JSON object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    pub name: &'static str,
    pub value: FactValue,
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FactValue {
    Text(Arc<str>),
    Number(u64),
}

impl Party {
    /// The end that `sender` is in `key`; nothing else is known of it yet.
    #[must_use]
    pub fn of(key: &FlowKey, sender: Sender) -> Self {
        Self::at(Endpoint::of(key, sender))
    }

    /// The end at `endpoint`; nothing else is known of it yet.
    #[must_use]
    pub const fn at(endpoint: Endpoint) -> Self {
        Self { endpoint, zone: None, facts: Vec::new() }
    }

    /// Says `value` under `name`, instead of what was said there before.
    pub fn tell(&mut self, name: &'static str, value: FactValue) {
        match self.facts.iter_mut().find(|fact| fact.name == name) {
            Some(fact) => fact.value = value,
            None => self.facts.push(Fact { name, value }),
        }
    }
}

impl Serialize for Party {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2 + self.facts.len()))?;
        map.serialize_entry("address", &self.endpoint.address)?;
        map.serialize_entry("port", &self.endpoint.port)?;
        for fact in &self.facts {
            map.serialize_entry(fact.name, &fact.value)?;
        }
        map.end()
    }
}

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
