//! The numbers that a scrape shows: plain data, copied out at the end of a drain, so that all families of
//! one scrape are of the same moment.

use flow_common::record::Rtt;

use super::{FlowLabels, Histogram, InterfaceNumbers, Nets, Point, Service, Table};

/// What [`super::Ledger`] counts.
#[derive(Clone, Debug)]
pub struct Numbers {
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
}

impl Numbers {
    /// The interface in `slot`.
    pub fn interface(&mut self, slot: u16) -> Option<&mut InterfaceNumbers> {
        // Slots are counted from 1 without gaps, but nothing here depends on it.
        let guess = usize::from(slot).saturating_sub(1);
        let at = match self.interfaces.get(guess) {
            Some(interface) if interface.watched.slot == slot => guess,
            _ => self.interfaces.iter().position(|interface| interface.watched.slot == slot)?,
        };
        self.interfaces.get_mut(at)
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
    pub nets: Nets,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QualityNumbers {
    pub out_of_order: u64,
    pub duplicate_acks: u64,
    pub zero_windows: u64,
    pub resets: u64,
}

/// Where a round trip was measured: nets from client to server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RttLabels {
    pub slot: u16,
    pub nets: Nets,
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
