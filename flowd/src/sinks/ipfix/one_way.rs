//! One direction of a flow, as a record of IPFIX tells it.

use std::net::IpAddr;

use crate::flow::{EndReason, Endpoint, Flow, Traffic, words};

/// Packets from `source` to `destination`.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneWay<'a> {
    pub(super) flow: &'a Flow,
    pub(super) traffic: &'a Traffic,
    pub(super) source: Endpoint,
    pub(super) destination: Endpoint,
    /// The packets left by the interface; else they came in by it.
    pub(super) egress: bool,
}

impl<'a> OneWay<'a> {
    /// The directions of `flow` in which there were packets.
    pub(super) fn of(flow: &'a Flow) -> impl Iterator<Item = Self> {
        let (client, server) = (flow.client.endpoint, flow.server.endpoint);
        let sent = Self {
            flow,
            traffic: &flow.sent,
            source: client,
            destination: server,
            egress: flow.seen_at.client_egress,
        };
        let received = Self {
            flow,
            traffic: &flow.received,
            source: server,
            destination: client,
            egress: flow.seen_at.server_egress,
        };
        [sent, received].into_iter().filter(|way| way.traffic.packets > 0)
    }

    pub(super) fn is_ipv6(&self) -> bool {
        matches!(self.source.address, IpAddr::V6(_))
    }

    /// First packet, ns since the epoch. A piece of a flow that was cut begins where it was cut.
    pub(super) fn start(&self) -> u64 {
        self.traffic.first.unwrap_or(self.flow.start)
    }

    /// Last packet, never before the first.
    pub(super) fn end(&self) -> u64 {
        self.traffic.last.unwrap_or(self.flow.end).max(self.start())
    }

    pub(super) fn tcp_flags(&self) -> u16 {
        self.traffic.tcp_flags.as_deref().map_or(0, words::flag_bits)
    }

    /// DSCP in the place that it has in the header (RFC 2474 section 3); of several the smallest.
    pub(super) fn class_of_service(&self) -> u8 {
        self.traffic.dscp.first().map_or(0, |dscp| dscp << 2)
    }

    /// Type and code of the first message of ICMP, one octet each. Of the answers flowd keeps none of their own, but
    /// those to an echo are known.
    pub(super) fn icmp_type_code(&self) -> u16 {
        let Some(icmp) = self.flow.icmp else { return 0 };
        let is_answer = std::ptr::eq(self.traffic, &self.flow.received);
        let kind = match (is_answer, icmp.kind) {
            (true, 8) if !self.is_ipv6() => 0,
            (true, 128) if self.is_ipv6() => 129,
            (_, kind) => kind,
        };
        u16::from(kind) << 8 | u16::from(icmp.code)
    }

    /// The tag at this place from the outermost; 0 where there is none.
    pub(super) fn vlan(&self, at: usize) -> u16 {
        self.flow.vlans.get(at).copied().unwrap_or(0)
    }

    /// Index of the interface in this direction; 0 for the other one, which is not known.
    pub(super) fn interface(&self, egress: bool) -> u32 {
        if self.egress == egress { self.flow.seen_at.ifindex } else { 0 }
    }

    /// flowEndReason (RFC 5102 section 5.11.3).
    pub(super) const fn end_reason(&self) -> u8 {
        match self.flow.end_reason {
            Some(EndReason::Idle) => 1,
            None | Some(EndReason::Active) => 2,
            Some(EndReason::Fin | EndReason::Rst) => 3,
            Some(EndReason::Shutdown | EndReason::Eof) => 4,
            Some(EndReason::Evicted) => 5,
        }
    }
}
