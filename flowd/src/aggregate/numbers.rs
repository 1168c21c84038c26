//! The numbers that a scrape shows: plain data, copied out at the end of a drain, so that all families of
//! one scrape are of the same moment.

use std::sync::Arc;

use flow_common::record::Rtt;

use flowd_numbers::{Histogram, Table, sum_of_fields};

use super::{FlowLabels, InterfaceNumbers, Nets, Point, Policy, Presence, Service};

/// What [`super::Ledger`] counts.
#[derive(Clone, Debug)]
pub struct Numbers {
    /// What they are told apart by.
    pub policy: Arc<Policy>,
    /// Watched interfaces in the order of their slots.
    pub interfaces: Vec<InterfaceNumbers>,
    pub flows: Table<FlowLabels, FlowNumbers>,
    /// TCP trouble that is rare enough to be told apart only by nets.
    pub quality: Table<QualityLabels, QualityNumbers>,
    pub rtt: Table<RttLabels, Histogram<{ Rtt::BOUNDS.len() + 1 }>>,
    /// `None` is the catch-all.
    pub connections: Table<Option<Service>, ConnectionNumbers>,
    /// Conversations whose observation points are remembered.
    pub conversations: u64,
    /// When the flow table was read, nanoseconds since the epoch; 0: not yet.
    pub read_at: u64,
}

impl Numbers {
    /// The numbers as a scrape needs them.
    #[must_use]
    pub fn published(&self) -> Self {
        let (mut shown, mut hidden) = (Vec::new(), Vec::new());
        for interface in &self.interfaces {
            match interface.presence {
                Presence::Hidden => hidden.push(interface.watched.slot),
                Presence::Watched | Presence::Gone => shown.push(interface.clone()),
            }
        }
        let is_shown = |slot: u16| !hidden.contains(&slot);
        Self {
            policy: Arc::clone(&self.policy),
            interfaces: shown,
            flows: self.flows.published_of(|labels| is_shown(labels.point.slot)),
            quality: self.quality.published_of(|labels| is_shown(labels.point.slot)),
            rtt: self.rtt.published_of(|labels| is_shown(labels.slot)),
            connections: self.connections.published(),
            conversations: self.conversations,
            read_at: self.read_at,
        }
    }

    /// Lets every family decide anew who has a series; see [`Table::settle`].
    pub(super) fn settle(&mut self, now: u64, seconds: u64) {
        self.flows.settle(now, seconds);
        self.quality.settle(now, seconds);
        self.rtt.settle(now, seconds);
        self.connections.settle(now, seconds);
    }

    /// Makes a slot free for another interface: all its rows go.
    pub(super) fn forget(&mut self, slot: u16) {
        self.interfaces.retain(|interface| interface.watched.slot != slot);
        self.flows.remove(|labels| labels.point.slot == slot);
        self.quality.remove(|labels| labels.point.slot == slot);
        self.rtt.remove(|labels| labels.slot == slot);
    }

    /// Takes over another policy.
    pub(super) fn reconfigure(&mut self, policy: Arc<Policy>) {
        if self.policy.groups_flows_unlike(&policy) {
            self.flows.retire_all();
        }
        let series = &policy.series;
        self.flows.set_limit(series.limit("flow"));
        self.quality.set_limit(series.limit("tcp_quality"));
        self.rtt.set_limit(series.limit("tcp_rtt"));
        self.connections.set_limit(series.limit("tcp_connections"));
        self.policy = policy;
    }

    /// The interface in `slot`.
    pub fn interface(&mut self, slot: u16) -> Option<&mut InterfaceNumbers> {
        let at = self.position(slot)?;
        self.interfaces.get_mut(at)
    }

    /// What is watched in `slot`.
    #[must_use]
    pub fn watched(&self, slot: u16) -> Option<&super::Watched> {
        Some(&self.interfaces.get(self.position(slot)?)?.watched)
    }

    fn position(&self, slot: u16) -> Option<usize> {
        // Slots are counted from 1 without gaps, but nothing here depends on it.
        let guess = usize::from(slot).saturating_sub(1);
        match self.interfaces.get(guess) {
            Some(interface) if interface.watched.slot == slot => Some(guess),
            _ => self.interfaces.iter().position(|interface| interface.watched.slot == slot),
        }
    }
}

/// One row of the flow families.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowNumbers {
    pub ip_bytes: u64,
    pub packets: u64,
    /// Flows begun, counted at their client.
    pub flows: u64,
    pub retransmits: u64,
    pub retransmitted_bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QualityLabels {
    pub point: Point,
    /// `None` in the catch-all row of the observation point.
    pub nets: Option<Nets>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QualityNumbers {
    pub out_of_order: u64,
    pub duplicate_acks: u64,
    pub zero_windows: u64,
    pub resets: u64,
}

/// Where a round trip was measured: nets from client to server, `None` in the catch-all row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RttLabels {
    pub slot: u16,
    pub nets: Option<Nets>,
    pub kind: RttKind,
    pub side: RttSide,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RttKind {
    Handshake,
    Data,
}

/// The endpoint to which the round trip leads from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RttSide {
    Client,
    Server,
}

/// TCP connections whose SYN was seen, counted at one observation point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionNumbers {
    pub attempts: u64,
    /// Answered by RST.
    pub refused: u64,
    /// Not answered.
    pub unanswered: u64,
    /// Ended by RST after they were established.
    pub reset: u64,
}

impl RttKind {
    pub const ALL: [Self; 2] = [Self::Handshake, Self::Data];

    /// The label value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Data => "data",
        }
    }
}

impl RttSide {
    pub const ALL: [Self; 2] = [Self::Client, Self::Server];

    /// The label value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

sum_of_fields!(FlowNumbers { ip_bytes, packets, flows, retransmits, retransmitted_bytes } by ip_bytes);
sum_of_fields!(QualityNumbers { out_of_order, duplicate_acks, zero_windows, resets }
    by out_of_order, duplicate_acks, zero_windows, resets);
sum_of_fields!(ConnectionNumbers { attempts, refused, unanswered, reset } by attempts);
