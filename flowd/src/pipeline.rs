//! The way from packets' records and payload copies to numbers and records for sinks, the same for live interfaces and
//! for captures: protocols follow the copies, one observation point speaks for a conversation, enrichers add what they
//! know, protocols count, and whoever runs the pipeline hands the records on.

mod source;

use std::sync::Arc;

use flow_common::{app::App, event::PayloadEvent, key::FlowKey, record::FlowRecord};
use flowd_numbers::LabelPolicy;
use flowd_protocols::{
    AppRecord, Found, Numbers, Options, PROTOCOLS, Protocol, ProtocolNumbers, Registered, Shown,
    numbers::SharedNumbers, progress::Progress,
};

pub use source::{Source, Visit, load};

pub use crate::record::Record;
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

/// A protocol with what it counted, where it has numbers of its own.
struct Followed {
    app: App,
    protocol: Box<dyn Protocol>,
    numbers: Option<Box<dyn ProtocolNumbers>>,
}

/// Every protocol, and what becomes of their records.
pub struct Pipeline {
    protocols: Vec<Followed>,
    shared: SharedNumbers,
    enrichment: Enrichment,
    /// Records of one look at the payload copies, so bounded by their buffer; kept for its allocation.
    found: Found,
}

impl Pipeline {
    /// Nothing seen yet; `options` in the order of the registry.
    #[must_use]
    pub fn new(options: &[Options], policy: &Arc<Policy>) -> Self {
        let labels: Arc<dyn LabelPolicy> = Arc::<Policy>::clone(policy);
        let members = PROTOCOLS.iter().filter_map(|registered| match registered.numbers {
            Numbers::Own { .. } => None,
            Numbers::Shared(words) => Some((registered.app, words)),
        });
        let mut shared = SharedNumbers::new(Arc::clone(&labels), members);
        let follow = |(registered, options): (&'static Registered, &Options)| {
            let protocol = (registered.start)(options);
            // Every reason has a row from the start.
            let losses = protocol.losses();
            let numbers = match registered.numbers {
                Numbers::Own { start, .. } => {
                    let mut numbers = start(&labels);
                    numbers.set_losses(&losses);
                    Some(numbers)
                }
                Numbers::Shared(_) => {
                    shared.set_losses(registered.app, losses);
                    None
                }
            };
            Followed { app: registered.app, protocol, numbers }
        };
        let protocols = PROTOCOLS.iter().zip(options).map(follow).collect();
        Self { protocols, shared, enrichment: Enrichment::new(enrichers(policy)), found: Found::new() }
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

    /// When the oldest of what any protocol waits for began, nanoseconds of the packet clock.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.protocols.iter().filter_map(|followed| followed.protocol.oldest()).min()
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
            for numbers in self.protocols.iter_mut().filter_map(|followed| followed.numbers.as_mut()) {
                numbers.record(record.as_ref());
            }
            self.shared.record(record.as_ref());
            records(record);
        }
    }

    /// Takes over another policy.
    pub fn reconfigure(&mut self, policy: &Arc<Policy>) {
        let labels: Arc<dyn LabelPolicy> = Arc::<Policy>::clone(policy);
        for numbers in self.protocols.iter_mut().filter_map(|followed| followed.numbers.as_mut()) {
            numbers.reconfigure(&labels);
        }
        self.shared.reconfigure(&labels);
        self.enrichment.set_enrichers(enrichers(policy));
    }

    /// Takes other options, in the order of the registry: what was read before stays as it was read.
    pub fn configure(&mut self, options: &[Options]) {
        for (Followed { protocol, .. }, options) in self.protocols.iter_mut().zip(options) {
            protocol.configure(options);
        }
    }

    /// Decides anew who has a series: `now` in nanoseconds of the packet clock.
    pub fn settle(&mut self, now: u64, clock: &WallClock) {
        let seconds = clock.wall(now) / 1_000_000_000;
        for Followed { app, protocol, numbers } in &mut self.protocols {
            let losses = protocol.losses();
            match numbers {
                Some(numbers) => {
                    numbers.settle(now, seconds);
                    numbers.set_losses(&losses);
                }
                None => self.shared.set_losses(*app, losses),
            }
        }
        self.shared.settle(now, seconds);
    }

    /// The numbers of every protocol as of now: their own in the order of the registry, then those that they share.
    #[must_use]
    pub fn published(&self) -> Vec<Arc<dyn Shown>> {
        let own = self.protocols.iter().filter_map(|followed| followed.numbers.as_ref());
        own.map(|numbers| numbers.published()).chain([self.shared.published()]).collect()
    }
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}
