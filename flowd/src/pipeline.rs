//! The way from packets' records and payload copies to numbers and records for sinks, the same for live interfaces and
//! for captures: protocols follow the copies, one observation point speaks for a conversation, enrichers add what they
//! know, protocols count, and whoever runs the pipeline hands the records on.

mod source;

use std::sync::Arc;

use flow_common::{app::App, event::PayloadEvent, key::FlowKey, record::FlowRecord};
use flowd_numbers::LabelPolicy;
use flowd_protocols::{
    AppRecord, Follow, Found, Numbers, Options, PROTOCOLS, Protocol, ProtocolNumbers, Registered, Shown,
    conversation::{Conversations, Copies, Decision, Entry},
    numbers::SharedNumbers,
    progress::Progress,
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

    /// Has the packet path go by this decision.
    fn steer(&mut self, decision: &Decision);
}

/// A protocol with what it counted, where it has numbers of its own.
struct Followed {
    app: App,
    protocol: Box<dyn Protocol>,
    numbers: Option<Box<dyn ProtocolNumbers>>,
}

/// Every protocol, and what becomes of their records.
pub struct Pipeline {
    /// Those with trackers of their own.
    protocols: Vec<Followed>,
    conversations: Conversations,
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
        let conversations = Conversations::new(dialects(options));
        let follow = |(registered, options): (&'static Registered, &Options)| {
            let Follow::Tracker(start) = registered.follow else { return None };
            let protocol = start(options);
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
            Some(Followed { app: registered.app, protocol, numbers })
        };
        let protocols = PROTOCOLS.iter().zip(options).filter_map(follow).collect();
        for (app, losses) in conversations.losses() {
            shared.set_losses(app, losses);
        }
        Self {
            protocols,
            conversations,
            shared,
            enrichment: Enrichment::new(enrichers(policy)),
            found: Found::new(),
        }
    }

    /// Offers a payload copy to every protocol, unless it is part of a conversation that is known already.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8]) {
        if self.conversations.event(event, payload, &mut self.found) {
            return;
        }
        for Followed { protocol, .. } in &mut self.protocols {
            protocol.event(event, payload, &mut self.found);
        }
    }

    /// Whether there is anything to recognise conversations by.
    #[must_use]
    pub const fn recognises(&self) -> bool {
        !self.conversations.is_off()
    }

    /// Hands on what was decided of the payload that is copied from now on. A conversation that passes several watched
    /// interfaces is followed at the one that speaks for it: copies from the others would take room in the ring and time, and
    /// tell nothing.
    pub fn steer(&mut self, around: &mut dyn Surroundings) {
        let mut silent = Vec::new();
        for mut decision in self.conversations.decisions() {
            if decision.copies == Copies::All && !around.speaks(&decision.key, decision.slot) {
                decision.copies = Copies::None;
                silent.push(decision.key);
            }
            around.steer(&decision);
        }
        for key in silent {
            self.conversations.leave(&key);
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
        self.conversations.expire(now, &mut look, &mut self.found);
    }

    /// Gives up everything under way: nothing more will come.
    pub fn finish(&mut self) {
        for Followed { protocol, .. } in &mut self.protocols {
            protocol.finish(&mut self.found);
        }
        self.conversations.finish(&mut self.found);
    }

    /// When the oldest of what any protocol waits for began, nanoseconds of the packet clock.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        let oldest = self.protocols.iter().filter_map(|followed| followed.protocol.oldest());
        oldest.chain(self.conversations.oldest()).min()
    }

    /// Enriches and counts what has come up, and hands it on.
    pub fn report(
        &mut self,
        around: &mut dyn Surroundings,
        clock: &WallClock,
        records: &mut dyn FnMut(Box<dyn AppRecord>),
    ) {
        self.steer(around);
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
        for Followed { app, protocol, .. } in &mut self.protocols {
            let own = PROTOCOLS.iter().zip(options).find(|(registered, _)| registered.app == *app);
            if let Some((_, options)) = own {
                protocol.configure(options);
            }
        }
        self.conversations.configure(dialects(options));
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
        for (app, losses) in self.conversations.losses() {
            self.shared.set_losses(app, losses);
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

/// The protocols that recognise conversations, each with its part of `options`, which are in the order of the registry.
fn dialects(options: &[Options]) -> impl Iterator<Item = Entry<'_>> {
    PROTOCOLS.iter().zip(options).filter_map(|(registered, options)| match registered.follow {
        Follow::Tracker(_) => None,
        Follow::Dialect(candidate) => Some(Entry {
            app: registered.app,
            candidate,
            operations: registered.numbers.operations(),
            options,
        }),
    })
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}
