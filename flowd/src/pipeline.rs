//! The way from packets' records and payload copies to numbers and records for sinks, the same for live interfaces and
//! for captures: protocols follow the copies, one observation point speaks for a conversation, enrichers add what they
//! know, protocols count, and whoever runs the pipeline hands the records on.

mod record;
mod source;

use std::sync::Arc;

use flow_common::{event::PayloadEvent, key::FlowKey, record::FlowRecord};
use flowd_numbers::LabelPolicy;
use flowd_protocols::{
    AppRecord, Found, Options, PROTOCOLS, Protocol, ProtocolNumbers, Shown, progress::Progress,
};
pub use record::Record;
pub use source::{Source, Visit, load};

use crate::{
    aggregate::Policy,
    clock::WallClock,
    enrich::{Enrichment, enrichers},
    flow::Snapshot,
};

/// What the pipeline asks of whoever runs it.
pub trait Surroundings {
    /// Whether the record in `slot` speaks for the conversation of `key`, which other interfaces may see too.
    fn speaks(&mut self, key: &FlowKey, slot: u32) -> bool;

    /// Shows the flow record in `slot` as it is now, where that can be had.
    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord));

    /// The flow in `slot` as it was seen last, where its record has gone.
    fn last_seen(&mut self, slot: u32) -> Option<Snapshot>;

    /// The name of the interface in `slot`.
    fn iface(&self, slot: u16) -> Arc<str>;
}

/// A protocol with what it counted.
struct Followed {
    protocol: Box<dyn Protocol>,
    numbers: Box<dyn ProtocolNumbers>,
}

/// Every protocol, and what becomes of their records.
pub struct Pipeline {
    protocols: Vec<Followed>,
    enrichment: Enrichment,
    /// Records of one look at the payload copies, so bounded by their buffer; kept for its allocation.
    found: Found,
}

impl Pipeline {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(options: &Options, policy: &Arc<Policy>) -> Self {
        let labels: Arc<dyn LabelPolicy> = Arc::<Policy>::clone(policy);
        let follow = |registered: &flowd_protocols::Registered| {
            let (protocol, mut numbers) = ((registered.start)(options), (registered.numbers)(&labels));
            // Every reason has a row from the start.
            numbers.set_losses(&protocol.losses());
            Followed { protocol, numbers }
        };
        let protocols = PROTOCOLS.iter().map(follow).collect();
        Self { protocols, enrichment: Enrichment::new(enrichers(policy)), found: Found::new() }
    }

    /// Offers a payload copy to every protocol.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8]) {
        for Followed { protocol, .. } in &mut self.protocols {
            protocol.event(event, payload, &mut self.found);
        }
    }

    /// Gives up what has waited too long at `now`, nanoseconds of the packet clock.
    pub fn expire(&mut self, now: u64, around: &mut dyn Surroundings) {
        let mut look = |slot| {
            let mut progress = None;
            around.record(slot, &mut |record| progress = Some(Progress::of(record)));
            progress
        };
        for Followed { protocol, .. } in &mut self.protocols {
            protocol.expire(now, &mut look, &mut self.found);
        }
    }

    /// Gives up everything under way: nothing more will come.
    pub fn finish(&mut self) {
        for Followed { protocol, .. } in &mut self.protocols {
            protocol.finish(&mut self.found);
        }
    }

    /// Enriches and counts what has come up, and hands it on.
    pub fn report(
        &mut self,
        around: &mut dyn Surroundings,
        clock: &WallClock,
        records: &mut dyn FnMut(Box<dyn AppRecord>),
    ) {
        for mut record in self.found.drain(..) {
            let (key, slot) = (record.head().key, record.head().slot);
            if !around.speaks(&key, slot) {
                continue;
            }
            let mut flow = None;
            around.record(slot, &mut |record| flow = Some(Snapshot::of(record)));
            let flow = flow.or_else(|| around.last_seen(slot));
            let iface = around.iface(key.interface());
            self.enrichment.enrich(record.as_mut(), flow.as_ref(), iface);
            let head = record.head_mut();
            head.time = clock.wall(head.time);
            for Followed { numbers, .. } in &mut self.protocols {
                numbers.record(record.as_ref());
            }
            records(record);
        }
    }

    /// Takes over another policy.
    pub fn reconfigure(&mut self, policy: &Arc<Policy>) {
        let labels: Arc<dyn LabelPolicy> = Arc::<Policy>::clone(policy);
        for Followed { numbers, .. } in &mut self.protocols {
            numbers.reconfigure(&labels);
        }
        self.enrichment.set_enrichers(enrichers(policy));
    }

    /// Records from now on show this; what was read before stays as it was read.
    pub fn set_privacy(&mut self, privacy: &flowd_protocols::Privacy) {
        for Followed { protocol, .. } in &mut self.protocols {
            protocol.set_privacy(privacy);
        }
    }

    /// Decides anew who has a series: `now` in nanoseconds of the packet clock.
    pub fn settle(&mut self, now: u64, clock: &WallClock) {
        let seconds = clock.wall(now) / 1_000_000_000;
        for Followed { protocol, numbers } in &mut self.protocols {
            numbers.settle(now, seconds);
            numbers.set_losses(&protocol.losses());
        }
    }

    /// The numbers of every protocol as of now, in the order of the registry.
    #[must_use]
    pub fn published(&self) -> Vec<Arc<dyn Shown>> {
        self.protocols.iter().map(|followed| followed.numbers.published()).collect()
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}
