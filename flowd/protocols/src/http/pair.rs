//! Every connection, and the exchanges that come of them.

use std::collections::{BTreeMap, HashMap};

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::FlowKey,
};

mod connection;
mod losses;
mod matching;
mod pending;

use connection::{Connection, SegmentInfo};
use losses::Emit;
pub use losses::HttpLosses;

use super::{HttpOptions, Privacy, parse, span::Input};
use crate::progress::Progress;

pub(super) const FIN: u8 = 0x01;
pub(super) const RST: u8 = 0x04;
const ACK: u8 = 0x10;

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
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], emit: Emit<'_>) {
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
            self.close(&mut old.connection, emit);
        }
        let mut entry = match entry {
            Some(entry) => entry,
            // What is not known to be HTTP begins with a message.
            None if !starts || payload.is_empty() => {
                let privacy = &self.options.privacy;
                let continues = event.is_of(App::Http);
                let given_up = continues && parse::read(payload, false, privacy).is_some();
                self.losses.lost_copy += u64::from(given_up);
                return;
            }
            None => {
                self.make_room(emit);
                self.next_id += 1;
                let connection = Connection::new(event.key, event.slot);
                Entry { connection, id: self.next_id, due: 0, idle: 0 }
            }
        };

        let connection = &mut entry.connection;
        connection.last = connection.last.max(event.time);
        let wire_end = event.seq.wrapping_add(event.payload_len);
        if event.tcp_flags & RST == 0 {
            connection.streams.of_mut(from).saw(wire_end, event.time);
        }
        let ack = (event.tcp_flags & ACK != 0).then_some(event.ack);
        let info =
            SegmentInfo { time: event.time, ack, own_last: event.own_last, peer_last: event.peer_last };
        connection.observe(from, info, event.number(), event.retransmits);
        let input = Input { seq: event.seq, bytes: payload, starts, time: event.time, wire_end, ack };
        connection.data(from, input, &self.options, emit);
        connection.look_past_copy(
            from,
            event.seq.wrapping_add(u32::from(event.copied)),
            wire_end,
            event.payload_len > 0,
        );
        if event.tcp_flags & (FIN | RST) != 0 {
            let reset = event.tcp_flags & RST != 0;
            let last = if event.payload_len == 0 { event.own_last } else { event.time };
            connection.end(from, wire_end, last, reset, &self.options, emit);
        }
        if !connection.is_blank() {
            self.insert(event.key, entry);
        }
    }

    /// Reports what waited long enough and forgets idle connections. `now`: nanoseconds of the packet clock;
    /// `look` gives what the record in a slot says, if it can be had.
    pub fn expire(&mut self, now: u64, look: &mut dyn FnMut(u32) -> Option<Progress>, emit: Emit<'_>) {
        while let Some((&(time, _), &key)) = self.due.first_key_value() {
            if time > now {
                return;
            }
            let Some(mut entry) = self.remove(&key) else { return };
            entry.connection.expire(now, look, &self.options, emit);
            let idle_since = entry.connection.last.saturating_add(entry.connection.patience(&self.options));
            if entry.connection.due(&self.options).is_some() || idle_since > now {
                self.insert(key, entry);
            } else {
                self.losses += entry.connection.losses;
            }
        }
    }

    /// Reports everything outstanding and forgets all connections: the end of a capture or of the daemon.
    pub fn finish(&mut self, emit: Emit<'_>) {
        // In the order of the first event, so that two runs give the same lines.
        let mut entries: Vec<Entry> = self.connections.drain().map(|(_, entry)| entry).collect();
        entries.sort_unstable_by_key(|entry| entry.id);
        self.due.clear();
        self.idle.clear();
        for mut entry in entries {
            self.close(&mut entry.connection, emit);
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
    pub(super) fn outstanding(&self) -> usize {
        self.connections.values().map(|entry| entry.connection.outstanding()).sum()
    }

    /// Payload bytes that are held.
    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
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
    fn make_room(&mut self, emit: Emit<'_>) {
        while self.connections.len() >= self.options.max_connections.max(1) {
            let Some((_, &key)) = self.idle.first_key_value() else { return };
            let Some(mut entry) = self.remove(&key) else { return };
            self.losses.evicted += entry.connection.outstanding().max(1) as u64;
            self.close(&mut entry.connection, emit);
        }
    }

    fn close(&mut self, connection: &mut Connection, emit: Emit<'_>) {
        connection.finish(&self.options, emit);
        self.losses += connection.losses;
    }
}
