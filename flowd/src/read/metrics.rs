//! What `/metrics` would hold had the capture passed a watched interface.

use std::sync::Arc;

use anyhow::Result;
use flow_common::{counter::InterfaceTotals, key::Direction, lane::MILLISECOND, record::FlowRecord};

use super::engine::Engine;

use crate::{
    aggregate::{
        Capacity, CapacityOptions, DnsNumbers, HttpNumbers, HttpSeen, Ledger, LedgerOptions, Policy,
        TlsNumbers, Watched,
    },
    clock::WallClock,
    config::Config,
    export::{classic::classic, prometheus::Board},
    flow::EndReason,
    protocol::{
        dns::{DnsExchange, DnsLosses},
        http::HttpExchange,
        tls::{TlsHandshake, TlsLosses},
    },
    telemetry::Telemetry,
};

/// Collects instead of printing.
pub(super) struct Metrics {
    ledger: Option<Ledger>,
    http: HttpNumbers,
    dns: DnsNumbers,
    tls: TlsNumbers,
    policy: Arc<Policy>,
    conversations: usize,
    capacity: Option<Capacity>,
    /// Interface slots whose windows are kept: those up to this one.
    watched: u16,
}

impl Metrics {
    pub(super) fn new(config: &Config) -> Self {
        let policy = Arc::new(Policy::new(config));
        let http = HttpNumbers::new(Arc::clone(&policy));
        let options = CapacityOptions {
            // The largest of the whole capture.
            hold: u64::MAX,
            burst_share: config.capacity.burst_share.0,
            replay: true,
        };
        Self {
            ledger: None,
            http,
            dns: DnsNumbers::default(),
            tls: TlsNumbers::default(),
            policy,
            conversations: config.flows as usize,
            capacity: config.capacity.windows.then(|| Capacity::new(options)),
            watched: 0,
        }
    }

    /// Reads the windows up to a packet at `now` of the interface in `slot`, where they would be overwritten else.
    pub(super) fn look(&mut self, slot: u16, now: u64, engine: &Engine) {
        let Some(capacity) = &mut self.capacity else { return };
        while self.watched < slot {
            self.watched += 1;
            capacity.watch(self.watched, Direction::Ingress, None);
        }
        if capacity.is_due(now) {
            capacity.look(now, &WallClock::CAPTURE, &mut |slot, direction, from, sums| {
                engine.passed(slot, direction, from, sums)
            });
        }
    }

    /// Reads the windows up to `now`, the end of the capture.
    pub(super) fn finish(&mut self, now: u64, engine: &Engine) {
        if let Some(capacity) = &mut self.capacity {
            capacity.look(now + MILLISECOND, &WallClock::CAPTURE, &mut |slot, direction, from, sums| {
                engine.passed(slot, direction, from, sums)
            });
        }
    }

    /// The ledger needs the interfaces' names, which a capture tells with its first packets.
    fn ledger(&mut self, names: &[Arc<str>]) -> &mut Ledger {
        let (policy, conversations) = (Arc::clone(&self.policy), self.conversations);
        self.ledger.get_or_insert_with(|| {
            let watched = (1..).zip(names).map(|(slot, name)| (watched(slot, name), None)).collect();
            let options = LedgerOptions { conversations, active_timeout: None };
            Ledger::new(options, policy, watched, WallClock::CAPTURE)
        })
    }

    pub(super) fn flow(
        &mut self,
        names: &[Arc<str>],
        slot: u32,
        record: &FlowRecord,
        end: Option<EndReason>,
        now: u64,
    ) {
        self.ledger(names).absorb(slot, record, end, now, &mut |_| ());
    }

    pub(super) fn http(&mut self, exchange: &HttpExchange) {
        self.http.record(&HttpSeen {
            method: exchange.method.as_deref(),
            status: exchange.status,
            server: exchange.server().address,
            host: exchange.host.as_deref(),
            duration: exchange.duration(),
        });
    }

    pub(super) fn dns(&mut self, exchange: &DnsExchange) {
        self.dns.record(exchange);
    }

    pub(super) fn tls(&mut self, handshake: &TlsHandshake) {
        self.tls.record(handshake);
    }

    /// What the trackers could not follow to its end.
    pub(super) const fn losses(&mut self, dns: DnsLosses, tls: TlsLosses) {
        (self.dns.losses, self.tls.losses) = (dns, tls);
    }

    /// The exposition in classic text format.
    pub(super) fn text(mut self, names: &[Arc<str>], totals: &[InterfaceTotals]) -> Result<String> {
        let capacity = self.capacity.take();
        let ledger = self.ledger(names);
        for (slot, totals) in (1..).zip(totals) {
            ledger.interface(slot, totals, None);
            ledger.capacity(slot, capacity.as_ref().and_then(|capacity| capacity.numbers(slot)));
        }
        let numbers = ledger.numbers().published();
        let board = Board::new(numbers, self.http, Arc::new(Telemetry::new(Vec::new())));
        board.dns(|dns| *dns = self.dns);
        board.tls(|tls| *tls = self.tls);
        Ok(classic(&board.open_metrics()?))
    }
}

fn watched(slot: u16, name: &Arc<str>) -> Watched {
    Watched {
        slot,
        name: Arc::clone(name),
        one_point: true,
        physical: true,
        speed: None,
        mac: String::new(),
        mtu: 0,
        ifindex: 0,
    }
}
