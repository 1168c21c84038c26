//! Every connection, and the exchanges that come of them.

use flow_common::{
    app::App,
    event::{PayloadEvent, PayloadKind},
    key::FlowKey,
};

mod connection;
mod matching;
mod pending;
mod segment;
mod suspects;

use connection::Connection;
use segment::SegmentInfo;

use super::{HttpExchange, HttpLosses, HttpOptions, Privacy, parse, record::Emit, span::Input};
use crate::{
    progress::Progress,
    waiting::{Timeline, Waiter, Waiting},
};

pub(super) const FIN: u8 = 0x01;
pub(super) const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// A connection and when something of it expires, its time in [`HttpTracker::due`].
struct Entry {
    /// Apart, as a hash table keeps room for twice as many as it has.
    connection: Box<Connection>,
    due: u64,
}

impl Entry {
    /// Bytes beside its place among those that wait: the connection, and its place in [`HttpTracker::due`].
    fn weight(&self) -> usize {
        const DUE: usize = (size_of::<FlowKey>() + size_of::<(u64, u64)>()) * 2;
        DUE + self.connection.weight()
    }
}

/// Pairs requests with responses over all connections.
pub struct HttpTracker {
    options: HttpOptions,
    /// Connections since their last event.
    connections: Waiting<FlowKey, Entry>,
    due: Timeline<FlowKey>,
    losses: HttpLosses,
}

impl HttpTracker {
    #[must_use]
    pub fn new(options: HttpOptions) -> Self {
        let connections = Waiting::new(options.max_connections).within(options.max_bytes, Entry::weight);
        Self { options, connections, due: Timeline::default(), losses: HttpLosses::default() }
    }

    /// Heads that come from now on are shown like this; what was read before stays as it was read.
    pub fn set_privacy(&mut self, privacy: Privacy) {
        self.options.privacy = privacy;
    }

    /// Takes one event; `payload` is its copied bytes.
    ///
    /// A FIN or RST takes effect behind the event's `payload_len` bytes, whether the event is an `End` or
    /// carries payload too.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], emit: &mut dyn FnMut(HttpExchange)) {
        let from = event.from();
        let starts = event.is_of(App::Http) && event.kind != PayloadKind::Continuation as u8;
        let payload = if event.kind == PayloadKind::End as u8 { &[] } else { payload };

        let stale = |connection: &Connection| {
            connection.slot != event.slot
                || (starts && !payload.is_empty() && !connection.fits(from, event.seq, event.time))
        };
        if self.connections.get(&event.key).is_some_and(|known| stale(&known.value.connection)) {
            // The same addresses and ports, but another connection.
            self.close(&event.key, emit);
        }
        if let Some(known) = self.connections.renew(&event.key, event.time, |_| true) {
            let connection = &mut known.value.connection;
            advance(connection, event, payload, starts, &self.options, emit);
            self.losses += std::mem::take(&mut connection.losses);
            if connection.is_blank() {
                self.remove(&event.key);
            } else {
                reschedule(&mut self.due, event.key, known, &self.options);
                self.connections.weigh(&event.key);
                self.make_room(Waiting::is_too_much, emit);
            }
            return;
        }
        // What is not known to be HTTP begins with a message.
        if !starts || payload.is_empty() {
            let privacy = &self.options.privacy;
            let given_up = event.is_of(App::Http) && parse::read(payload, false, privacy).is_some();
            self.losses.lost_copy += u64::from(given_up);
            return;
        }
        self.make_room(Waiting::is_full, emit);
        let mut connection = Box::new(Connection::new(event.key, event.slot));
        advance(&mut connection, event, payload, starts, &self.options, emit);
        self.losses += std::mem::take(&mut connection.losses);
        if !connection.is_blank() {
            let due = connection.next_due(event.time, &self.options);
            // There is room.
            let _ = self.connections.push(event.key, event.time, Entry { connection, due });
            self.due.insert(due, self.connections.last_number(), event.key);
            self.make_room(Waiting::is_too_much, emit);
        }
    }

    /// Reports what waited long enough and forgets idle connections. `now`: nanoseconds of the packet clock;
    /// `look` gives what the record in a slot says, if it can be had.
    pub fn expire(
        &mut self,
        now: u64,
        look: &mut dyn FnMut(u32) -> Option<Progress>,
        emit: &mut dyn FnMut(HttpExchange),
    ) {
        while let Some(key) = self.due.first(now) {
            let Some(known) = self.connections.get_mut(&key) else { return };
            let connection = &mut known.value.connection;
            connection.expire(now, look, &self.options, emit);
            self.losses += std::mem::take(&mut connection.losses);
            let kept_until = connection.kept_until(known.time, &self.options);
            if connection.due(&self.options).is_some() || kept_until > now {
                reschedule(&mut self.due, key, known, &self.options);
                self.connections.weigh(&key);
            } else {
                self.remove(&key);
            }
        }
    }

    /// Reports everything outstanding and forgets all connections: the end of a capture or of the daemon.
    pub fn finish(&mut self, emit: &mut dyn FnMut(HttpExchange)) {
        self.due = Timeline::default();
        for (_, known) in self.connections.drain() {
            self.end(*known.value.connection, emit);
        }
    }

    /// Messages that were given up so far.
    #[must_use]
    pub const fn losses(&self) -> HttpLosses {
        self.losses
    }

    /// When the oldest exchange under way began, nanoseconds of the packet clock.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.connections.values().filter_map(|entry| entry.connection.oldest()).min()
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

    /// Bytes that all connections hold.
    #[cfg(test)]
    pub(super) const fn held(&self) -> usize {
        self.connections.held()
    }

    /// Payload bytes that are held.
    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.connections.values().map(|entry| entry.connection.buffered()).sum()
    }

    fn remove(&mut self, key: &FlowKey) -> Option<Box<Connection>> {
        let known = self.connections.take(key, |_| true)?;
        self.due.remove(known.value.due, known.number);
        Some(known.value.connection)
    }

    /// Drops the idlest connections while there is no room.
    fn make_room(&mut self, lacks: fn(&Waiting<FlowKey, Entry>) -> bool, emit: Emit<'_>) {
        while lacks(&self.connections) {
            let Some((_, idlest)) = self.connections.pop(u64::MAX) else { return };
            let Entry { connection, due } = idlest.value;
            self.due.remove(due, idlest.number);
            self.losses.evicted += connection.outstanding().max(usize::from(connection.is_open())) as u64;
            self.end(*connection, emit);
        }
    }

    fn close(&mut self, key: &FlowKey, emit: Emit<'_>) {
        if let Some(connection) = self.remove(key) {
            self.end(*connection, emit);
        }
    }

    fn end(&mut self, mut connection: Connection, emit: Emit<'_>) {
        connection.finish(&self.options, emit);
        self.losses += connection.losses;
    }
}

/// The connection takes one event. `starts`: the packet path took the first byte for the beginning of a message.
fn advance(
    connection: &mut Connection,
    event: &PayloadEvent,
    payload: &[u8],
    starts: bool,
    options: &HttpOptions,
    emit: Emit<'_>,
) {
    let (from, wire_end) = (event.from(), event.seq.wrapping_add(event.payload_len));
    if event.tcp_flags & RST == 0 {
        connection.streams.of_mut(from).saw(wire_end, event.time);
    }
    let ends = event.kind == PayloadKind::End as u8;
    let ack = (ends || event.tcp_flags & ACK != 0).then_some(event.ack);
    let info = SegmentInfo { time: event.time, ack, own_last: event.own_last, peer_last: event.peer_last };
    connection.observe(from, info, event.number(), event.retransmits);
    let input = Input { seq: event.seq, bytes: payload, starts, time: event.time, wire_end, ack };
    connection.data(from, input, options, emit);
    let copied = event.seq.wrapping_add(u32::from(event.copied));
    connection.look_past_copy(from, copied, wire_end, event.payload_len > 0);
    if event.tcp_flags & (FIN | RST) != 0 {
        let reset = event.tcp_flags & RST != 0;
        let last = if event.payload_len == 0 { event.own_last } else { event.time };
        connection.end(from, wire_end, last, reset, options, emit);
    }
}

/// Notes when something of a connection expires next.
fn reschedule(due: &mut Timeline<FlowKey>, key: FlowKey, known: &mut Waiter<Entry>, options: &HttpOptions) {
    let Entry { connection, due: before } = &mut known.value;
    let next = connection.next_due(known.time, options);
    if next != *before {
        due.remove(*before, known.number);
        due.insert(next, known.number, key);
        *before = next;
    }
}
