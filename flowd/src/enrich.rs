//! Enrichers: what they know of a record's two ends, and of the path between them. One file each.

mod network;
mod registry;
mod round_trip;
mod services;
mod zones;

use std::sync::Arc;

use flowd_protocols::AppRecord;
pub use registry::enrichers;
use round_trip::RoundTrips;

use crate::flow::{Enrichers, Snapshot};

/// What records of applications learn beside their own protocol.
#[derive(Debug)]
pub struct Enrichment {
    enrichers: Arc<Enrichers>,
    round_trips: RoundTrips,
}

impl Enrichment {
    /// Asks these.
    #[must_use]
    pub fn new(enrichers: Arc<Enrichers>) -> Self {
        Self { enrichers, round_trips: RoundTrips::default() }
    }

    /// Asks others from now on.
    pub fn set_enrichers(&mut self, enrichers: Arc<Enrichers>) {
        self.enrichers = enrichers;
    }

    /// Fills in what a protocol cannot know; `flow` is the flow's record as it is now, where that can be had.
    pub fn enrich(&mut self, record: &mut dyn AppRecord, flow: Option<&Snapshot>, iface: Arc<str>) {
        let head = record.head_mut();
        self.enrichers.party(&mut head.client);
        self.enrichers.party(&mut head.server);
        head.iface = Some(iface);
        // A slot may have gone to another flow since.
        let Some(flow) = flow.filter(|flow| flow.key == head.key) else { return };
        network::path(head, flow);
        self.round_trips.judge(record, flow);
    }
}
