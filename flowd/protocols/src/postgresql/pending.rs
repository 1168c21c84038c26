//! What a client has asked for and the server has not answered yet, in order.

use std::{collections::VecDeque, sync::Arc};

use crate::conversation::{Status, Talk, Ticket, sql::Meaning};

/// Messages that may wait at once.
const MOST: usize = 8_192;

/// A message that the server answers, or says the end of.
#[derive(Debug)]
pub(super) enum Item {
    Login(Ticket),
    /// The simple protocol's.
    Query(Ticket),
    /// FunctionCall, which makes no line.
    Call,
    Parse(Arc<Meaning>, u64),
    Bind,
    Describe,
    Close,
    Execute(Ticket),
    /// An Execute that was answered, and may yet fail at the Sync behind it, as where a constraint is deferred.
    Done(Ticket),
    Sync,
    /// CopyDone or CopyFail.
    CopyEnd,
}

impl Item {
    /// Whether the server says ReadyForQuery behind it: the unit ends here.
    pub(super) const fn is_end(&self) -> bool {
        matches!(self, Self::Login(_) | Self::Query(_) | Self::Call | Self::Sync)
    }

    const fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Login(ticket) | Self::Query(ticket) | Self::Execute(ticket) | Self::Done(ticket) => {
                Some(*ticket)
            }
            _ => None,
        }
    }
}

/// Everything that waits, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<Item>);

impl Pending {
    /// Adds a message; false where too many wait.
    pub(super) fn push(&mut self, item: Item) -> bool {
        let room = self.0.len() < MOST;
        if room {
            self.0.push_back(item);
        }
        room
    }

    /// Messages that wait.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn front(&self) -> Option<&Item> {
        self.0.front()
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        self.0.pop_front()
    }

    pub(super) fn pop_if(&mut self, matches: impl FnOnce(&Item) -> bool) -> bool {
        self.0.pop_front_if(|item| matches(item)).is_some()
    }

    /// The request that the server answers now: what stands in front of it needed no answer, or has had it.
    pub(super) fn reach(&mut self) -> Option<Ticket> {
        while self.pop_if(|item| {
            matches!(item, Item::Parse(..) | Item::Bind | Item::Describe | Item::Close | Item::CopyEnd)
        }) {}
        match self.front() {
            Some(Item::Query(ticket) | Item::Execute(ticket)) => Some(*ticket),
            _ => None,
        }
    }

    /// The request in front has had its answer.
    pub(super) fn done(&mut self, talk: &mut Talk<'_>) {
        let Some(Item::Execute(ticket)) = self.front() else { return };
        let ticket = *ticket;
        if matches!(self.0.get(1), Some(Item::Sync)) {
            self.0.pop_front();
            self.0.push_front(Item::Done(ticket));
        } else {
            talk.close(ticket, Status::Ok);
            self.0.pop_front();
        }
    }

    /// Closes the Executes of the unit in front with this error: the first one failed, the others are skipped.
    pub(super) fn fail_unit(&mut self, code: &str, talk: &mut Talk<'_>) -> bool {
        let mut failed = false;
        let unit = self.0.iter().position(Item::is_end).unwrap_or(self.0.len());
        for item in self.0.iter_mut().take(unit) {
            if let Item::Execute(ticket) | Item::Done(ticket) = *item {
                talk.close(ticket, Status::Error(code.to_owned().into()));
                *item = Item::CopyEnd;
                failed = true;
            }
        }
        failed
    }

    /// A COPY FROM STDIN of the extended protocol ignores each Sync up to the end of its data.
    pub(super) fn ignore_syncs(&mut self) {
        let end = self.0.iter().position(|item| matches!(item, Item::CopyEnd)).unwrap_or(self.0.len());
        let behind = self.0.split_off(end);
        self.0.retain(|item| !matches!(item, Item::Sync));
        self.0.extend(behind);
    }

    /// Units that are complete.
    pub(super) fn units(&self) -> usize {
        self.0.iter().filter(|item| item.is_end()).count()
    }

    /// Forgets all but the last unit: the server has answered what was asked before it.
    pub(super) fn keep_last_unit(&mut self, talk: &mut Talk<'_>) {
        let ends = self.units();
        let behind_end = self.0.back().is_some_and(|item| !item.is_end());
        for _ in 0..ends.saturating_sub(usize::from(!behind_end)) {
            while let Some(item) = self.pop() {
                abandon(&item, talk);
                if item.is_end() {
                    break;
                }
            }
        }
    }

    /// Gives up the Executes of the last unit where there are several: nobody knows which of them is answered.
    pub(super) fn abandon_several(&mut self, talk: &mut Talk<'_>) {
        let is_execute = |item: &Item| matches!(item, Item::Execute(_) | Item::Done(_));
        if self.0.iter().filter(|item| is_execute(item)).count() > 1 {
            self.0.iter().filter(|item| is_execute(item)).for_each(|item| abandon(item, talk));
            self.0.retain(|item| !is_execute(item));
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        let text = |item: &Item| match item {
            Item::Parse(meaning, _) => meaning.statement.as_ref().map_or(0, String::len),
            _ => 0,
        };
        self.0.capacity() * size_of::<Item>() + self.0.iter().map(text).sum::<usize>()
    }
}

/// Gives up one request.
pub(super) fn abandon(item: &Item, talk: &mut Talk<'_>) {
    if let Some(ticket) = item.ticket() {
        talk.abandon(ticket);
    }
}
