//! DNS over TCP: each message behind its length in two bytes (RFC 1035 section 4.2.2), any number of them in a
//! connection (RFC 7766).

use flow_common::{
    event::PayloadEvent,
    key::{FlowKey, Sender},
};

use super::parse::u16_at;
use crate::{
    assembly::{Assembly, distance},
    waiting::Waiting,
};

/// A connection with half a message, or whose next message is awaited.
#[derive(Debug)]
struct Connection {
    slot: u32,
    sides: [Option<Assembly>; 2],
}

/// Connections on the DNS port, since their last event.
#[derive(Debug)]
pub(super) struct Connections(Waiting<FlowKey, Connection>);

impl Connections {
    /// Room for so many connections that hold so many bytes.
    pub(super) fn new(capacity: usize, bytes: usize) -> Self {
        Self(
            Waiting::new(capacity)
                .within(bytes, |Connection { sides, .. }| sides.iter().flatten().map(Assembly::weight).sum()),
        )
    }

    #[cfg(test)]
    pub(super) const fn held(&self) -> usize {
        self.0.held()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets connections whose last event was at `until` or before.
    pub(super) fn forget(&mut self, until: u64) {
        while self.0.pop(until).is_some() {}
    }

    /// Takes a copy and hands out the messages that it completes; gives back how many other connections had to make room.
    /// `limit`: bytes of a message, its length included, that are copied; a longer one is handed out cut.
    pub(super) fn take(
        &mut self,
        event: &PayloadEvent,
        copy: &[u8],
        limit: usize,
        message: &mut dyn FnMut(&[u8]),
    ) -> u64 {
        let known = self.0.get(&event.key).is_some();
        let new = || Connection { slot: event.slot, sides: [None, None] };
        let mut evicted = 0;
        if !known {
            while self.0.is_full() && self.0.pop(u64::MAX).is_some() {
                evicted += 1;
            }
            // There is room.
            let _ = self.0.push(event.key, event.time, new());
        }
        self.place(event, copy, limit, message);
        self.0.weigh(&event.key);
        while self.0.is_too_much() && self.0.pop(u64::MAX).is_some() {
            evicted += 1;
        }
        evicted
    }

    fn place(&mut self, event: &PayloadEvent, copy: &[u8], limit: usize, message: &mut dyn FnMut(&[u8])) {
        let new = || Connection { slot: event.slot, sides: [None, None] };
        let Some(connection) = self.0.renew(&event.key, event.time, |_| true) else { return };
        let connection = &mut connection.value;
        if connection.slot != event.slot {
            // The same addresses and ports, but another connection.
            *connection = new();
        }
        let [a, b] = &mut connection.sides;
        let side = if event.from() == Sender::A { a } else { b };
        let assembly = side.get_or_insert_with(|| Assembly::new(event.seq, limit));
        if !assembly.place(event.seq, copy) {
            if distance(assembly.start(), event.seq) < 0 {
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
