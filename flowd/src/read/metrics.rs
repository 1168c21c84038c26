//! What `/metrics` would hold had the capture passed a watched interface.

use std::sync::Arc;

use anyhow::Result;
use flow_common::{
    bins::MILLISECOND, counter::InterfaceTotals, end::EndReason, key::Direction, record::FlowRecord,
};

use super::engine::Engine;
use crate::{
    aggregate::{Capacity, CapacityOptions, Ledger, LedgerOptions, Policy, Watched},
    clock::WallClock,
    config::Config,
    export::{classic::classic, prometheus::open_metrics},
    numbers::Board,
    pipeline::{Pipeline, Source as _},
    telemetry::Telemetry,
};

/// Collects instead of printing.
pub(super) struct Metrics {
    ledger: Option<Ledger>,
    policy: Arc<Policy>,
    conversations: usize,
    capacity: Option<Capacity>,
    /// Interface slots whose windows are kept: those up to this one.
    watched: u16,
}

impl Metrics {
    pub(super) fn new(config: &Config, policy: Arc<Policy>) -> Self {
        let options = CapacityOptions {
            // The largest of the whole capture.
            hold: u64::MAX,
            burst_share: config.capacity.burst_share.0,
            replay: true,
        };
        Self {
            ledger: None,
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
    fn last_look(&mut self, now: u64, engine: &Engine) {
        if let Some(capacity) = &mut self.capacity {
            capacity.look(now + MILLISECOND, &WallClock::CAPTURE, &mut |slot, direction, from, sums| {
                engine.passed(slot, direction, from, sums)
            });
        }
    }

    /// The ledger needs the interfaces' names, which a capture tells with its first packets.
    fn ledger(&mut self, names: &[Arc<str>]) -> &mut Ledger {
        let (policy, conversations) = (Arc::clone(&self.policy), self.conversations);
        let ledger = self.ledger.get_or_insert_with(|| {
            let options = LedgerOptions { conversations, active_timeout: None };
            Ledger::new(options, policy, Vec::new(), WallClock::CAPTURE)
        });
        // An interface may show up in the middle of a capture.
        for (slot, name) in (1..).zip(names).skip(ledger.numbers().interfaces.len()) {
            ledger.watch(watched(slot, name), None);
        }
        ledger
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

    /// The flow table has been read at `now`, nanoseconds of the packets' clock: decides who has a series.
    pub(super) fn settle(&mut self, names: &[Arc<str>], pipeline: &mut Pipeline, now: u64) {
        self.ledger(names).drained(now, WallClock::CAPTURE);
        pipeline.settle(now, &WallClock::CAPTURE);
    }

    /// The exposition in classic text format, of a capture that ended at `now`.
    pub(super) fn text(
        mut self,
        names: &[Arc<str>],
        totals: &[InterfaceTotals],
        mut pipeline: Pipeline,
        now: u64,
        engine: &Engine,
    ) -> Result<String> {
        self.last_look(now, engine);
        self.settle(names, &mut pipeline, now);
        let capacity = self.capacity.take();
        let ledger = self.ledger(names);
        for (slot, totals) in (1..).zip(totals) {
            ledger.interface(slot, totals, None);
            ledger.capacity(slot, capacity.as_ref().and_then(|capacity| capacity.numbers(slot)));
        }
        let numbers = ledger.numbers().published();
        let board = Board::new(numbers, pipeline.published(), Arc::new(Telemetry::new(Vec::new())));
        Ok(classic(&open_metrics(&board)?))
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
