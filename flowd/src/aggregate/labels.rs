//! What the numbers of flows are told apart by.

use flow_common::{
    key::{Direction, Sender},
    record::RoleBy,
};

use super::Zone;
use crate::flow::{Snapshot, words};

/// An observation point: interface slot and direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    pub slot: u16,
    pub direction: Direction,
}

/// The nets of a packet's source and destination, or of client and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nets {
    pub source: Zone,
    pub destination: Zone,
}

impl Nets {
    /// Every pair.
    pub fn all() -> impl Iterator<Item = Self> {
        Zone::ALL
            .into_iter()
            .flat_map(|source| Zone::ALL.into_iter().map(move |destination| Self { source, destination }))
    }

    /// As seen by the other end.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self { source: self.destination, destination: self.source }
    }
}

/// The labels of the flow families; `group` is `None` in the catch-all row of an observation point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowLabels {
    pub point: Point,
    pub group: Option<Group>,
}

/// What kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    pub protocol: u8,
    pub nets: Nets,
    /// `None` where no SYN proved which end is the server: it might be a client's port.
    pub server_port: Option<u16>,
}

impl FlowLabels {
    /// The catch-all of the same observation point.
    #[must_use]
    pub const fn other(self) -> Self {
        Self { point: self.point, group: None }
    }
}

/// Nets of connections and their server's port; `None` in the catch-all row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    pub nets: Nets,
    pub server_port: u16,
}

/// Nets from client to server.
#[must_use]
pub fn nets(flow: &Snapshot) -> Nets {
    let zone = |end| Zone::of(words::address(&flow.key, end));
    Nets { source: zone(flow.client), destination: zone(flow.client.other()) }
}

/// The server's port, where a SYN proved it.
#[must_use]
pub(super) const fn server_port(flow: &Snapshot) -> Option<u16> {
    if flow.role_by == RoleBy::Syn as u8 { Some(words::port(&flow.key, flow.client.other())) } else { None }
}

/// The labels of what `sender` sends. `one_point` says that the interface has one hook for both directions,
/// which is counted as ingress.
#[must_use]
pub(super) fn flow_labels(flow: &Snapshot, sender: Sender, one_point: bool) -> FlowLabels {
    let nets = nets(flow);
    let direction = if one_point { Direction::Ingress } else { flow.key.hook(sender) };
    FlowLabels {
        point: Point { slot: flow.key.interface(), direction },
        group: Some(Group {
            protocol: flow.key.protocol(),
            nets: if sender == flow.client { nets } else { nets.reversed() },
            server_port: server_port(flow),
        }),
    }
}
