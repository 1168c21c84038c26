//! DNS over TCP: each message behind its length in two bytes (RFC 1035 section 4.2.2), any number of them in a
//! connection (RFC 7766).

use std::collections::{BTreeMap, HashMap};

use flow_common::{
    event::PayloadEvent,
    key::{FlowKey, Sender},
};

use super::parse::u16_at;
use crate::assembly::Assembly;

/// A connection with half a message, or whose next message is awaited.
#[derive(Debug, Default)]
struct Connection {
    slot: u32,
    last: u64,
    number: u64,
    sides: [Option<Assembly>; 2],
}

/// Connections on the DNS port.
#[derive(Debug, Default)]
pub(super) struct Connections {
    connections: HashMap<FlowKey, Connection>,
    /// By the last event.
    idle: BTreeMap<(u64, u64), FlowKey>,
    next: u64,
}

impl Connections {
    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Forgets the connection that was quiet for longest, if its last event was at `until` or before.
    pub(super) fn forget(&mut self, until: u64) -> bool {
        let Some((&(last, number), &key)) = self.idle.first_key_value() else { return false };
        if last > until {
            return false;
        }
        self.idle.remove(&(last, number));
        self.connections.remove(&key);
        true
    }

    /// Takes a copy and hands out the messages that it completes. `limit`: bytes of a message, its length
    /// included, that are copied; a longer one is handed out cut.
    pub(super) fn take(
        &mut self,
        event: &PayloadEvent,
        copy: &[u8],
        limit: usize,
        message: &mut dyn FnMut(&[u8]),
    ) {
        let Self { connections, idle, next } = self;
        let connection = connections.entry(event.key).or_insert_with(|| {
            *next += 1;
            Connection { slot: event.slot, number: *next, ..Connection::default() }
        });
        idle.remove(&(connection.last, connection.number));
        if connection.slot != event.slot {
            // The same addresses and ports, but another connection.
            (connection.slot, connection.sides) = (event.slot, [None, None]);
        }
        connection.last = connection.last.max(event.time);
        idle.insert((connection.last, connection.number), event.key);
        let [a, b] = &mut connection.sides;
        let side = if event.from() == Sender::A { a } else { b };
        let assembly = side.get_or_insert_with(|| Assembly::new(event.seq, limit));
        if !assembly.place(event.seq, copy) {
            if (event.seq.wrapping_sub(assembly.start()) as i32) < 0 {
                return;
            }
            // What lay between was not copied: a message begins here, or the reader will refuse it.
            *assembly = Assembly::new(event.seq, limit);
            assembly.place(event.seq, copy);
        }
        while let Some(len) = u16_at(assembly.bytes(), 0).map(|len| usize::from(len) + 2) {
            let Some(bytes) = assembly.bytes().get(2..len.min(limit)) else { break };
            message(bytes);
            assembly.advance(len);
        }
    }
}
