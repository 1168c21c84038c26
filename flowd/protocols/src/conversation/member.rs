//! A protocol that conversations are offered to: its options, its words, and what it lost.

use std::borrow::Cow;

use flow_common::app::App;

use super::{dialect::Candidate, record::RequestRecord, talk::Closed};
use crate::{options::Options, privacy::Statements, record::Head};

/// A protocol that may recognise a conversation, as the registry has it.
#[derive(Debug)]
pub struct Entry<'a> {
    pub app: App,
    pub candidate: Candidate,
    /// The closed list of its operations.
    pub operations: &'static [&'static str],
    pub options: &'a Options,
}

/// What was not followed to its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    /// Requests given up behind missing bytes.
    pub(super) unpaired: u64,
    /// Conversations given up for want of room.
    pub(super) evicted: u64,
    /// Sides of connections whose last bytes nobody showed.
    pub(super) unseen: u64,
    /// Times that a side said something that its protocol does not know.
    pub(super) malformed: u64,
}

impl Losses {
    /// By reason, as metrics name it.
    pub(super) fn rows(self) -> Vec<(&'static str, u64)> {
        let Self { unpaired, evicted, unseen, malformed } = self;
        vec![("unpaired", unpaired), ("evicted", evicted), ("unseen", unseen), ("malformed", malformed)]
    }
}

/// A protocol that may recognise a conversation.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) app: App,
    pub(super) options: Options,
    operations: &'static [&'static str],
    pub(super) losses: Losses,
}

impl Member {
    /// The protocol of a registry's entry, which has lost nothing yet.
    pub(super) fn new(entry: &Entry<'_>) -> Self {
        let Entry { app, operations, options, .. } = entry;
        Self { app: *app, options: (*options).clone(), operations, losses: Losses::default() }
    }

    /// The record of a request that was closed. `head` gives what it begins with for the time when it was asked.
    pub(super) fn record(&self, closed: Closed, head: impl FnOnce(u64) -> Head) -> RequestRecord {
        let Closed { open, outcome, retransmits } = closed;
        let keep = self.options.statements == Statements::Keep;
        let operation = match self.operations.iter().find(|known| ***known == *open.ask.operation) {
            Some(known) => Cow::Borrowed(*known),
            None if keep => open.ask.operation,
            None => Cow::Borrowed("_OTHER"),
        };
        RequestRecord {
            head: head(open.asked),
            app: self.app,
            operation,
            statement: open.ask.statement,
            one_way: open.ask.one_way,
            error: open.error,
            asked: open.asked,
            sent: open.sent,
            answered: open.answered,
            think_time: None,
            retransmits: retransmits.into(),
            outcome,
        }
    }
}
