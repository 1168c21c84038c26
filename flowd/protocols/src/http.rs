//! HTTP/1.x as it passes: requests paired with their responses, from copies of their heads.
//!
//! The tracker sees what the packet path copied: the first bytes of what looks like a message, never whole
//! bodies. It keeps a little state per connection, bounded in every direction, and gives each exchange away
//! as soon as all that can be known of it is known: with the final response when the heads tell the sizes,
//! else with the next message or the end of that side, or a few seconds later.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use flow_common::{
    app::App,
    event::{MAX_PAYLOAD, PayloadEvent, PayloadKind},
    key::FlowKey,
};

mod answer;
mod head;
mod lane;
mod line;
mod numbers;
mod pairing;
mod pending;
mod privacy;
mod record;
mod redact;
mod span;
#[cfg(test)]
mod tests;

pub use crate::privacy::{Privacy, Query};
pub use numbers::{FAMILIES, HttpNumbers};
use pairing::{Connection, Moment};
pub use record::{HttpExchange, Outcome};
use span::Input;

use crate::{
    progress::Progress,
    protocol::{Found, Look, Protocol, Registered},
};

type Sink<'a> = &'a mut dyn FnMut(HttpExchange);

const FIN: u8 = 0x01;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What the tracker keeps, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    pub privacy: Privacy,
    /// Bytes of a head that are looked at, at most [`MAX_PAYLOAD`]; what the packet path copies.
    pub head_bytes: u32,
    /// How long a request waits for its response, and a connection for its next event; nanoseconds.
    pub timeout: u64,
    /// Outstanding exchanges of one connection.
    pub max_pending_per_flow: usize,
    pub max_connections: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            privacy: Privacy::default(),
            head_bytes: 512,
            timeout: 30_000_000_000,
            max_pending_per_flow: 64,
            max_connections: 65_536,
        }
    }
}

impl HttpOptions {
    /// Bytes of a head, within what makes sense: a first line needs some room.
    fn limit(&self) -> usize {
        usize::try_from(self.head_bytes).unwrap_or(MAX_PAYLOAD).clamp(16, MAX_PAYLOAD)
    }
}

/// Messages that are in no line, or in one that they do not complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HttpLosses {
    /// Open on connections that made room for others: at least one for each.
    pub evicted: u64,
    /// Requests that made room for later ones of their connection.
    pub pipeline_full: u64,
    /// Not recognised, as copies before them on their connection were lost.
    pub lost_copy: u64,
}

impl std::ops::AddAssign for HttpLosses {
    fn add_assign(&mut self, other: Self) {
        let Self { evicted, pipeline_full, lost_copy } = other;
        self.evicted += evicted;
        self.pipeline_full += pipeline_full;
        self.lost_copy += lost_copy;
    }
}

/// A connection and where it stands in the queues.
struct Entry {
    connection: Connection,
    id: u64,
    /// Its time in [`HttpTracker::due`].
    due: u64,
    /// Its time in [`HttpTracker::idle`].
    idle: u64,
}

/// Pairs requests with responses over all connections.
pub struct HttpTracker {
    options: HttpOptions,
    connections: HashMap<FlowKey, Entry>,
    /// Connections by the time when something of them expires.
    due: BTreeMap<(u64, u64), FlowKey>,
    /// Connections by their last event.
    idle: BTreeMap<(u64, u64), FlowKey>,
    next_id: u64,
    losses: HttpLosses,
}

impl HttpTracker {
    #[must_use]
    pub fn new(options: HttpOptions) -> Self {
        Self {
            options,
            connections: HashMap::new(),
            due: BTreeMap::new(),
            idle: BTreeMap::new(),
            next_id: 0,
            losses: HttpLosses::default(),
        }
    }

    /// Heads that come from now on are shown like this; what was read before stays as it was read.
    pub fn set_privacy(&mut self, privacy: Privacy) {
        self.options.privacy = privacy;
    }

    /// Takes one event; `payload` is its copied bytes.
    ///
    /// A FIN or RST takes effect behind the event's `payload_len` bytes, whether the event is an `End` or
    /// carries payload too.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], sink: &mut dyn FnMut(HttpExchange)) {
        let from = event.from();
        let starts = event.is_of(App::Http) && event.kind != PayloadKind::Continuation as u8;
        let payload = if event.kind == PayloadKind::End as u8 { &[] } else { payload };

        let mut entry = self.remove(&event.key);
        let stale = |entry: &Entry| {
            let connection = &entry.connection;
            connection.slot != event.slot
                || (starts && !payload.is_empty() && !connection.fits(from, event.seq, event.time))
        };
        // The same addresses and ports, but another connection.
        if let Some(mut old) = entry.take_if(|entry| stale(entry)) {
            self.close(&mut old.connection, sink);
        }
        let mut entry = match entry {
            Some(entry) => entry,
            // What is not known to be HTTP begins with a message.
            None if !starts || payload.is_empty() => {
                let privacy = &self.options.privacy;
                let continues = event.is_of(App::Http);
                let given_up = continues && head::parse(payload, false, privacy).is_some();
                self.losses.lost_copy += u64::from(given_up);
                return;
            }
            None => {
                self.make_room(sink);
                self.next_id += 1;
                let connection = Connection::new(event.key, event.slot);
                Entry { connection, id: self.next_id, due: 0, idle: 0 }
            }
        };

        let connection = &mut entry.connection;
        connection.last = connection.last.max(event.time);
        let wire_end = event.seq.wrapping_add(event.payload_len);
        if event.tcp_flags & RST == 0 {
            connection.lanes.of_mut(from).saw(wire_end, event.time);
        }
        let ack = (event.tcp_flags & ACK != 0).then_some(event.ack);
        let moment = Moment { time: event.time, ack, own_last: event.own_last, peer_last: event.peer_last };
        connection.meet(from, moment, event.number(), event.retransmits);
        let input = Input { seq: event.seq, bytes: payload, starts, time: event.time, wire_end, ack };
        connection.data(from, input, &self.options, sink);
        connection.look_behind(
            from,
            event.seq.wrapping_add(u32::from(event.copied)),
            wire_end,
            event.payload_len > 0,
        );
        if event.tcp_flags & (FIN | RST) != 0 {
            let reset = event.tcp_flags & RST != 0;
            let last = if event.payload_len == 0 { event.own_last } else { event.time };
            connection.end(from, wire_end, last, reset, &self.options, sink);
        }
        if !connection.is_blank() {
            self.insert(event.key, entry);
        }
    }

    /// Reports what waited long enough and forgets idle connections. `now`: nanoseconds of the packet clock;
    /// `look` gives what the record in a slot says, if it can be had.
    pub fn expire(
        &mut self,
        now: u64,
        look: &mut dyn FnMut(u32) -> Option<Progress>,
        sink: &mut dyn FnMut(HttpExchange),
    ) {
        while let Some((&(time, _), &key)) = self.due.first_key_value() {
            if time > now {
                return;
            }
            let Some(mut entry) = self.remove(&key) else { return };
            entry.connection.expire(now, look, &self.options, sink);
            let idle_since = entry.connection.last.saturating_add(entry.connection.patience(&self.options));
            if entry.connection.due(&self.options).is_some() || idle_since > now {
                self.insert(key, entry);
            } else {
                self.losses += entry.connection.losses;
            }
        }
    }

    /// Reports everything outstanding and forgets all connections: the end of a capture or of the daemon.
    pub fn finish(&mut self, sink: &mut dyn FnMut(HttpExchange)) {
        // In the order of the first event, so that two runs give the same lines.
        let mut entries: Vec<Entry> = self.connections.drain().map(|(_, entry)| entry).collect();
        entries.sort_unstable_by_key(|entry| entry.id);
        self.due.clear();
        self.idle.clear();
        for mut entry in entries {
            self.close(&mut entry.connection, sink);
        }
    }

    /// Messages that were given up so far.
    #[must_use]
    pub const fn losses(&self) -> HttpLosses {
        self.losses
    }

    /// Connections that are known at the moment.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Exchanges under way.
    #[cfg(test)]
    fn outstanding(&self) -> usize {
        self.connections.values().map(|entry| entry.connection.outstanding()).sum()
    }

    /// Payload bytes that are held.
    #[cfg(test)]
    fn buffered(&self) -> usize {
        self.connections.values().map(|entry| entry.connection.buffered()).sum()
    }

    fn remove(&mut self, key: &FlowKey) -> Option<Entry> {
        let entry = self.connections.remove(key)?;
        self.due.remove(&(entry.due, entry.id));
        self.idle.remove(&(entry.idle, entry.id));
        Some(entry)
    }

    fn insert(&mut self, key: FlowKey, mut entry: Entry) {
        let connection = &mut entry.connection;
        self.losses += std::mem::take(&mut connection.losses);
        entry.idle = connection.last;
        let idle_until = connection.last.saturating_add(connection.patience(&self.options));
        entry.due = connection.due(&self.options).unwrap_or(idle_until);
        self.due.insert((entry.due, entry.id), key);
        self.idle.insert((entry.idle, entry.id), key);
        self.connections.insert(key, entry);
    }

    /// Drops the idlest connections until there is room for one more.
    fn make_room(&mut self, sink: Sink<'_>) {
        while self.connections.len() >= self.options.max_connections.max(1) {
            let Some((_, &key)) = self.idle.first_key_value() else { return };
            let Some(mut entry) = self.remove(&key) else { return };
            self.losses.evicted += entry.connection.outstanding().max(1) as u64;
            self.close(&mut entry.connection, sink);
        }
    }

    fn close(&mut self, connection: &mut Connection, sink: Sink<'_>) {
        connection.finish(&self.options, sink);
        self.losses += connection.losses;
    }
}

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    name: NAME,
    start: |options| {
        Box::new(HttpTracker::new(HttpOptions {
            privacy: options.privacy.clone(),
            head_bytes: options.head_bytes,
            ..HttpOptions::default()
        }))
    },
    numbers: |policy| Box::new(HttpNumbers::new(Arc::clone(policy))),
    families: || FAMILIES.iter().map(|family| family.meta).collect(),
};

/// In records, labels and the configuration.
const NAME: &str = "http";

impl Protocol for HttpTracker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) {
        Self::event(self, event, payload, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn expire(&mut self, now: u64, look: Look<'_>, found: &mut Found) {
        Self::expire(self, now, look, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn finish(&mut self, found: &mut Found) {
        Self::finish(self, &mut |exchange| found.push(Box::new(exchange)));
    }

    fn set_privacy(&mut self, privacy: &Privacy) {
        self.options.privacy = privacy.clone();
    }

    fn losses(&self) -> Vec<(&'static str, u64)> {
        let HttpLosses { evicted, pipeline_full, lost_copy } = self.losses;
        vec![("evicted", evicted), ("pipeline_full", pipeline_full), ("lost_copy", lost_copy)]
    }
}
