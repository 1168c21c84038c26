//! How many series a metric family may have, and by what they are told apart.

use std::{collections::BTreeMap, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use super::ConfigError;

const LIMIT: RangeInclusive<u32> = 16..=100_000;
const TOP: RangeInclusive<u32> = 1..=10_000;
/// Host names that can be label values.
const MAX_HOSTS: usize = 1_000;

/// Names of budgets that can differ from the common limit, as in the label `family` of flowd's own metrics.
pub const BUDGETS: [&str; 9] = [
    "flow",
    "tcp_quality",
    "tcp_rtt",
    "tcp_connections",
    "http_requests",
    "http_durations",
    "grpc_requests",
    "requests",
    "request_durations",
];

/// The series budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Series {
    /// Series that one metric family may have.
    pub limit: u32,
    /// Labels of the flow families.
    pub flow_labels: Vec<FlowLabel>,
    /// Ports that are label values without a handshake that proves the server.
    pub ports: Vec<u16>,
    /// Addresses that are label values, where addresses are labels.
    pub top_addresses: u32,
    /// HTTP hosts that are label values; none: HTTP metrics have no label `host`.
    pub hosts: Vec<String>,
    /// Limits by budget, where they differ.
    pub limits: BTreeMap<String, u32>,
    /// Ports by the name of their service, beside the well-known ones.
    pub services: BTreeMap<String, Vec<u16>>,
}

/// What the flow families can be told apart by, in the order of the exposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlowLabel {
    /// Watched interface: as many values as are watched.
    Iface,
    /// `ingress` or `egress`.
    Direction,
    /// Transport protocol: a handful, 256 at most.
    Proto,
    /// Zone of the source: as many as are configured and built in.
    SrcNet,
    /// Zone of the destination.
    DstNet,
    /// Port of a proved server: up to 65,536.
    ServerPort,
    /// Name of that port's service: as many as are known.
    Service,
    /// Client's and server's zones against `home`: five values.
    ZoneDirection,
    /// Outermost VLAN id: up to 4,096.
    Vlan,
    /// DSCP: up to 65 values.
    Dscp,
    /// Application protocol: a handful.
    App,
    /// Address of the source: the top ones.
    SrcAddr,
    /// Address of the destination.
    DstAddr,
}

impl FlowLabel {
    /// Every label.
    pub const ALL: [Self; 13] = [
        Self::Iface,
        Self::Direction,
        Self::Proto,
        Self::SrcNet,
        Self::DstNet,
        Self::ServerPort,
        Self::Service,
        Self::ZoneDirection,
        Self::Vlan,
        Self::Dscp,
        Self::App,
        Self::SrcAddr,
        Self::DstAddr,
    ];

    /// Those of the flow families by default.
    pub const DEFAULT: [Self; 6] =
        [Self::Iface, Self::Direction, Self::Proto, Self::SrcNet, Self::DstNet, Self::ServerPort];

    /// The label's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iface => "iface",
            Self::Direction => "direction",
            Self::Proto => "proto",
            Self::SrcNet => "src_net",
            Self::DstNet => "dst_net",
            Self::ServerPort => "server_port",
            Self::Service => "service",
            Self::ZoneDirection => "zone_direction",
            Self::Vlan => "vlan",
            Self::Dscp => "dscp",
            Self::App => "app",
            Self::SrcAddr => "src_addr",
            Self::DstAddr => "dst_addr",
        }
    }
}

impl Default for Series {
    fn default() -> Self {
        Self {
            limit: 2_000,
            flow_labels: FlowLabel::DEFAULT.to_vec(),
            ports: Vec::new(),
            top_addresses: 50,
            hosts: Vec::new(),
            limits: BTreeMap::new(),
            services: BTreeMap::new(),
        }
    }
}

impl Series {
    /// Series that the families of `budget` may have.
    #[must_use]
    pub fn limit(&self, budget: &str) -> usize {
        self.limits.get(budget).copied().unwrap_or(self.limit) as usize
    }

    pub(super) fn validate(&self, origin: &str) -> Result<(), ConfigError> {
        super::range::within(origin, "series.limit", self.limit, LIMIT)?;
        super::range::within(origin, "series.top_addresses", self.top_addresses, TOP)?;
        let fail =
            |message| Err(ConfigError::Section { origin: origin.to_owned(), section: "series", message });
        for (name, limit) in &self.limits {
            if !BUDGETS.contains(&name.as_str()) {
                return fail(format!("limits.{name}: there are budgets for {}", BUDGETS.join(", ")));
            }
            if !LIMIT.contains(limit) {
                let (low, high) = (LIMIT.start(), LIMIT.end());
                return fail(format!("limits.{name} = {limit}: use a value from {low} to {high}"));
            }
        }
        for needed in [FlowLabel::Iface, FlowLabel::Direction] {
            if !self.flow_labels.contains(&needed) {
                let name = needed.name();
                return fail(format!(
                    "flow_labels lack {name}: iface and direction stay, so that flows can be held against \
                     the totals of their interface"
                ));
            }
        }
        if self.flow_labels.len() < 3 {
            return fail(
                "flow_labels name only the observation point, whose totals are flowd_interface_bytes_total \
                 already: add one, as proto"
                    .to_owned(),
            );
        }
        let mut labels = self.flow_labels.clone();
        labels.sort_unstable();
        if let Some([twice, _]) = labels.array_windows().find(|[left, right]| left == right) {
            return fail(format!("flow_labels name {} twice: take one out", twice.name()));
        }
        if self.hosts.len() > MAX_HOSTS {
            return fail(format!("{} hosts: {MAX_HOSTS} can be label values", self.hosts.len()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn error(text: &str) -> String {
        match Config::parse("f.toml", text) {
            Ok(config) => config.validate("f.toml").unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn bad_budgets_and_labels_are_named() {
        for (text, parts) in [
            ("[series]\nlimit = 0\n", ["series.limit = 0", "from 16 to 100000"]),
            ("[series.limits]\nflow = 0\n", ["limits.flow = 0", "from 16 to 100000"]),
            ("[series.limits]\nflows = 50\n", ["limits.flows", "tcp_connections"]),
            ("[series]\nflow_labels = [\"iface\", \"src_ip\"]\n", ["line 2", "src_addr"]),
            ("[series]\nflow_labels = [\"iface\", \"proto\"]\n", ["lack direction", "totals"]),
            (
                "[series]\nflow_labels = [\"iface\", \"direction\", \"iface\"]\n",
                ["iface twice", "take one out"],
            ),
            ("[series]\nflow_labels = [\"iface\", \"direction\"]\n", ["observation point", "add one"]),
            ("[series]\ntop_addresses = 0\n", ["series.top_addresses = 0", "from 1"]),
        ] {
            let error = error(text);
            assert!(parts.iter().all(|part| error.contains(part)) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_budget_of_its_own_beats_the_common_limit() {
        let config = Config::parse("f", "[series]\nlimit = 100\n[series.limits]\nflow = 20\n").unwrap();
        config.validate("f").unwrap();
        assert_eq!((config.series.limit("flow"), config.series.limit("tcp_rtt")), (20, 100));
    }
}
