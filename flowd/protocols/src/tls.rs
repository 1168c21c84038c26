//! TLS handshakes over TCP as far as they are in clear text: what the client offers, what the server chooses. Those over
//! QUIC have the same line; [`crate::quic`] reads them.
//!
//! The packet path copies the first bytes of each side that begin like a record with a handshake; the hellos are
//! put together from them, and a line leaves when the server has answered, or did not.

use flow_common::{app::App, event::PayloadEvent};

mod config;
pub mod iana;
mod numbers;
mod pair;
pub(crate) mod parse;
mod record;
#[cfg(test)]
pub(crate) mod tests;

pub use config::TlsOptions;
pub use numbers::{FAMILIES, TlsNumbers};
pub use pair::{TlsLosses, TlsTracker};
pub use record::{TlsHandshake, TlsOutcome};

use crate::{
    protocol::{Follow, Found, Look, Numbers, Protocol, Registered, Switch},
    section::{NoKeys, Schema},
};

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Tls,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Tracker(|_| Box::new(TlsTracker::new(TlsOptions::default()))),
    held: config::HELD,
    numbers: Numbers::Own {
        start: |_| Box::new(TlsNumbers::default()),
        families: || FAMILIES.iter().map(|family| family.meta).collect(),
    },
};

impl Protocol for TlsTracker {
    fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) {
        Self::event(self, event, payload, &mut |handshake| found.push(Box::new(handshake)));
    }

    fn expire(&mut self, now: u64, look: Look<'_>, found: &mut Found) {
        Self::expire(self, now, look, &mut |handshake| found.push(Box::new(handshake)));
    }

    fn finish(&mut self, found: &mut Found) {
        Self::finish(self, &mut |handshake| found.push(Box::new(handshake)));
    }

    fn oldest(&self) -> Option<u64> {
        Self::oldest(self)
    }

    fn losses(&self) -> Vec<(&'static str, u64)> {
        let TlsLosses { malformed, evicted } = Self::losses(self);
        vec![("malformed", malformed), ("evicted", evicted)]
    }
}
