//! What others know of a record's two ends and of the path between them: each enricher adds its part.

mod enricher;
mod network;
mod registry;
mod round_trip;
mod zones;

use std::sync::Arc;

pub use enricher::Enricher;
use flowd_protocols::AppRecord;
use registry::ENRICHERS;
use round_trip::RoundTrips;

use crate::{aggregate::Policy, flow::Snapshot};

/// Every enricher, in the order of the registry, and what is known of round trips.
pub struct Enrichment {
    policy: Arc<Policy>,
    enrichers: Vec<Box<dyn Enricher>>,
    round_trips: RoundTrips,
}

impl Enrichment {
    /// Every enricher of the registry.
    #[must_use]
    pub fn new(policy: Arc<Policy>) -> Self {
        let mut new = Self { policy, enrichers: Vec::new(), round_trips: RoundTrips::default() };
        new.start();
        new
    }

    fn start(&mut self) {
        self.enrichers = ENRICHERS.iter().map(|start| start(&self.policy)).collect();
    }

    /// Takes over another policy.
    pub fn reconfigure(&mut self, policy: Arc<Policy>) {
        self.policy = policy;
        self.start();
    }

    /// Fills in what a protocol cannot know; `flow` is the flow's record as it is now, where that can be had.
    pub fn enrich(&mut self, record: &mut dyn AppRecord, flow: Option<&Snapshot>, iface: Arc<str>) {
        let head = record.head_mut();
        for enricher in &self.enrichers {
            enricher.party(&mut head.client);
            enricher.party(&mut head.server);
        }
        head.iface = Some(iface);
        // A slot may have gone to another flow since.
        let Some(flow) = flow.filter(|flow| flow.key == head.key) else { return };
        network::path(head, flow);
        self.round_trips.judge(record, flow);
    }
}

impl std::fmt::Debug for Enrichment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrichment").finish_non_exhaustive()
    }
}
