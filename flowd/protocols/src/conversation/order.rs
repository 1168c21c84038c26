//! Requests whose responses come in the order in which they were asked.

use std::collections::VecDeque;

use super::talk::{Ask, Talk, Ticket};

/// Requests that may wait for their responses; with more, nobody pairs any until the connection rests.
const MOST: usize = 8_192;

/// Where a client asks without waiting for responses, only a rest of so long shows that none is under way: nanoseconds.
const REST: u64 = 1_000_000_000;

/// The requests of a connection that wait for their responses, the next one first, each with what its protocol must know
/// of it.
///
/// Behind a gap nobody knows whose the next response is. It is known again when a request is asked while none waits: a
/// client that waits for each response has then had the last one. One that does not must have rested as well. Where a
/// response is missing, such a client has two requests open by the time that this shows; never more, and never two that
/// came at once.
#[derive(Debug)]
pub(crate) struct InOrder<T> {
    waiting: VecDeque<(Ticket, T)>,
    /// A request or a response is missing: what is asked is not paired.
    unsure: bool,
    /// Bytes of the server passed that nobody could read, while requests waited.
    unread: bool,
    /// Requests were asked before the response to the one before came.
    ahead: bool,
    /// When the last request was asked.
    asked: u64,
    /// When a request or a response passed last.
    last: u64,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), unsure: false, unread: false, ahead: false, asked: 0, last: 0 }
    }
}

impl<T> InOrder<T> {
    /// A request is asked that will be answered in its turn.
    pub(crate) fn ask(&mut self, ask: Ask, kind: T, talk: &mut Talk<'_>) -> Ticket {
        let time = ask.time.unwrap_or_else(|| talk.time());
        if self.unread {
            self.lost_responses(talk);
        }
        if self.unsure && self.waiting.is_empty() && (!self.ahead || time.saturating_sub(self.last) >= REST) {
            self.unsure = false;
        }
        self.ahead |= !self.waiting.is_empty() && self.asked == time;
        self.asked = time;
        self.last = self.last.max(time);
        let ticket = talk.ask(ask);
        if self.waiting.len() >= MOST {
            self.lost_responses(talk);
        } else if !self.unsure {
            self.waiting.push_back((ticket, kind));
        }
        ticket
    }

    /// Something passed at `time` that is neither a request nor a response.
    pub(crate) fn passed(&mut self, time: u64) {
        self.last = self.last.max(time);
    }

    /// Whose the next response is, where that is known.
    pub(crate) fn next(&mut self) -> Option<(Ticket, &mut T)> {
        self.waiting.front_mut().map(|(ticket, kind)| (*ticket, kind))
    }

    /// The next response has ended.
    pub(crate) fn answered(&mut self, time: u64) -> Option<(Ticket, T)> {
        self.passed(time);
        self.ahead |= self.waiting.len() > 1;
        self.waiting.pop_front()
    }

    /// Whether a response is waited for.
    pub(crate) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the next response can be of no request but the first that waits.
    pub(crate) fn is_alone(&self) -> bool {
        self.waiting.len() == 1 && !self.unsure
    }

    /// Whether the server may be read again from where a segment begins that `fits` a response. What comes while nobody
    /// waits is of no interest; and where one segment was passed over, the next one may be of a later request.
    pub(crate) fn resumes(&mut self, fits: bool) -> bool {
        let resumes = fits && self.waits() && !self.unread;
        self.unread |= self.waits() && !resumes;
        resumes
    }

    /// Bytes of the client are missing: those that wait are still answered first, and then requests that nobody saw.
    pub(crate) const fn lost_requests(&mut self) {
        self.unsure = true;
    }

    /// Bytes of the server are missing: no request that waits can be paired any more.
    pub(crate) fn lost_responses(&mut self, talk: &mut Talk<'_>) {
        talk.give_up();
        self.ahead |= self.waiting.len() > 2;
        self.waiting.clear();
        (self.unsure, self.unread) = (true, false);
    }

    /// Bytes beside its own place.
    pub(crate) fn weight(&self) -> usize {
        self.waiting.capacity() * size_of::<(Ticket, T)>()
    }
}
