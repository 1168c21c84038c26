//! The streams of one connection that the client opened and that are not over.

use std::collections::BTreeMap;

use super::exchange::{End, Exchange, Heading};
use crate::conversation::{Side, Talk};

/// Streams that are open at once, and bytes of text that they hold: the oldest makes room.
pub(super) const MOST: usize = 1_024;
pub(super) const MOST_TEXT: usize = 256 << 10;

/// Streams by number. Those of the client are odd and grow (RFC 9113 section 5.1.1).
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: BTreeMap<u32, Exchange>,
    /// Bytes of text in them.
    text: usize,
    /// The highest one that the client opened.
    last: u32,
    /// The client may have opened others between these where nobody saw it.
    unseen: Option<(u32, u32)>,
}

impl Streams {
    /// Whether `side` may send frames of `stream`, by what was seen of it.
    pub(super) fn may_be(&self, side: Side, stream: u32) -> bool {
        let is_new = side == Side::Client && stream > self.last;
        stream % 2 == 1 && (is_new || self.open.contains_key(&stream) || self.is_unseen(stream))
    }

    /// A header block of `stream` by `side`.
    pub(super) fn head(&mut self, side: Side, stream: u32, heading: Heading, talk: &mut Talk<'_>) {
        // What the server pushes, nobody asked for (RFC 9113 section 8.4).
        if stream.is_multiple_of(2) {
            return;
        }
        let ends = heading.ends;
        match side {
            Side::Client if stream > self.last => self.ask(stream, heading, talk),
            // Trailers.
            Side::Client => self.add(side, stream, heading.size),
            Side::Server => self.answer(stream, heading, talk),
        }
        match ends {
            Some(time) => self.end(side, stream, time, talk),
            None => self.settle(stream, talk),
        }
    }

    fn ask(&mut self, stream: u32, heading: Heading, talk: &mut Talk<'_>) {
        self.last = stream;
        if let Some((_, until @ u32::MAX)) = &mut self.unseen {
            *until = stream;
        }
        let start = talk.head(heading.time);
        if self.open.contains_key(&stream) {
            self.change(stream, |exchange| exchange.ask(heading, start));
        } else {
            let mut exchange = Exchange::new(start.clone(), talk.retransmits());
            exchange.ask(heading, start);
            self.insert(stream, exchange, talk);
        }
    }

    fn answer(&mut self, stream: u32, heading: Heading, talk: &mut Talk<'_>) {
        let is_final = heading.head.status.is_some_and(|status| status >= 200);
        let is_missed = self.is_unseen(stream);
        // Where the sides were captured apart, a response may come before its request.
        if !self.open.contains_key(&stream) && is_final && (is_missed || stream > self.last) {
            let mut exchange = Exchange::new(talk.head(heading.time), talk.retransmits());
            if is_missed {
                self.last = self.last.max(stream);
                exchange.miss(Side::Client);
            }
            self.insert(stream, exchange, talk);
        }
        self.change(stream, |exchange| exchange.answer(heading));
    }

    /// Frames of `side` have so many bytes more.
    pub(super) fn add(&mut self, side: Side, stream: u32, size: u64) {
        if let Some(exchange) = self.open.get_mut(&stream) {
            exchange.add(side, size);
        }
    }

    /// `side` ends its half of `stream` with a frame that began at `time`.
    pub(super) fn end(&mut self, side: Side, stream: u32, time: u64, talk: &mut Talk<'_>) {
        if let Some(exchange) = self.open.get_mut(&stream) {
            exchange.end(side, time);
        }
        self.settle(stream, talk);
    }

    /// Either side gives `stream` up (RFC 9113 section 6.4).
    pub(super) fn reset(&mut self, stream: u32, talk: &mut Talk<'_>) {
        self.tell(stream, End::Reset, talk);
    }

    /// The server has not looked at streams behind `last`, and never will (RFC 9113 section 6.8).
    pub(super) fn go_away(&mut self, last: u32, talk: &mut Talk<'_>) {
        let behind = self.open.range(last.saturating_add(1)..);
        let ignored: Vec<_> =
            behind.filter(|(_, open)| open.is_unanswered()).map(|(stream, _)| *stream).collect();
        for stream in ignored {
            self.tell(stream, End::Stream, talk);
        }
    }

    /// Bytes of `side` are missing.
    pub(super) fn miss(&mut self, side: Side, talk: &mut Talk<'_>) {
        self.open.values_mut().for_each(|exchange| exchange.miss(side));
        if side == Side::Client && self.unseen.is_none_or(|(_, until)| until != u32::MAX) {
            self.unseen = Some((self.last, u32::MAX));
        }
        let over: Vec<_> =
            self.open.iter().filter(|(_, open)| open.is_over()).map(|(stream, _)| *stream).collect();
        for stream in over {
            self.tell(stream, End::Stream, talk);
        }
    }

    /// When the oldest of them began, nanoseconds of the packet clock.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.open.first_key_value().map(|(_, exchange)| exchange.began())
    }

    /// Gives up those that began at `until` or before.
    pub(super) fn expire(&mut self, until: u64, talk: &mut Talk<'_>) {
        while let Some((stream, exchange)) = self.open.first_key_value()
            && exchange.began() <= until
        {
            self.tell(*stream, End::Stream, talk);
        }
    }

    /// The connection has ended.
    pub(super) fn finish(&mut self, end: End, talk: &mut Talk<'_>) {
        while let Some((stream, _)) = self.open.first_key_value() {
            self.tell(*stream, end, talk);
        }
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.open.len() * size_of::<(u32, Exchange)>() + self.text
    }

    /// The client may have opened `stream` where nobody saw it.
    fn is_unseen(&self, stream: u32) -> bool {
        self.unseen.is_some_and(|(from, until)| from < stream && stream < until)
    }

    fn insert(&mut self, stream: u32, exchange: Exchange, talk: &mut Talk<'_>) {
        self.text += exchange.weight();
        self.open.insert(stream, exchange);
        while self.open.len() > MOST || self.text > MOST_TEXT && self.open.len() > 1 {
            let Some((oldest, _)) = self.open.first_key_value() else { break };
            talk.pass_over();
            self.tell(*oldest, End::Stream, talk);
        }
    }

    /// Changes what is known of `stream`.
    fn change(&mut self, stream: u32, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.open.get_mut(&stream) {
            self.text = self.text.saturating_sub(exchange.weight());
            change(exchange);
            self.text += exchange.weight();
        }
    }

    /// Tells `stream` where it is over.
    fn settle(&mut self, stream: u32, talk: &mut Talk<'_>) {
        if self.open.get(&stream).is_some_and(Exchange::is_over) {
            self.tell(stream, End::Stream, talk);
        }
    }

    fn tell(&mut self, stream: u32, end: End, talk: &mut Talk<'_>) {
        let Some(exchange) = self.open.remove(&stream) else { return };
        self.text = self.text.saturating_sub(exchange.weight());
        // A response to nothing, as that to the request of HTTP/1.1 that led here, has no line of its own.
        if exchange.is_asked() || exchange.is_missed() {
            talk.tell(Box::new(exchange.ended(end, talk.retransmits())));
        }
    }
}
