//! DNS over UDP and TCP port 53: queries paired with their responses, from copies of the messages.
//!
//! A query waits for its response by flow, id and question. The same again while it waits is a retry of the same
//! exchange; each sending leaves a line. Everything is bounded; what the bounds cost is counted.

use flow_common::{app::App, event::PayloadEvent, sniff::dns_limit as limit};

mod config;
pub mod iana;
mod numbers;
mod pair;
mod parse;
mod record;
mod stream;
#[cfg(test)]
mod tests;

pub use config::DnsOptions;
pub use numbers::{DnsNumbers, FAMILIES};
pub use pair::{DnsLosses, DnsTracker};
pub use record::{DnsExchange, DnsOutcome};

use crate::{
    protocol::{Follow, Found, Look, Numbers, Protocol, Registered, Switch},
    section::{NoKeys, Schema},
};

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Dns,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Tracker(|options| {
        Box::new(DnsTracker::new(DnsOptions { copied: limit(options.head_bytes), ..DnsOptions::default() }))
    }),
    held: config::HELD,
    numbers: Numbers::Own {
        start: |_| Box::new(DnsNumbers::default()),
        families: || FAMILIES.iter().map(|family| family.meta).collect(),
    },
};

impl Protocol for DnsTracker {
    fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) {
        Self::event(self, event, payload, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn expire(&mut self, now: u64, _: Look<'_>, found: &mut Found) {
        Self::expire(self, now, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn finish(&mut self, found: &mut Found) {
        Self::finish(self, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn losses(&self) -> Vec<(&'static str, u64)> {
        let DnsLosses { malformed, evicted, repeated_answer } = Self::losses(self);
        vec![("malformed", malformed), ("evicted", evicted), ("repeated_answer", repeated_answer)]
    }
}
