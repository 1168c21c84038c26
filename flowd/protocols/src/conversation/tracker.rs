//! Conversations of all connections.

use flow_common::{
    app::App,
    dissect::transport::protocol,
    event::{PayloadEvent, PayloadKind},
    key::FlowKey,
};

use super::{
    candidates::Candidates,
    connection::{Connection, is_reset},
    dialogue::Records,
    member::{Entry, Member},
    steering::{Copies, Decision},
};
use crate::{progress::Look, record::Found, waiting::Waiting};

/// Connections that are followed at once.
const CONNECTIONS: usize = 65_536;
/// Bytes that all connections hold at most.
pub const HELD: usize = 32 << 20;
/// A connection that nobody speaks on for so long is looked at, ns.
const IDLE: u64 = 30_000_000_000;
/// By so much the time may be late since when a connection is silent, ns: connections are put in order less often.
const GRAIN: u64 = 100_000_000;
/// A request without a response on a connection that is silent and lives waits so long, ns.
const UNANSWERED: u64 = 600_000_000_000;

/// Whose an event is.
#[derive(Clone, Copy, Debug)]
enum Taken {
    /// Of no connection that is known.
    OfNone,
    /// Of another connection between the same addresses and ports than the one that is known.
    OfAnother,
    Of {
        /// It is known what it speaks.
        recognised: bool,
        /// Who follows it.
        member: Option<usize>,
        /// What changes for the packet path.
        copies: Option<Copies>,
    },
}

/// Follows what dialects recognise over all connections.
#[derive(Debug)]
pub struct Conversations {
    members: Vec<Member>,
    candidates: Candidates,
    connections: Waiting<FlowKey, Connection>,
    decisions: Vec<Decision>,
    /// Kept for its allocation.
    records: Records,
}

impl Conversations {
    /// Nothing seen yet. Of the entries those that are off are left out; those in front are asked first.
    pub fn new<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Self {
        Self::within(CONNECTIONS, HELD, entries)
    }

    /// The same with room for so many connections, and for so many bytes that they hold.
    pub fn within<'a>(connections: usize, held: usize, entries: impl Iterator<Item = Entry<'a>>) -> Self {
        let entries = entries.filter(|entry| entry.options.on);
        let (members, candidates) = entries.map(|entry| (Member::new(&entry), entry.candidate)).unzip();
        let connections = Waiting::new(connections).within(held, Connection::weight);
        let candidates = Candidates::new(candidates);
        Self { members, candidates, connections, decisions: Vec::new(), records: Records::new() }
    }

    /// Takes one event; `payload` is its copied bytes. Says whether it is part of a conversation that a dialect follows,
    /// and so nobody else's.
    pub fn event(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) -> bool {
        if self.members.is_empty() || event.key.protocol() != protocol::TCP {
            return false;
        }
        if event.kind == PayloadKind::End as u8 {
            return self.ended(event, found);
        }
        if event.is_of(App::Tls) || event.is_of(App::Dns) {
            // The packet path found what it knows, and nothing of that is said in a conversation that is followed.
            self.drop_connection(&event.key, false, found);
            return false;
        }
        let mut taken = self.take(event, payload, found);
        if matches!(taken, Taken::OfAnother) {
            self.drop_connection(&event.key, false, found);
        }
        if !matches!(taken, Taken::Of { .. }) {
            if !begins(event, payload) {
                return false;
            }
            self.open(event, found);
            taken = self.take(event, payload, found);
        }
        let Taken::Of { recognised, member, copies } = taken else { return false };
        if let Some(copies) = copies {
            let app = member.and_then(|member| self.members.get(member)).map(|member| member.app);
            self.decisions.push(Decision { key: event.key, slot: event.slot, copies, app });
        }
        if matches!(copies, Some(Copies::None | Copies::Opening)) {
            self.drop_connection(&event.key, false, found);
        }
        self.make_room(Waiting::is_too_much, found);
        recognised
    }

    /// Has a connection that is known take an event.
    fn take(&mut self, event: &PayloadEvent, payload: &[u8], found: &mut Found) -> Taken {
        let Self { members, candidates, connections, records, .. } = self;
        let taken = connections.change(&event.key, event.time, GRAIN, |connection| {
            if connection.slot != event.slot {
                return Taken::OfAnother;
            }
            let copies = connection.take(event, payload, (candidates, members), records);
            connection.report(members, records, found);
            Taken::Of { recognised: connection.is_recognised(), member: connection.member(), copies }
        });
        taken.unwrap_or(Taken::OfNone)
    }

    /// Begins to look at a connection.
    fn open(&mut self, event: &PayloadEvent, found: &mut Found) {
        self.make_room(Waiting::is_full, found);
        // There is room.
        let _ = self.connections.push(event.key, event.time, Connection::new(event.key, event.slot));
    }

    /// Ends the connections that were silent for longest, for as long as it is `needed`.
    fn make_room(&mut self, needed: fn(&Waiting<FlowKey, Connection>) -> bool, found: &mut Found) {
        while needed(&self.connections)
            && let Some((_, evicted)) = self.connections.pop(u64::MAX)
        {
            let connection = evicted.value;
            if let Some(member) = connection.member().and_then(|at| self.members.get_mut(at)) {
                member.losses.evicted += 1;
            }
            self.end(connection, false, found);
        }
    }

    /// One side has ended.
    fn ended(&mut self, event: &PayloadEvent, found: &mut Found) -> bool {
        let Some(waiter) = self.connections.get_mut(&event.key) else { return false };
        if waiter.value.slot != event.slot {
            self.drop_connection(&event.key, false, found);
            return false;
        }
        let recognised = waiter.value.is_recognised();
        if waiter.value.close(event, &mut self.members) {
            self.drop_connection(&event.key, is_reset(event), found);
        }
        recognised
    }

    fn drop_connection(&mut self, key: &FlowKey, reset: bool, found: &mut Found) {
        if let Some(waiter) = self.connections.take(key, |_| true) {
            self.end(waiter.value, reset, found);
        }
    }

    fn end(&mut self, mut connection: Connection, reset: bool, found: &mut Found) {
        connection.end(reset, &mut self.records);
        connection.report(&mut self.members, &mut self.records, found);
    }

    /// Looks at connections that have been silent for long: those whose flow lives go on. `now`: nanoseconds of the packet
    /// clock.
    pub fn expire(&mut self, now: u64, look: Look<'_>, found: &mut Found) {
        let Some(until) = now.checked_sub(IDLE) else { return };
        while let Some((key, waiter)) = self.connections.pop(until) {
            let mut connection = waiter.value;
            let progress = look(connection.slot);
            let lives = progress.is_some_and(|progress| progress.key == key && progress.lives);
            if lives && connection.is_recognised() {
                connection.expire(now.saturating_sub(UNANSWERED), &mut self.records);
                connection.report(&mut self.members, &mut self.records, found);
                // There is room, as one was just taken out.
                let _ = self.connections.push(key, now, connection);
            } else {
                self.end(connection, false, found);
            }
        }
    }

    /// Reports everything under way and forgets it.
    pub fn finish(&mut self, found: &mut Found) {
        for (_, waiter) in self.connections.drain() {
            self.end(waiter.value, false, found);
        }
    }

    /// Whether every protocol is off.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        self.members.is_empty()
    }

    /// A conversation is followed at another interface: tells nothing more of it, nor of what is open.
    pub fn leave(&mut self, key: &FlowKey) {
        if let Some(waiter) = self.connections.get_mut(key) {
            waiter.value.leave();
            self.connections.weigh(key);
        }
    }

    /// When the oldest request that is open was asked, nanoseconds of the packet clock.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.connections.values().filter_map(Connection::oldest).min()
    }

    /// Bytes that all connections hold.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.connections.held()
    }

    /// Takes other options: what is asked from now on goes by them, also on connections that are open.
    pub fn configure<'a>(&mut self, entries: impl Iterator<Item = Entry<'a>>) {
        for Entry { app, options, .. } in entries {
            if let Some(member) = self.members.iter_mut().find(|member| member.app == app) {
                member.options = options.clone();
            }
        }
        for connection in self.connections.values_mut() {
            connection.configure(&self.members);
        }
    }

    /// What was not followed to its end so far, by protocol.
    pub fn losses(&self) -> impl Iterator<Item = (App, Vec<(&'static str, u64)>)> {
        self.members.iter().map(|member| (member.app, member.losses.rows()))
    }

    /// Decisions since the last call.
    pub fn decisions(&mut self) -> std::vec::Drain<'_, Decision> {
        self.decisions.drain(..)
    }
}

/// Whether an event may be the first of a conversation: the packet path knows no protocol of it, or what it took for HTTP
/// says no version of HTTP/1.
fn begins(event: &PayloadEvent, payload: &[u8]) -> bool {
    if event.app == 0 {
        return !payload.is_empty();
    }
    let kind = [PayloadKind::Request as u8, PayloadKind::Response as u8];
    event.is_of(App::Http) && kind.contains(&event.kind) && !is_http1(payload)
}

fn is_http1(payload: &[u8]) -> bool {
    let line = payload.split(|byte| *byte == b'\n').next().unwrap_or_default();
    payload.starts_with(b"HTTP/1.") || line.windows(8).any(|part| part == b" HTTP/1.")
}

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod tests;
