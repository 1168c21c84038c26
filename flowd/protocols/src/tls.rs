//! TLS handshakes over TCP as far as they are in clear text: what the client offers, what the server chooses.
//!
//! The packet path copies the first bytes of each side that begin like a record with a handshake; the hellos are
//! put together from them, and a line leaves when the server has answered, or did not.

use std::collections::{BTreeMap, HashMap};

use flow_common::{
    app::App,
    event::{MAX_PAYLOAD, PayloadEvent, PayloadKind},
    key::FlowKey,
    wire::tcp::flag,
};

mod bytes;
mod connection;
mod hello;
mod ja4;
mod layer;
mod numbers;
mod record;
#[cfg(test)]
mod tests;
pub mod words;

use connection::Connection;
pub use numbers::{FAMILIES, TlsNumbers};
pub use record::{TlsHandshake, TlsOutcome};

use crate::protocol::{Found, Look, Protocol, Registered};

type Sink<'a> = &'a mut dyn FnMut(TlsHandshake);

/// What the tracker keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsOptions {
    /// How long a hello waits for its answer, nanoseconds.
    pub timeout: u64,
    pub max_connections: usize,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self { timeout: 10_000_000_000, max_connections: 16_384 }
    }
}

/// What was not followed to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlsLosses {
    /// Copies that begin like a handshake, and hold no hello.
    pub malformed: u64,
    /// Handshakes given up before their time, as the table was full.
    pub evicted: u64,
}

/// Follows handshakes over all connections.
#[derive(Debug)]
pub struct TlsTracker {
    options: TlsOptions,
    connections: HashMap<FlowKey, Connection>,
    /// By their first event, which they wait from.
    order: BTreeMap<(u64, u64), FlowKey>,
    next: u64,
    losses: TlsLosses,
}

impl TlsTracker {
    #[must_use]
    pub fn new(options: TlsOptions) -> Self {
        let losses = TlsLosses::default();
        Self { options, connections: HashMap::new(), order: BTreeMap::new(), next: 0, losses }
    }

    /// Takes one event; `payload` is its copied bytes. Those of other protocols mean nothing to it, but for the end
    /// of a connection.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], sink: &mut dyn FnMut(TlsHandshake)) {
        let ends = event.kind == PayloadKind::End as u8;
        if !ends && !event.is_of(App::Tls) {
            return;
        }
        let mut connection = self.remove(&event.key);
        // The same addresses and ports, but another connection.
        if let Some(old) = connection.take_if(|connection| connection.slot != event.slot) {
            self.report(&old, false, sink);
        }
        if ends {
            if let Some(connection) = connection {
                self.report(&connection, u16::from(event.tcp_flags) & flag::RST != 0, sink);
            }
            return;
        }
        let mut connection = match connection {
            Some(connection) => connection,
            None if !begins(payload) => return,
            None => {
                self.make_room(sink);
                self.next += 1;
                Connection::new(event, self.next)
            }
        };
        connection.take(event, payload, MAX_PAYLOAD);
        match connection.settled() {
            Some(handshake) => sink(handshake),
            None => {
                self.order.insert((connection.begin, connection.number), event.key);
                self.connections.insert(event.key, connection);
            }
        }
    }

    /// Reports hellos that have waited too long. `now`: nanoseconds of the packet clock.
    pub fn expire(&mut self, now: u64, sink: &mut dyn FnMut(TlsHandshake)) {
        let Some(until) = now.checked_sub(self.options.timeout) else { return };
        while let Some((&(begin, _), &key)) = self.order.first_key_value() {
            if begin > until {
                return;
            }
            self.give_up(&key, sink);
        }
    }

    /// Reports everything under way and forgets it: the end of a capture or of the daemon.
    pub fn finish(&mut self, sink: &mut dyn FnMut(TlsHandshake)) {
        self.expire(u64::MAX, sink);
    }

    /// What was not followed to its end so far.
    #[must_use]
    pub const fn losses(&self) -> TlsLosses {
        self.losses
    }

    /// Handshakes under way.
    #[must_use]
    pub fn held(&self) -> usize {
        self.connections.len()
    }

    fn remove(&mut self, key: &FlowKey) -> Option<Connection> {
        let connection = self.connections.remove(key)?;
        self.order.remove(&(connection.begin, connection.number));
        Some(connection)
    }

    fn give_up(&mut self, key: &FlowKey, sink: Sink<'_>) {
        if let Some(connection) = self.remove(key) {
            self.report(&connection, false, sink);
        }
    }

    fn make_room(&mut self, sink: Sink<'_>) {
        while self.connections.len() >= self.options.max_connections.max(1) {
            let Some((_, &key)) = self.order.first_key_value() else { return };
            self.losses.evicted += 1;
            self.give_up(&key, sink);
        }
    }

    fn report(&mut self, connection: &Connection, reset: bool, sink: Sink<'_>) {
        match connection.handshake(reset) {
            Some(handshake) => sink(handshake),
            None => self.losses.malformed += 1,
        }
    }
}

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    name: NAME,
    start: |_| Box::new(TlsTracker::new(TlsOptions::default())),
    numbers: |_| Box::new(TlsNumbers::default()),
    families: || FAMILIES.iter().map(|family| family.meta).collect(),
};

/// In records, labels and the configuration.
const NAME: &str = "tls";

impl Protocol for TlsTracker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) {
        Self::event(self, event, payload, &mut |handshake| found.push(Box::new(handshake)));
    }

    fn expire(&mut self, now: u64, _: Look<'_>, found: &mut Found) {
        Self::expire(self, now, &mut |handshake| found.push(Box::new(handshake)));
    }

    fn finish(&mut self, found: &mut Found) {
        Self::finish(self, &mut |handshake| found.push(Box::new(handshake)));
    }

    fn losses(&self) -> Vec<(&'static str, u64)> {
        vec![("malformed", self.losses.malformed), ("evicted", self.losses.evicted)]
    }
}

/// Whether a copy may be the beginning of a record with a handshake.
fn begins(copy: &[u8]) -> bool {
    copy.first() == Some(&22) && copy.get(1).is_none_or(|major| *major == 3)
}
