//! Handshakes of QUIC (RFC 9000, RFC 9369) from its Initial packets, whose keys anybody can work out (RFC 9001 section
//! 5.2): the line is that of TLS, whose messages they carry.
//!
//! The packet path copies the first datagrams of each side that begin with an Initial packet. The ClientHello and the
//! ServerHello are put together from their CRYPTO frames; a line leaves when the server has answered, or did not. What
//! comes after the Initial packets is encrypted with keys that nobody else has.

use flow_common::{app::App, event::PayloadEvent};

mod config;
mod pair;
mod parse;
#[cfg(test)]
mod tests;

pub use config::QuicOptions;
pub use pair::{QuicLosses, QuicTracker};

use crate::{
    protocol::{Follow, Found, Look, Numbers, Protocol, Registered, Switch, Words},
    section::{NoKeys, Schema},
};

/// This protocol's line in the registry. Its lines are those of TLS, and so are their numbers, but for the losses.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Quic,
    switch: Switch::Enabled(App::Tls),
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Tracker(|_| Box::new(QuicTracker::new(QuicOptions::default()))),
    held: config::HELD,
    numbers: Numbers::Shared(Words { operations: &[], statuses: &[] }),
};

impl Protocol for QuicTracker {
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
        let QuicLosses { malformed, evicted } = Self::losses(self);
        vec![("malformed", malformed), ("evicted", evicted)]
    }
}
