//! What the numbers of flows are told apart by.

use std::net::IpAddr;

use flow_common::{
    app::App,
    key::{Direction, Sender},
};

use crate::{
    aggregate::{Nets, Policy, Way, Zone},
    config::FlowLabel,
    flow::{Snapshot, words},
};

/// An observation point: interface slot and direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    pub slot: u16,
    pub direction: Direction,
}

/// The labels of the flow families; `group` is `None` in the catch-all row of an observation point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowLabels {
    pub point: Point,
    pub group: Option<Group>,
}

/// What kind of traffic. A field whose label is not in use has one value for all flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    pub protocol: u8,
    pub nets: Nets,
    /// `None` where nothing proved which end is the server: it might be a client's port.
    pub server_port: Option<u16>,
    pub way: Option<Way>,
    /// Outermost VLAN id, 0 without.
    pub vlan: u16,
    pub dscp: Dscp,
    /// What the payload showed; of all flows `None` where nobody asks.
    pub app: Option<App>,
    /// Where it is one of the top addresses.
    pub source: Option<IpAddr>,
    pub destination: Option<IpAddr>,
}

/// DSCP of one direction of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dscp {
    /// Nothing was sent, or nobody asks.
    #[default]
    Unknown,
    One(u8),
    Mixed,
}

impl FlowLabels {
    /// The catch-all of the same observation point.
    #[must_use]
    pub const fn other(self) -> Self {
        Self { point: self.point, group: None }
    }
}

/// Nets of connections and their server's port, `None` where no answer proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    pub nets: Nets,
    pub server_port: Option<u16>,
}

/// Facts of a flow that can change while it lives and that labels are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aggregate) struct Facts {
    client: Sender,
    server_port: Option<u16>,
    app: Option<App>,
    dscp: [u64; 2],
    /// Counts changes of the policy and of the top addresses.
    age: u64,
}

impl Facts {
    pub(in crate::aggregate) fn of(flow: &Snapshot, policy: &Policy, age: u64) -> Self {
        let uses_dscp = policy.uses(FlowLabel::Dscp);
        Self {
            client: flow.client,
            server_port: policy.server_port(flow),
            app: flow.app.filter(|_| policy.uses(FlowLabel::App)),
            dscp: flow.sides.map(|side| if uses_dscp { side.dscp } else { 0 }),
            age,
        }
    }
}

/// What `sender` of a flow between `nets` (client first) sends, by the labels in use. `top` says which
/// addresses can be label values. `one_point` says that the interface has one hook for both directions, which
/// is counted as ingress.
pub(in crate::aggregate) fn flow_labels(
    policy: &Policy,
    flow: &Snapshot,
    nets: Nets,
    sender: Sender,
    one_point: bool,
    top: impl Fn(IpAddr) -> bool,
) -> FlowLabels {
    let way = policy.uses(FlowLabel::ZoneDirection).then(|| policy.zones.way(nets.source, nets.destination));
    let nets = if sender == flow.client { nets } else { nets.reversed() };
    let zone = |label, zone| if policy.uses(label) { zone } else { Zone::INTERNET };
    let port = match (policy.uses(FlowLabel::ServerPort), policy.uses(FlowLabel::Service)) {
        (true, _) => policy.server_port(flow),
        // Ports of one service are one series.
        (false, true) => policy.server_port(flow).and_then(|port| policy.service_port(port)),
        (false, false) => None,
    };
    let address = |label, end| {
        policy.uses(label).then(|| words::address(&flow.key, end)).filter(|address| top(*address))
    };
    let group = Group {
        protocol: if policy.uses(FlowLabel::Proto) { flow.key.protocol() } else { 0 },
        nets: Nets {
            source: zone(FlowLabel::SrcNet, nets.source),
            destination: zone(FlowLabel::DstNet, nets.destination),
        },
        server_port: port,
        way,
        vlan: if policy.uses(FlowLabel::Vlan) { flow.key.vlans()[0] } else { 0 },
        dscp: if policy.uses(FlowLabel::Dscp) { dscp(flow.side(sender).dscp) } else { Dscp::Unknown },
        app: flow.app.filter(|_| policy.uses(FlowLabel::App)),
        source: address(FlowLabel::SrcAddr, sender),
        destination: address(FlowLabel::DstAddr, sender.other()),
    };
    // A series with nothing to tell would have the labels of the catch-all.
    let tells =
        policy.tells_flows_apart() || port.is_some() || group.source.is_some() || group.destination.is_some();
    FlowLabels { point: point(flow, sender, one_point), group: tells.then_some(group) }
}

/// Where what `sender` sends is counted.
pub(in crate::aggregate) fn point(flow: &Snapshot, sender: Sender, one_point: bool) -> Point {
    let direction = if one_point { Direction::Ingress } else { flow.key.hook(sender) };
    Point { slot: flow.key.interface(), direction }
}

fn dscp(seen: u64) -> Dscp {
    match seen.count_ones() {
        0 => Dscp::Unknown,
        1 => Dscp::One(seen.trailing_zeros() as u8),
        _ => Dscp::Mixed,
    }
}
