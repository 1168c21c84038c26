//! What `/metrics` would hold had the capture passed a watched interface.

use std::sync::Arc;

use anyhow::Result;
use flow_common::{counter::InterfaceTotals, record::FlowRecord};

use crate::{
    aggregate::{DnsNumbers, HttpNumbers, Ledger, LedgerOptions, TlsNumbers, Watched},
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
    limit: usize,
    conversations: usize,
}

impl Metrics {
    pub(super) fn new(config: &Config) -> Self {
        let limit = config.series_limit as usize;
        Self {
            ledger: None,
            http: HttpNumbers::new(limit),
            dns: DnsNumbers::default(),
            tls: TlsNumbers::default(),
            limit,
            conversations: config.flows as usize,
        }
    }

    /// The ledger needs the interfaces' names, which a capture tells with its first packets.
    fn ledger(&mut self, names: &[Arc<str>]) -> &mut Ledger {
        let (series_limit, conversations) = (self.limit, self.conversations);
        self.ledger.get_or_insert_with(|| {
            let watched = (1..).zip(names).map(|(slot, name)| (watched(slot, name), None)).collect();
            let options = LedgerOptions { series_limit, conversations, active_timeout: None };
            Ledger::new(options, watched, WallClock::CAPTURE)
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
        let server = exchange.server().address;
        self.http.record(exchange.method.as_deref(), exchange.status, server, exchange.duration());
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
        let limit = self.limit as u64;
        let ledger = self.ledger(names);
        for (slot, totals) in (1..).zip(totals) {
            ledger.interface(slot, totals, None);
        }
        let numbers = ledger.numbers().clone();
        let board = Board::new(numbers, self.http, Arc::new(Telemetry::new(Vec::new(), limit)));
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
