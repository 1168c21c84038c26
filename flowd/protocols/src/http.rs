//! HTTP/1.x as it passes: requests paired with their responses, from copies of their heads.
//!
//! The tracker sees what the packet path copied: the first bytes of what looks like a message, never whole
//! bodies. It keeps a little state per connection, bounded in every direction, and gives each exchange away
//! as soon as all that can be known of it is known: with the final response when the heads tell the sizes,
//! else with the next message or the end of that side, or a few seconds later.

use std::sync::Arc;

use flow_common::{app::App, event::PayloadEvent};

mod config;
mod losses;
mod numbers;
mod pair;
mod parse;
mod record;
mod span;
mod stream;
#[cfg(test)]
mod tests;
mod trace;

pub use config::{HttpKeys, HttpOptions};
pub use losses::HttpLosses;
pub use numbers::{FAMILIES, HttpNumbers};
pub use pair::HttpTracker;
pub use parse::Privacy;
pub(crate) use parse::{Fields, Name, method_of, target};
pub(crate) use record::VERSION_2;
pub use record::{HttpExchange, Outcome};
pub use trace::TraceContext;

pub use crate::privacy::Query;
use crate::{
    protocol::{Follow, Found, Look, Numbers, Options, Protocol, Registered, Switch},
    section::Schema,
};

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Http,
    switch: Switch::Http,
    keys: Schema::of::<HttpKeys>(),
    follow: Follow::Tracker(|options| Box::new(HttpTracker::new(HttpOptions::of(options)))),
    held: config::HELD,
    numbers: Numbers::Own {
        start: |policy| Box::new(HttpNumbers::new(Arc::clone(policy))),
        families: || FAMILIES.iter().map(|family| family.meta).collect(),
    },
};

impl Protocol for HttpTracker {
    fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) {
        Self::event(self, event, payload, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn expire(&mut self, now: u64, look: Look<'_>, found: &mut Found) {
        Self::expire(self, now, look, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn finish(&mut self, found: &mut Found) {
        Self::finish(self, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn oldest(&self) -> Option<u64> {
        Self::oldest(self)
    }

    fn configure(&mut self, options: &Options) {
        self.set_privacy(HttpOptions::of(options).privacy);
    }

    fn losses(&self) -> Vec<(&'static str, u64)> {
        let HttpLosses { evicted, pipeline_full, lost_copy } = Self::losses(self);
        vec![("evicted", evicted), ("pipeline_full", pipeline_full), ("lost_copy", lost_copy)]
    }
}
