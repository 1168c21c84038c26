//! DNS queries and TLS handshakes of the watched interfaces: followed, counted, logged.

use std::sync::Arc;

use flow_common::{
    event::PayloadEvent,
    key::{FlowKey, Sender},
    sniff::dns_limit,
};

use super::{logs::Logs, source::Source};
use crate::{
    aggregate::Ledger,
    clock::WallClock,
    export::{enrich::network, prometheus::Board},
    flow::Snapshot,
    protocol::{
        dns::{DnsExchange, DnsOptions, DnsTracker},
        network::Network,
        tls::{TlsHandshake, TlsOptions, TlsTracker},
    },
};

pub(super) struct Lookups {
    dns: DnsTracker,
    tls: TlsTracker,
    found: Found,
}

/// Lines of one look at the event buffer, so bounded by its size; kept for their allocation.
#[derive(Default)]
struct Found {
    dns: Vec<DnsExchange>,
    tls: Vec<TlsHandshake>,
}

/// What tells a line the rest.
pub(super) struct Surroundings<'a> {
    pub(super) source: &'a mut dyn Source,
    pub(super) ledger: &'a mut Ledger,
    pub(super) board: &'a Arc<Board>,
    pub(super) logs: &'a Logs,
    pub(super) clock: WallClock,
}

impl Lookups {
    /// Nothing seen yet; `head_bytes` as the packet path has them.
    pub(super) fn new(head_bytes: u32) -> Self {
        let dns = DnsTracker::new(DnsOptions { copied: dns_limit(head_bytes), ..DnsOptions::default() });
        let tls = TlsTracker::new(TlsOptions::default());
        Self { dns, tls, found: Found::default() }
    }

    pub(super) fn event(&mut self, event: &PayloadEvent, payload: &[u8]) {
        let Self { dns, tls, found, .. } = self;
        dns.event(event, payload, &mut |exchange| found.dns.push(exchange));
        tls.event(event, payload, &mut |handshake| found.tls.push(handshake));
    }

    /// Gives up what has waited too long at `now`, nanoseconds of the packet clock; everything, without it.
    pub(super) fn expire(&mut self, now: Option<u64>) {
        let Self { dns, tls, found, .. } = self;
        let mut dns_sink = |exchange| found.dns.push(exchange);
        let mut tls_sink = |handshake| found.tls.push(handshake);
        match now {
            Some(now) => {
                dns.expire(now, &mut dns_sink);
                tls.expire(now, &mut tls_sink);
            }
            None => {
                dns.finish(&mut dns_sink);
                tls.finish(&mut tls_sink);
            }
        }
    }

    /// Logs and counts what has come up.
    pub(super) fn report(&mut self, around: &mut Surroundings<'_>) {
        for mut exchange in self.found.dns.drain(..) {
            let Some(network) = around.network(&exchange.key, exchange.client, exchange.slot) else {
                continue;
            };
            exchange.network = network;
            exchange.time = around.clock.wall(exchange.time);
            around.board.dns(|dns| dns.record(&exchange));
            if let Some(log) = &around.logs.dns {
                log.write(exchange);
            }
        }
        for mut handshake in self.found.tls.drain(..) {
            let Some(network) = around.network(&handshake.key, handshake.client, handshake.slot) else {
                continue;
            };
            handshake.network = network;
            handshake.time = around.clock.wall(handshake.time);
            around.board.tls(|tls| tls.record(&handshake));
            if let Some(log) = &around.logs.tls {
                log.write(handshake);
            }
        }
        around.board.dns(|dns| dns.losses = self.dns.losses());
        around.board.tls(|tls| tls.losses = self.tls.losses());
    }
}

impl Surroundings<'_> {
    /// What a line says of its path; `None` where another interface speaks for the conversation.
    fn network(&mut self, key: &FlowKey, client: Sender, slot: u32) -> Option<Network> {
        if !self.ledger.speaks(key, slot) {
            return None;
        }
        let mut flow = None;
        self.source.record(slot, &mut |record| flow = Some(Snapshot::of(record)));
        let flow = flow.or_else(|| self.ledger.live().snapshot(slot));
        let iface = self.ledger.live().name(key.interface());
        Some(network(key, client, flow.as_ref(), iface, &self.ledger.policy().zones))
    }
}
