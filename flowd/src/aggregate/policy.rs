//! What numbers are told apart by, and how far: the part of the configuration that can change while the
//! daemon runs.

mod services;

use std::{net::IpAddr, sync::Arc};

use flow_common::record::RoleBy;
use flowd_numbers::LabelPolicy;

use self::services::Services;
use super::{Nets, Way, Zone, Zones};
use crate::{
    config::{Config, FlowLabel, Series},
    flow::{Snapshot, words},
};

/// SYN in the flags of a flow's side.
const SYN: u16 = 2;

/// Zones, services, labels and limits.
#[derive(Clone, Debug)]
pub struct Policy {
    pub zones: Zones,
    pub series: Series,
    services: Services,
    /// Every host that was ever a label value, in lower case.
    hosts: Vec<Arc<str>>,
    uses: [bool; FlowLabel::ALL.len()],
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(&Config::default())
    }
}

impl Policy {
    /// What `config` says.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self::with(Zones::new(&config.zones), Vec::new(), config)
    }

    /// What another configuration says; zones and hosts keep their numbers.
    #[must_use]
    pub fn renewed(&self, config: &Config) -> Self {
        Self::with(self.zones.renewed(&config.zones), self.hosts.clone(), config)
    }

    fn with(zones: Zones, mut hosts: Vec<Arc<str>>, config: &Config) -> Self {
        let series = config.series.clone();
        for host in series.hosts.iter().map(|host| host.to_ascii_lowercase()) {
            if hosts.iter().all(|known| **known != *host) {
                hosts.push(Arc::from(host));
            }
        }
        let uses = FlowLabel::ALL.map(|label| series.flow_labels.contains(&label));
        Self { zones, services: Services::new(&series.services), series, hosts, uses }
    }

    /// True if the flow families have this label.
    #[must_use]
    pub fn uses(&self, label: FlowLabel) -> bool {
        FlowLabel::ALL.iter().zip(self.uses).any(|(other, used)| *other == label && used)
    }

    /// True if some label of the flow families, beside the observation point, has a value for every flow.
    #[must_use]
    pub(super) fn tells_flows_apart(&self) -> bool {
        self.series.flow_labels.iter().any(|label| match label {
            FlowLabel::Proto
            | FlowLabel::SrcNet
            | FlowLabel::DstNet
            | FlowLabel::ZoneDirection
            | FlowLabel::Vlan
            | FlowLabel::Dscp
            | FlowLabel::App => true,
            FlowLabel::Iface
            | FlowLabel::Direction
            | FlowLabel::ServerPort
            | FlowLabel::Service
            | FlowLabel::SrcAddr
            | FlowLabel::DstAddr => false,
        })
    }

    /// True if the flow families have labels with addresses.
    #[must_use]
    pub fn uses_addresses(&self) -> bool {
        self.uses(FlowLabel::SrcAddr) || self.uses(FlowLabel::DstAddr)
    }

    /// The server's port, where it is configured or the server's answer to a SYN proved it: a port scan
    /// alone makes no label values.
    #[must_use]
    pub fn server_port(&self, flow: &Snapshot) -> Option<u16> {
        let server = flow.client.other();
        let port = words::port(&flow.key, server);
        let proved = flow.role_by == RoleBy::Syn as u8 && flow.side(server).tcp_flags & SYN != 0;
        (proved || !words::is_icmp(flow.key.protocol()) && self.series.ports.contains(&port)).then_some(port)
    }

    /// The name of the service at `port`.
    #[must_use]
    pub fn service(&self, port: u16) -> Option<&Arc<str>> {
        self.services.name(port)
    }

    /// The port that stands for all ports of the service at `port`.
    #[must_use]
    pub fn service_port(&self, port: u16) -> Option<u16> {
        self.services.port(port)
    }

    /// The number of `host` in the allow list, counted from 1; 0 for any other. A port at its end does not
    /// matter, as clients may or may not send it.
    #[must_use]
    pub fn host(&self, host: Option<&str>) -> u16 {
        let Some(host) = host else { return 0 };
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is = |known: &str| known.eq_ignore_ascii_case(host) || known.eq_ignore_ascii_case(name);
        let Some(allowed) = self.series.hosts.iter().find(|known| is(known)) else { return 0 };
        let found = self.hosts.iter().position(|known| known.eq_ignore_ascii_case(allowed));
        found.and_then(|at| u16::try_from(at + 1).ok()).unwrap_or_default()
    }

    /// The host with this number.
    #[must_use]
    pub fn host_name(&self, number: u16) -> Option<&str> {
        self.hosts.get(usize::from(number).checked_sub(1)?).map(|host| &**host)
    }

    /// True if rows of the flow families under `other` would have other labels.
    #[must_use]
    pub(super) fn groups_flows_unlike(&self, other: &Self) -> bool {
        let (new, old) = (&other.series, &self.series);
        new.flow_labels != old.flow_labels || new.services != old.services
    }

    /// The zones from client to server.
    #[must_use]
    pub fn nets(&self, flow: &Snapshot) -> Nets {
        let zone = |end| self.zones.of(words::address(&flow.key, end));
        Nets { source: zone(flow.client), destination: zone(flow.client.other()) }
    }

    /// Which way a conversation goes, as seen from the zones that are ours.
    #[must_use]
    pub fn way(&self, flow: &Snapshot) -> Way {
        let Nets { source, destination } = self.nets(flow);
        self.zones.way(source, destination)
    }
}

impl LabelPolicy for Policy {
    fn zone(&self, address: IpAddr) -> u16 {
        self.zones.of(address).number()
    }

    fn zone_name(&self, zone: u16) -> &str {
        self.zones.name(Zone::numbered(zone))
    }

    fn host(&self, host: Option<&str>) -> u16 {
        Self::host(self, host)
    }

    fn host_name(&self, host: u16) -> Option<&str> {
        Self::host_name(self, host)
    }

    fn has_hosts(&self) -> bool {
        !self.series.hosts.is_empty()
    }

    fn limit(&self, budget: &str) -> usize {
        self.series.limit(budget)
    }
}
