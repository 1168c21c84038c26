//! One conversation, and in how far it is known which request the server answers.

use std::sync::Arc;

use super::{
    pending::{Item, Pending},
    recognise::resumes,
};
use crate::{
    conversation::{
        Ask, Dialect, Input, Side, Step, Talk, Ticket,
        sql::{self, Meaning, Prepared},
    },
    privacy::Statements,
    protocol::Options,
};

/// Nanoseconds after which nothing that was asked before is answered any more, where that cannot be counted.
const QUIET: u64 = 1_000_000_000;

/// PostgreSQL on one connection.
///
/// The server answers in order, and says ReadyForQuery behind each unit: a Query, or what stands before a Sync. Most
/// clients wait for it; only those that do not can be mispaired where something is missing.
#[derive(Debug)]
pub(super) struct Postgresql {
    pub(super) statements: Statements,
    /// Whether a backslash escapes in plain strings, as the server said last.
    pub(super) escapes: bool,
    /// Statements and portals by the hash of their names.
    pub(super) named: Prepared<u64>,
    pub(super) portals: Prepared<u64>,
    /// When the Bind in front of an Execute passed, and of which portal.
    pub(super) bound: Option<(u64, u64)>,
    pub(super) pending: Pending,
    /// The client has asked for encryption: the server answers with one byte.
    pub(super) encryption: bool,
    /// The error behind which the server skips all up to a Sync.
    pub(super) skipping: Option<String>,
    /// The request whose answer has begun.
    pub(super) begun: Option<Ticket>,
    /// When the server said ReadyForQuery, if nobody has said anything since then.
    pub(super) idle: Option<u64>,
    /// The client was seen to ask before the server was ready.
    pub(super) pipelines: bool,
    /// Requests may have been missed: which the server answers is not known.
    pub(super) doubt: bool,
    /// Units that were asked meanwhile, or whose answers were given up.
    pub(super) owed: usize,
    /// Something of the server is missing since it was last ready.
    pub(super) holey: bool,
    /// Nothing of the server was seen since then.
    pub(super) blind: bool,
    /// A statement was seen to end or fail since then.
    pub(super) ended: bool,
}

impl Postgresql {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            statements: options.statements,
            escapes: false,
            named: Prepared::default(),
            portals: Prepared::default(),
            bound: None,
            pending: Pending::default(),
            encryption: false,
            skipping: None,
            begun: None,
            idle: Some(0),
            pipelines: false,
            doubt: false,
            owed: 0,
            holey: false,
            blind: false,
            ended: false,
        }
    }

    /// The client begins a message that the server answers; `begins`: one that may begin a unit.
    pub(super) fn before(&mut self, begins: bool, talk: &mut Talk<'_>) {
        if self.holey && self.pending.units() > 0 {
            // It would not ask if the server had not been ready, which is among what is missing.
            talk.give_up();
            self.pending.clear();
        }
        if begins && let Some(idle) = self.idle.take() {
            let quiet = talk.time().saturating_sub(idle) > QUIET;
            if !self.pipelines || self.owed == 0 || quiet {
                (self.doubt, self.owed) = (false, 0);
            }
        }
        self.idle = None;
    }

    /// The server will answer this.
    pub(super) fn push(&mut self, item: Item, talk: &mut Talk<'_>) {
        if self.doubt {
            self.owed = self.owed.saturating_add(usize::from(item.is_end()));
        } else if !self.pending.push(item) {
            self.lose_count(talk);
        }
    }

    /// The client asks for what `meaning` says; its first byte passed at `time`.
    pub(super) fn ask(
        &mut self,
        meaning: &Meaning,
        time: Option<u64>,
        item: impl FnOnce(Ticket) -> Item,
        talk: &mut Talk<'_>,
    ) {
        let Meaning { operation, statement } = meaning.clone();
        let statement = statement.filter(|_| talk.open() < sql::WAITING);
        let ticket = talk.ask(Ask { operation, statement, time, one_way: false });
        if self.doubt {
            talk.abandon(ticket);
        }
        self.push(item(ticket), talk);
    }

    /// Nobody knows any more which request the server answers.
    fn lose_count(&mut self, talk: &mut Talk<'_>) {
        talk.give_up();
        self.owed = self.owed.saturating_add(self.pending.units());
        self.pending.clear();
        (self.doubt, self.skipping) = (true, None);
    }

    /// What a name stands for.
    pub(super) fn meaning(from: &Prepared<u64>, name: Option<u64>) -> Arc<Meaning> {
        let unknown = || Arc::new(Meaning { operation: super::words::EXECUTE.into(), statement: None });
        name.and_then(|name| from.get(&name)).map_or_else(unknown, Arc::clone)
    }
}

impl Dialect for Postgresql {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        match side {
            Side::Client => self.client(input, talk),
            Side::Server => self.server(input, talk),
        }
    }

    fn configure(&mut self, options: &Options) {
        if options.statements != self.statements {
            self.statements = options.statements;
            self.named.hide_texts();
            self.portals.hide_texts();
        }
    }

    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        match side {
            // What was asked before it is answered before what was asked behind it.
            Side::Client => (self.doubt, self.bound) = (true, None),
            Side::Server if self.pipelines => self.lose_count(talk),
            Side::Server => {
                // Where nothing else was asked, it is the beginning of the answer that is missing.
                if self.pending.units() > 1 || self.begun.is_some() {
                    self.pending.keep_last_unit(talk);
                    self.pending.abandon_several(talk);
                } else {
                    talk.give_up();
                    self.pending.clear();
                }
                (self.holey, self.blind, self.ended, self.idle) = (true, true, false, None);
            }
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        resumes(side, bytes)
    }

    fn weight(&self) -> usize {
        self.named.weight() + self.portals.weight() + self.pending.weight()
    }
}
