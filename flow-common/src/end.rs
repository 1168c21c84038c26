//! Why and when a record is over, the same for every table that holds records.

use crate::{
    account::idle_timeout,
    dissect::transport::protocol,
    record::{Ended, FlowRecord, TcpEnd, life},
    settings::Settings,
};

/// Why a flow record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    Fin,
    Rst,
    Idle,
    Active,
    Evicted,
    Shutdown,
    Eof,
}

impl EndReason {
    /// Every reason, for metrics that exist from the start.
    pub const ALL: [Self; 7] =
        [Self::Fin, Self::Rst, Self::Idle, Self::Active, Self::Evicted, Self::Shutdown, Self::Eof];

    /// The word in records and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Idle => "idle",
            Self::Active => "active",
            Self::Evicted => "evicted",
            Self::Shutdown => "shutdown",
            Self::Eof => "eof",
        }
    }
}

/// What says when a record is over, and no more of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rest {
    /// One of [`life`].
    pub life: u32,
    pub protocol: u8,
    /// An [`Ended`].
    pub ended: u8,
    /// A [`crate::record::TcpEnd`] of each side.
    pub states: [u8; 2],
    /// When the last packet passed, ns of the packets' clock.
    pub last: u64,
}

impl Rest {
    /// That of `record`.
    #[must_use]
    pub const fn of(record: &FlowRecord) -> Self {
        let [a, b] = &record.halves;
        Self {
            life: record.life,
            protocol: record.key.protocol(),
            ended: record.ended,
            states: [a.tcp.state, b.tcp.state],
            last: record.last(),
        }
    }

    /// How its endpoints closed it, where they did.
    #[must_use]
    pub const fn closed(&self) -> Option<EndReason> {
        if self.ended == Ended::Fin as u8 {
            Some(EndReason::Fin)
        } else if self.ended == Ended::Rst as u8 {
            Some(EndReason::Rst)
        } else {
            None
        }
    }

    /// Whether nobody has answered yet: one side has sent nothing, or TCP's handshake is not over.
    #[must_use]
    pub const fn waits(&self, stamps: [u64; 2]) -> bool {
        let [a, b] = self.states;
        let early = TcpEnd::Partial as u8;
        let half_open = self.protocol == protocol::TCP && a < early && b < early;
        half_open || stamps[0] == 0 || stamps[1] == 0
    }

    /// Why the record is over at `now` (ns of the packets' clock), or at the end of everything; `None` while it
    /// goes on.
    #[must_use]
    pub fn end(&self, now: Option<u64>, settings: &Settings) -> Option<EndReason> {
        let closed = self.closed();
        if self.life == life::DETACHED {
            return Some(closed.unwrap_or(EndReason::Idle));
        }
        let Some(now) = now else { return Some(closed.unwrap_or(EndReason::Shutdown)) };
        let timeout = idle_timeout(self.protocol, self.ended, || self.states, |field| *field(settings));
        (now.saturating_sub(self.last) > timeout).then_some(closed.unwrap_or(EndReason::Idle))
    }
}

/// The shortest time after which any record is over, ns.
#[must_use]
pub fn shortest_timeout(settings: &Settings) -> u64 {
    let Settings { idle_tcp_established, idle_tcp_half_open, idle_tcp_closed, .. } = *settings;
    let Settings { idle_udp, idle_icmp, idle_other, .. } = *settings;
    [idle_tcp_established, idle_tcp_half_open, idle_tcp_closed, idle_udp, idle_icmp, idle_other]
        .into_iter()
        .fold(u64::MAX, u64::min)
}
