//! One connection: which response answers which request.
//!
//! HTTP/1.x has no numbers for that; responses come in the order of their requests (RFC 9112 section 9.3.2).

use std::collections::VecDeque;

use flow_common::key::{FlowKey, Sender};

use super::{
    HttpOptions, Sink,
    head::{Framing, Head, Request, Response},
    lane::{Expect, Input, Lanes, Message, Span},
    pending::{Owner, Pending},
};

/// 1xx responses kept for one request.
const MAX_INFORMATIONAL: usize = 16;

/// After a reset, data already under way may still pass; nanoseconds.
const RESET_LINGER: u64 = 1_000_000_000;

#[derive(Debug)]
pub(super) struct Connection {
    key: FlowKey,
    pub(super) slot: u32,
    /// The sender of the requests, once known.
    client: Option<Sender>,
    pub(super) lanes: Lanes,
    pending: VecDeque<Pending>,
    /// Exchanges so far.
    number: u64,
    /// Responses still to come to requests that were given up for want of room.
    owed: usize,
    /// Upgraded or tunnel: what passes is none of ours.
    left_http: bool,
    /// Both sides ended, or a reset came: when.
    ended: Option<u64>,
    reset: bool,
    /// Last event.
    pub(super) last: u64,
    /// Messages given up because of bounds.
    pub(super) dropped: u64,
}

impl Connection {
    pub(super) fn new(key: FlowKey, slot: u32) -> Self {
        Self {
            key,
            slot,
            client: None,
            lanes: Lanes::default(),
            pending: VecDeque::new(),
            number: 0,
            owed: 0,
            left_http: false,
            ended: None,
            reset: false,
            last: 0,
            dropped: 0,
        }
    }

    /// Whether data at `seq` can belong to this connection and not to a later one of the same addresses.
    pub(super) fn fits(&self, from: Sender, seq: u32, time: u64) -> bool {
        let lingers = self.reset && self.ended.is_some_and(|at| time.saturating_sub(at) < RESET_LINGER);
        lingers || self.lanes.of(from).fits(seq, self.ended.is_some())
    }

    /// Nothing is known that a later event could need.
    pub(super) fn is_blank(&self) -> bool {
        self.client.is_none() && self.lanes.open_since().is_none()
    }

    pub(super) fn outstanding(&self) -> usize {
        self.pending.len()
    }

    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.lanes.of(Sender::A).buffered() + self.lanes.of(Sender::B).buffered()
    }

    /// Copied payload of one segment.
    pub(super) fn data(&mut self, from: Sender, input: Input<'_>, options: &HttpOptions, sink: Sink<'_>) {
        if self.left_http || self.reset {
            return;
        }
        self.feed(from, input, options, sink);
        while !self.left_http
            && let Some((seq, time, bytes)) = self.lanes.of_mut(from).ripe()
        {
            self.feed(from, Input { seq, bytes: &bytes, starts: false, time }, options, sink);
        }
        self.release(sink);
    }

    fn feed(&mut self, from: Sender, mut input: Input<'_>, options: &HttpOptions, sink: Sink<'_>) {
        let limit = options.limit();
        while !self.left_http {
            let Some(message) = self.lanes.of_mut(from).take(&mut input, limit, options.query) else {
                return;
            };
            let expect = self.message(from, message, options, sink);
            self.lanes.of_mut(from).follow(expect);
        }
    }

    fn message(&mut self, from: Sender, message: Message, options: &HttpOptions, sink: Sink<'_>) -> Expect {
        let client = match message.head {
            Head::Request(_) => from,
            Head::Response(_) => from.other(),
        };
        // A body that looks like a message of the wrong side.
        if *self.client.get_or_insert(client) != client {
            return Expect::Blind;
        }
        let span = message.span;
        match message.head {
            Head::Request(request) => self.request(from, request, span, options, sink),
            Head::Response(response) => {
                if self.unanswered().is_none() {
                    self.cut(from.other(), options, sink);
                }
                self.response(from, response, span, options, sink)
            }
        }
    }

    fn request(
        &mut self,
        from: Sender,
        request: Request,
        span: Span,
        options: &HttpOptions,
        sink: Sink<'_>,
    ) -> Expect {
        self.close_message(from, span.start);
        self.make_room(options, sink);
        // Without Content-Length and Transfer-Encoding a request has no body (RFC 9112 section 6.3).
        let body = match request.fields.framing {
            Framing::Absent => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Unknown => None,
        };
        let sure = !request.fields.expect;
        let mut pending = self.fresh(span.time);
        pending.request_bytes = self.open_message(from, pending.number, span, body);
        pending.request = Some(request);
        self.pending.push_back(pending);
        span.follows(body, sure)
    }

    fn is_full(&self, options: &HttpOptions) -> bool {
        self.pending.len() >= options.max_pending_per_flow.max(1)
    }

    fn fresh(&mut self, since: u64) -> Pending {
        self.number += 1;
        Pending { number: self.number, since, ..Pending::default() }
    }

    /// Gives up the oldest outstanding exchanges until there is room for one more.
    fn make_room(&mut self, options: &HttpOptions, sink: Sink<'_>) {
        self.release(sink);
        while self.is_full(options) {
            let Some(oldest) = self.pending.pop_front() else { return };
            if oldest.response.is_none() {
                self.owed += usize::from(oldest.request.is_some());
                self.dropped += 1;
            }
            self.report(oldest, sink);
        }
    }

    fn response(
        &mut self,
        from: Sender,
        response: Response,
        span: Span,
        options: &HttpOptions,
        sink: Sink<'_>,
    ) -> Expect {
        self.close_message(from, span.start);
        let status = response.status;
        let interim = status.is_some_and(|status| (100..200).contains(&status) && status != 101);
        let index = if self.owed > 0 { None } else { self.unanswered() };
        if interim {
            if self.owed == 0 {
                self.interim(index, status, span.time, options, sink);
            }
            return span.follows(Some(0), true);
        }
        let mut pending = match index.and_then(|index| self.pending.remove(index)) {
            Some(pending) => pending,
            None => {
                self.owed = self.owed.saturating_sub(1);
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
        pending.response_bytes = self.open_message(from, pending.number, span, body);
        pending.response = Some((response, span.time));
        match index {
            Some(index) => self.pending.insert(index, pending),
            // Behind the answered ones, which is before every request still unanswered.
            None => {
                // Too full to wait for its size: the front is an answered one now, this or an earlier.
                let full = self.is_full(options);
                self.pending.insert(self.unanswered().unwrap_or(self.pending.len()), pending);
                if full && let Some(front) = self.pending.pop_front() {
                    self.report(front, sink);
                }
            }
        }
        if leaves {
            self.leave(sink);
        }
        span.follows(body, sure)
    }

    fn interim(
        &mut self,
        index: Option<usize>,
        status: Option<u16>,
        time: u64,
        options: &HttpOptions,
        sink: Sink<'_>,
    ) {
        let index = index.unwrap_or_else(|| {
            self.make_room(options, sink);
            let orphan = self.fresh(time);
            self.pending.push_back(orphan);
            self.pending.len() - 1
        });
        if let Some(oldest) = self.pending.get_mut(index)
            && oldest.informational.len() < MAX_INFORMATIONAL
        {
            oldest.informational.extend(status);
        }
    }

    /// The oldest exchange without final response.
    fn unanswered(&self) -> Option<usize> {
        self.pending.iter().position(|pending| pending.response.is_none())
    }

    /// A message of `from` begins: its size if its head tells, else it is to be found out.
    fn open_message(&mut self, from: Sender, number: u64, span: Span, body: Option<u64>) -> Option<u64> {
        let size = span.size(body);
        self.lanes.of_mut(from).unsized_message = size.is_none().then_some((number, span.start));
        size
    }

    /// The message of `from` that was going on ended before `end`.
    fn close_message(&mut self, from: Sender, end: u32) {
        let Some((number, size)) = self.lanes.of_mut(from).size_up_to(end) else { return };
        let client = self.client == Some(from);
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.number == number) {
            *(if client { &mut pending.request_bytes } else { &mut pending.response_bytes }) = Some(size);
        }
    }

    /// Ends the head that `from` has under way, if any.
    fn cut(&mut self, from: Sender, options: &HttpOptions, sink: Sink<'_>) {
        if let Some(message) = self.lanes.of_mut(from).cut(options.query)
            && !self.left_http
        {
            let expect = self.message(from, message, options, sink);
            self.lanes.of_mut(from).follow(expect);
        }
    }

    /// FIN or RST of `from`; `seq` is the sequence number behind its last byte.
    pub(super) fn end(
        &mut self,
        from: Sender,
        seq: u32,
        reset: bool,
        time: u64,
        options: &HttpOptions,
        sink: Sink<'_>,
    ) {
        if self.ended.is_some() {
            return;
        }
        // With bytes missing before it, a FIN overtook a segment that may still come.
        if reset || self.lanes.of(from).is_taken_up_to(seq) {
            self.cut(from, options, sink);
        }
        if !reset {
            self.lanes.of_mut(from).fin = Some(seq);
        }
        if self.lanes.of(from).may_end(seq) {
            self.close_message(from, seq);
        }
        if reset || self.lanes.both_ended() {
            self.cut_both(options, sink);
            self.ended = Some(time);
            self.reset = reset;
            self.flush(sink);
        } else {
            self.release(sink);
        }
    }

    fn cut_both(&mut self, options: &HttpOptions, sink: Sink<'_>) {
        // The client's first, so that the server's finds its request.
        let client = self.client.unwrap_or(Sender::A);
        self.cut(client, options, sink);
        self.cut(client.other(), options, sink);
    }

    /// Everything outstanding is reported as it is.
    pub(super) fn finish(&mut self, options: &HttpOptions, sink: Sink<'_>) {
        self.cut_both(options, sink);
        self.flush(sink);
    }

    fn leave(&mut self, sink: Sink<'_>) {
        self.left_http = true;
        self.lanes = Lanes::default();
        self.flush(sink);
    }

    fn flush(&mut self, sink: Sink<'_>) {
        while let Some(pending) = self.pending.pop_front() {
            self.report(pending, sink);
        }
    }

    /// Reports what is complete, in the order of the requests.
    fn release(&mut self, sink: Sink<'_>) {
        while let Some(front) = self.pending.front() {
            let client_over = self.client.is_some_and(|client| self.lanes.of(client).fin.is_some());
            let server_over = self.client.is_some_and(|client| self.lanes.of(client.other()).fin.is_some());
            let sized = (front.request.is_none() || front.request_bytes.is_some() || client_over)
                && (front.response_bytes.is_some() || server_over);
            if front.response.is_none() || !sized {
                return;
            }
            if let Some(pending) = self.pending.pop_front() {
                self.report(pending, sink);
            }
        }
    }

    /// What time ends.
    pub(super) fn expire(&mut self, now: u64, options: &HttpOptions, sink: Sink<'_>) {
        let client = self.client.unwrap_or(Sender::A);
        for sender in [client, client.other()] {
            let since = self.lanes.of(sender).open_since();
            if since.is_some_and(|since| since.saturating_add(options.timeout) <= now) {
                self.cut(sender, options, sink);
            }
        }
        self.release(sink);
        while self.pending.front().is_some_and(|front| front.due(options) <= now) {
            if let Some(pending) = self.pending.pop_front() {
                self.report(pending, sink);
            }
            self.release(sink);
        }
        if self.pending.is_empty() {
            // Answers that have not come by now will not come.
            self.owed = 0;
        }
    }

    /// When [`Connection::expire`] has something to do; `None` while nothing is outstanding.
    pub(super) fn due(&self, options: &HttpOptions) -> Option<u64> {
        let head = self.lanes.open_since().map(|since| since.saturating_add(options.timeout));
        head.into_iter().chain(self.pending.front().map(|front| front.due(options))).min()
    }

    /// The last event after which nothing is worth keeping.
    pub(super) const fn patience(&self, options: &HttpOptions) -> u64 {
        // A tunnel is remembered longer, lest what passes through it is logged.
        options.timeout.saturating_mul(if self.left_http { 10 } else { 1 })
    }

    fn report(&self, pending: Pending, sink: Sink<'_>) {
        let client = self.client.unwrap_or(Sender::A);
        let uncopied = self.lanes.of(client.other()).uncopied();
        let (key, slot, reset) = (self.key, self.slot, self.reset);
        sink(pending.into_exchange(&Owner { key, slot, client, reset, uncopied }));
    }
}
