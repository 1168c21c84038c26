//! Handshakes of every connection.

use flow_common::{
    app::App,
    event::{MAX_PAYLOAD, PayloadEvent, PayloadKind},
    key::FlowKey,
    wire::tcp::flag,
};

mod connection;

use connection::Connection;

use super::{TlsHandshake, TlsOptions, parse};
use crate::{protocol::Look, waiting::Waiting};

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
    /// Since their first event.
    connections: Waiting<FlowKey, Connection>,
    losses: TlsLosses,
}

impl TlsTracker {
    #[must_use]
    pub fn new(options: TlsOptions) -> Self {
        let connections = Waiting::new(options.max_connections).within(options.max_bytes, Connection::weight);
        Self { options, connections, losses: TlsLosses::default() }
    }

    /// Takes one event; `payload` is its copied bytes. Those of other protocols mean nothing to it, but for the end
    /// of a connection.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], emit: &mut dyn FnMut(TlsHandshake)) {
        let ends = event.kind == PayloadKind::End as u8;
        if !ends && !event.is_of(App::Tls) {
            return;
        }
        let mut connection = self.connections.take(&event.key, |_| true);
        // The same addresses and ports, but another connection.
        if let Some(old) = connection.take_if(|connection| connection.value.slot != event.slot) {
            self.report(&old.value, false, emit);
        }
        if ends {
            let Some(connection) = connection else { return };
            let reset = u16::from(event.tcp_flags) & flag::RST != 0;
            if reset || connection.value.is_over_without(event.from()) {
                self.report(&connection.value, reset, emit);
            } else {
                self.wait(event.key, connection.value, emit);
            }
            return;
        }
        let mut connection = match connection {
            Some(connection) => connection.value,
            None if !begins(payload) => return,
            None => Connection::new(event),
        };
        connection.take(event, payload, MAX_PAYLOAD);
        if let Some(handshake) = connection.settled() {
            emit(handshake);
        } else {
            self.wait(event.key, connection, emit);
        }
    }

    fn wait(&mut self, key: FlowKey, connection: Connection, emit: Emit<'_>) {
        while self.connections.is_full()
            && let Some((_, evicted)) = self.connections.pop(u64::MAX)
        {
            self.losses.evicted += 1;
            self.report(&evicted.value, false, emit);
        }
        // There is room.
        let _ = self.connections.push(key, connection.begin, connection);
    }

    /// Reports hellos that have waited too long, unless their flow lives: the answer may still come. `now`: nanoseconds
    /// of the packet clock; `look` gives what the record in a slot says, if it can be had.
    pub fn expire(&mut self, now: u64, look: Look<'_>, emit: &mut dyn FnMut(TlsHandshake)) {
        let Some(until) = now.checked_sub(self.options.timeout) else { return };
        while let Some((key, connection)) = self.connections.pop(until) {
            let progress = look(connection.value.slot).filter(|progress| progress.key == key);
            if progress.is_some_and(|progress| progress.lives) {
                // There is room, as one was just taken out.
                let _ = self.connections.push(key, now, connection.value);
            } else {
                self.report(&connection.value, false, emit);
            }
        }
    }

    /// When the oldest handshake under way began, nanoseconds of the packet clock.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.connections.values().map(|connection| connection.begin).min()
    }

    /// Reports everything under way and forgets it: the end of a capture or of the daemon.
    pub fn finish(&mut self, emit: &mut dyn FnMut(TlsHandshake)) {
        while let Some((_, connection)) = self.connections.pop(u64::MAX) {
            self.report(&connection.value, false, emit);
        }
    }

    /// What was not followed to its end so far.
    #[must_use]
    pub const fn losses(&self) -> TlsLosses {
        self.losses
    }

    /// Bytes that all connections hold.
    #[cfg(test)]
    pub(super) const fn held_bytes(&self) -> usize {
        self.connections.held()
    }

    /// Handshakes under way.
    #[must_use]
    pub fn held(&self) -> usize {
        self.connections.len()
    }

    fn report(&mut self, connection: &Connection, reset: bool, emit: Emit<'_>) {
        match connection.handshake(reset) {
            Some(handshake) => emit(handshake),
            None => self.losses.malformed += 1,
        }
    }
}

/// Whether a copy may be the beginning of a record with a handshake, or is a hello of SSL 2.0's shape.
fn begins(copy: &[u8]) -> bool {
    copy.first() == Some(&22) && copy.get(1).is_none_or(|major| *major == 3) || parse::is_old_hello(copy)
}
