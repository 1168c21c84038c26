//! One connection: its messages become exchanges.

use std::collections::VecDeque;

use flow_common::key::{FlowKey, Sender};

mod body;
mod ending;
mod extent;
mod request;

use super::{
    matching::{self, ResponsePlace},
    pending::Pending,
    segment::SegmentInfo,
    suspects::Suspects,
};
use crate::{
    assembly::distance,
    http::{
        HttpLosses, HttpOptions,
        parse::{Framing, Head, Response},
        record::Emit,
        span::{Expect, Input, Last, Message, Span},
        stream::{Streams, input_of},
    },
};

/// 1xx responses kept for one request.
const MAX_INFORMATIONAL: usize = 16;

/// More requests than responses will be found for.
const MANY: u8 = u8::MAX;

/// After a reset, data already under way may still pass; nanoseconds.
const RESET_LINGER: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Connection {
    key: FlowKey,
    pub(super) slot: u32,
    /// The sender of the requests, once known.
    client: Option<Sender>,
    pub(super) streams: Streams,
    pending: VecDeque<Pending>,
    /// Exchanges so far.
    number: u64,
    suspects: Suspects,
    /// Responses still to come to requests that were given up for want of room.
    owed: usize,
    /// The event at hand.
    segment: SegmentInfo,
    /// Retransmits so far, and the event's counter when they were counted.
    retransmits: u32,
    counter: Option<u16>,
    /// Responses may have passed unseen.
    doubt: bool,
    /// Known from the first copy of either side on.
    whole: bool,
    /// Requests that may have passed unseen behind the last one known.
    unseen_requests: u8,
    /// Responses without request behind the last request known.
    orphans: u8,
    /// Upgraded or tunnel: what passes is none of ours.
    left_http: bool,
    /// Both sides ended, or a reset came: when.
    ended: Option<u64>,
    reset: bool,
    /// When its flow was last found to live, nanoseconds of the packet clock.
    lived: u64,
    pub(super) losses: HttpLosses,
}

impl Connection {
    pub(super) fn new(key: FlowKey, slot: u32) -> Self {
        Self {
            key,
            slot,
            client: None,
            streams: Streams::default(),
            pending: VecDeque::new(),
            number: 0,
            suspects: Suspects::default(),
            owed: 0,
            segment: SegmentInfo::default(),
            retransmits: 0,
            counter: None,
            doubt: false,
            whole: false,
            unseen_requests: 0,
            orphans: 0,
            left_http: false,
            ended: None,
            reset: false,
            lived: 0,
            losses: HttpLosses::default(),
        }
    }

    /// Whether data at `seq` can belong to this connection and not to a later one of the same addresses.
    pub(super) fn fits(&self, from: Sender, seq: u32, time: u64) -> bool {
        let lingers = self.reset && self.ended.is_some_and(|at| time.saturating_sub(at) < RESET_LINGER);
        lingers || self.streams.of(from).fits(seq, self.ended.is_some())
    }

    /// Nothing is known that a later event could need.
    pub(super) fn is_blank(&self) -> bool {
        self.client.is_none() && self.streams.open_since().is_none()
    }

    pub(super) fn outstanding(&self) -> usize {
        self.pending.len()
    }

    /// When the oldest exchange under way began, nanoseconds of the packet clock.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.pending.front().map(|pending| pending.since)
    }

    /// Whether a message has begun that is not over.
    pub(super) fn is_open(&self) -> bool {
        !self.pending.is_empty() || self.streams.open_since().is_some()
    }

    /// Bytes that it holds: outstanding exchanges, what may be requests, and copies of either side.
    pub(super) fn weight(&self) -> usize {
        let places = self.pending.capacity() * size_of::<Pending>();
        let pending: usize = self.pending.iter().map(Pending::weight).sum();
        let streams = [Sender::A, Sender::B].map(|sender| self.streams.of(sender).weight());
        size_of::<Self>() + places + pending + self.suspects.weight() + streams.iter().sum::<usize>()
    }

    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.streams.of(Sender::A).buffered() + self.streams.of(Sender::B).buffered()
    }

    /// What an event of `from` tells beside its bytes; `number` is that of the copy, `retransmits` the
    /// connection's count.
    pub(super) fn observe(&mut self, from: Sender, segment: SegmentInfo, number: u8, retransmits: u16) {
        self.segment = segment;
        self.count(retransmits);
        self.whole |= number == 1 && self.client.is_none();
        let lost = self.streams.of_mut(from).lost_before(number, self.whole);
        self.doubt |= lost > 0;
        if self.client == Some(from) {
            self.unseen_requests = self.unseen_requests.saturating_add(lost);
        }
        self.note_acknowledged(from.other());
    }

    fn count(&mut self, retransmits: u16) {
        let since = self.counter.map_or(0, |counter| retransmits.wrapping_sub(counter));
        // Events of one connection may come in another order than the packets were counted.
        if since < 1 << 15 {
            self.retransmits = self.retransmits.saturating_add(u32::from(since));
            self.counter = Some(retransmits);
        }
    }

    /// Looks at what of a segment was not copied, behind `copied`: the end of a message, or others that hide.
    pub(super) fn look_past_copy(&mut self, from: Sender, copied: u32, wire_end: u32, carries: bool) {
        let stream = self.streams.of(from);
        if let Some(Last { number, end: Some(end), .. }) = stream.last
            && distance(end, wire_end) >= 0
            && carries
        {
            self.ended(from, number, self.segment.time);
        }
        let stream = self.streams.of(from);
        if self.client == Some(from) {
            let unseen = stream.uncopied().is_some();
            if unseen {
                self.unseen_requests = MANY;
            }
            self.doubt |= unseen;
        } else if self.client.is_some() && stream.may_hide_messages() && distance(copied, wire_end) > 0 {
            self.mark_hidden();
        }
    }

    /// Responses may be in bytes that were not looked at.
    fn mark_hidden(&mut self) {
        for pending in self.pending.iter_mut().filter(|pending| pending.response.is_none()) {
            (pending.hidden, self.doubt) = (true, true);
        }
    }

    /// Copied payload of one segment.
    pub(super) fn data(&mut self, from: Sender, input: Input<'_>, options: &HttpOptions, emit: Emit<'_>) {
        if self.left_http || self.reset {
            return;
        }
        self.feed(from, input, options, emit);
        while !self.left_http
            && let Some(held) = self.streams.of_mut(from).next_in_order(&options.privacy)
        {
            self.feed(from, input_of(&held), options, emit);
        }
        self.losses.lost_copy += self.streams.of_mut(from).take_given_up();
        self.release(emit);
    }

    fn feed(&mut self, from: Sender, mut input: Input<'_>, options: &HttpOptions, emit: Emit<'_>) {
        let limit = options.limit();
        while !self.left_http {
            let stream = self.streams.of_mut(from);
            let message = stream.take(&mut input, limit, &options.privacy);
            self.losses.lost_copy += stream.take_given_up();
            let Some(message) = message else { return };
            let expect = self.message(from, message, options, emit);
            self.streams.of_mut(from).follow(expect);
        }
    }

    fn message(&mut self, from: Sender, message: Message, options: &HttpOptions, emit: Emit<'_>) -> Expect {
        let client = match message.head {
            Head::Request(_) => from,
            Head::Response(_) => from.other(),
        };
        // A body that looks like a message of the wrong side.
        if *self.client.get_or_insert(client) != client {
            return Expect::Unknown;
        }
        let span = message.span;
        if let Some(body) = self.body_around(from, &span) {
            if let Head::Request(request) = message.head {
                self.suspects.push(request, span, self.segment);
            }
            return body;
        }
        match message.head {
            Head::Request(request) => {
                self.suspects.clear();
                self.request(from, request, span, options, emit)
            }
            Head::Response(response) => {
                if self.unanswered().is_none() {
                    self.cut(from.other(), options, emit);
                }
                if self.unanswered().is_none() {
                    self.believe(client, span.ack, options, emit);
                }
                self.response(from, response, span, options, emit)
            }
        }
    }

    fn fresh(&mut self, since: u64) -> Pending {
        self.number += 1;
        Pending { number: self.number, since, retransmits: self.retransmits, ..Pending::default() }
    }

    fn response(
        &mut self,
        from: Sender,
        response: Response,
        span: Span,
        options: &HttpOptions,
        emit: Emit<'_>,
    ) -> Expect {
        self.close_message(from, span.start, span.gap);
        self.doubt |= span.gap;
        let status = response.status;
        let interim = status.is_some_and(|status| (100..200).contains(&status) && status != 101);
        let place = ResponsePlace { start: span.start, ack: span.ack };
        if matching::is_proven(&self.pending, place) {
            self.owed = 0;
        }
        let index =
            if self.owed > 0 { None } else { matching::choose(&mut self.pending, place, &mut self.doubt) };
        if interim {
            if self.owed == 0 {
                self.interim(index, status, &span, options, emit);
            }
            self.streams.of_mut(from).last = None;
            return span.follows(Some(0), true);
        }
        let mut pending = match index.and_then(|index| self.pending.remove(index)) {
            Some(pending) => pending,
            None => {
                self.owed = self.owed.saturating_sub(1);
                self.orphans = self.orphans.saturating_add(1);
                self.fresh(span.time)
            }
        };
        let method = pending.request.as_ref().map(|request| request.method.as_str());
        let tunnel = method == Some("CONNECT") && status.is_some_and(|status| status / 100 == 2);
        let leaves = tunnel || status == Some(101);
        let bodiless = leaves || method == Some("HEAD") || matches!(status, Some(204 | 304));
        let body = match response.fields.framing {
            _ if bodiless => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Absent | Framing::Unknown => None,
        };
        // A response to an unseen HEAD has the length of a body that does not come.
        let sure = pending.request.is_some();
        let number = pending.number;
        self.request_over(&mut pending);
        let asked = pending.sent.ended.unwrap_or(pending.since);
        pending.acknowledged = Some(self.segment.own_last).filter(|&at| at > asked && at <= span.time);
        pending.response = Some((response, span.time));
        pending.answered_at = span.ack;
        // What its sender had when it began, or will have had when it has all of the request.
        let had = match (span.ack, pending.end) {
            (Some(ack), Some(end)) if distance(ack, end) > 0 => Some(end),
            (ack, _) => ack,
        };
        match index {
            Some(index) => self.pending.insert(index, pending),
            // Behind the answered ones, which is before every request still unanswered.
            None => {
                // Too full to wait for its size: the front is an answered one now, this or an earlier.
                let full = self.is_full(options);
                self.pending.insert(self.unanswered().unwrap_or(self.pending.len()), pending);
                if full && let Some(front) = self.pending.pop_front() {
                    self.report(front, emit);
                }
            }
        }
        self.open_message(from, number, span, body);
        if span.length.is_none() {
            // The head went on beyond the copy, and others may follow it there.
            self.mark_hidden();
        }
        let expect = span.follows(body, sure);
        if sure {
            self.streams.of_mut(from).hide(had, expect);
        }
        if leaves {
            self.leave(emit);
        }
        expect
    }

    fn interim(
        &mut self,
        index: Option<usize>,
        status: Option<u16>,
        span: &Span,
        options: &HttpOptions,
        emit: Emit<'_>,
    ) {
        let index = index.unwrap_or_else(|| {
            self.make_room(options, emit);
            let orphan = self.fresh(span.time);
            self.pending.push_back(orphan);
            self.pending.len() - 1
        });
        if let Some(oldest) = self.pending.get_mut(index) {
            if oldest.informational.len() < MAX_INFORMATIONAL {
                oldest.informational.extend(status);
            }
            // The next response to it begins behind this one.
            oldest.ack = span.end(Some(0)).or(oldest.ack);
            let (number, ack) = (oldest.number, oldest.ack);
            self.raise_hiding(number, ack);
        }
    }

    /// The oldest exchange that waits for its final response.
    fn unanswered(&self) -> Option<usize> {
        self.pending.iter().position(|pending| pending.response.is_none() && !pending.missed)
    }
}
