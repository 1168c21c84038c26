//! Handshakes of every connection.

use std::collections::{BTreeMap, HashMap};

use flow_common::{
    app::App,
    event::{MAX_PAYLOAD, PayloadEvent, PayloadKind},
    key::FlowKey,
    wire::tcp::flag,
};

mod connection;

use connection::Connection;

use super::{TlsHandshake, TlsOptions};

type Emit<'a> = &'a mut dyn FnMut(TlsHandshake);

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
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], emit: &mut dyn FnMut(TlsHandshake)) {
        let ends = event.kind == PayloadKind::End as u8;
        if !ends && !event.is_of(App::Tls) {
            return;
        }
        let mut connection = self.remove(&event.key);
        // The same addresses and ports, but another connection.
        if let Some(old) = connection.take_if(|connection| connection.slot != event.slot) {
            self.report(&old, false, emit);
        }
        if ends {
            if let Some(connection) = connection {
                self.report(&connection, u16::from(event.tcp_flags) & flag::RST != 0, emit);
            }
            return;
        }
        let mut connection = match connection {
            Some(connection) => connection,
            None if !begins(payload) => return,
            None => {
                self.make_room(emit);
                self.next += 1;
                Connection::new(event, self.next)
            }
        };
        connection.take(event, payload, MAX_PAYLOAD);
        match connection.settled() {
            Some(handshake) => emit(handshake),
            None => {
                self.order.insert((connection.begin, connection.number), event.key);
                self.connections.insert(event.key, connection);
            }
        }
    }

    /// Reports hellos that have waited too long. `now`: nanoseconds of the packet clock.
    pub fn expire(&mut self, now: u64, emit: &mut dyn FnMut(TlsHandshake)) {
        let Some(until) = now.checked_sub(self.options.timeout) else { return };
        while let Some((&(begin, _), &key)) = self.order.first_key_value() {
            if begin > until {
                return;
            }
            self.give_up(&key, emit);
        }
    }

    /// Reports everything under way and forgets it: the end of a capture or of the daemon.
    pub fn finish(&mut self, emit: &mut dyn FnMut(TlsHandshake)) {
        self.expire(u64::MAX, emit);
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

    fn give_up(&mut self, key: &FlowKey, emit: Emit<'_>) {
        if let Some(connection) = self.remove(key) {
            self.report(&connection, false, emit);
        }
    }

    fn make_room(&mut self, emit: Emit<'_>) {
        while self.connections.len() >= self.options.max_connections.max(1) {
            let Some((_, &key)) = self.order.first_key_value() else { return };
            self.losses.evicted += 1;
            self.give_up(&key, emit);
        }
    }

    fn report(&mut self, connection: &Connection, reset: bool, emit: Emit<'_>) {
        match connection.handshake(reset) {
            Some(handshake) => emit(handshake),
            None => self.losses.malformed += 1,
        }
    }
}

/// Whether a copy may be the beginning of a record with a handshake.
fn begins(copy: &[u8]) -> bool {
    copy.first() == Some(&22) && copy.get(1).is_none_or(|major| *major == 3)
}
