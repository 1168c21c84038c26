//! What a client has asked for and the server has not answered to its end, in order.

use std::{collections::VecDeque, sync::Arc};

use super::{command::Reply, reply::Stage};
use crate::conversation::{Talk, Ticket, sql::Meaning};

/// Requests that may wait at once.
const MOST: usize = 4_096;

/// A request that the server answers.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) ticket: Ticket,
    /// Its first byte.
    pub(super) command: u8,
    pub(super) reply: Reply,
    /// Of the first packet of its answer.
    pub(super) number: u8,
    /// Its answer has begun.
    pub(super) begun: bool,
    pub(super) stage: Stage,
    /// What it prepares.
    pub(super) prepares: Option<Arc<Meaning>>,
}

impl Asked {
    /// Whether it begins a connection; other than a change of the user.
    pub(super) const fn is_login(&self) -> bool {
        matches!(self.reply, Reply::Login) && self.command == 0
    }
}

/// Everything that waits, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<Asked>);

impl Pending {
    /// Adds a request; false where too many wait.
    pub(super) fn push(&mut self, asked: Asked) -> bool {
        let room = self.0.len() < MOST;
        if room {
            self.0.push_back(asked);
        }
        room
    }

    pub(super) fn front(&self) -> Option<&Asked> {
        self.0.front()
    }

    pub(super) fn front_mut(&mut self) -> Option<&mut Asked> {
        self.0.front_mut()
    }

    pub(super) fn second(&self) -> Option<&Asked> {
        self.0.get(1)
    }

    pub(super) fn back_mut(&mut self) -> Option<&mut Asked> {
        self.0.back_mut()
    }

    pub(super) fn pop(&mut self) -> Option<Asked> {
        self.0.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the client and the server talk about who the client is.
    pub(super) fn is_login(&self) -> bool {
        self.0.back().is_some_and(|asked| asked.reply == Reply::Login)
    }

    /// Something of the server is missing. Gives up all but the last one, as the client has had what was asked before
    /// it; and the last one as well where nothing but its own answer's beginning can be missing.
    pub(super) fn skip_missing(&mut self, talk: &mut Talk<'_>) {
        let alone = self.0.len() == 1 && self.0.front().is_some_and(|asked| !asked.begun);
        while (self.0.len() > 1 || alone)
            && let Some(asked) = self.pop()
        {
            talk.abandon(asked.ticket);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        let texts = self.0.iter().filter_map(|asked| asked.prepares.as_ref()?.statement.as_ref());
        self.0.capacity() * size_of::<Asked>() + texts.map(String::len).sum::<usize>()
    }
}
