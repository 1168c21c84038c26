//! Requests as they come: what is known of their bodies, and what may have passed before them.

use flow_common::key::Sender;

use super::Connection;
use crate::{
    assembly::distance,
    http::{
        HttpOptions,
        parse::{Framing, Request},
        record::Emit,
        span::{Expect, Span},
    },
};

/// Methods that hardly ever come with a body.
const BODILESS: [&str; 6] = ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

impl Connection {
    /// Takes a request, and says what follows its head.
    pub(super) fn request(
        &mut self,
        from: Sender,
        request: Request,
        span: Span,
        options: &HttpOptions,
        emit: Emit<'_>,
    ) -> Expect {
        self.close_message(from, span.start, span.gap);
        let (pipelined, behind_unseen) = self.place_request(from, &span);
        self.make_room(options, emit);
        // Without Content-Length and Transfer-Encoding a request has no body (RFC 9112 section 6.3).
        let body = match request.fields.framing {
            Framing::Absent => Some(0),
            Framing::Length(length) => Some(length),
            Framing::Unknown => None,
        };
        let sure = !request.fields.expect;
        let mut pending = self.fresh(span.time);
        (pending.start, pending.end, pending.ack) = (span.start, span.end(body), span.ack);
        (pending.pipelined, pending.behind_unseen) = (pipelined, behind_unseen);
        let leaves = request.method == "PRI";
        // What is cut off of such a head is most likely more of it, and no body.
        let short = span.length.is_none() && BODILESS.contains(&request.method.as_str());
        pending.request = Some(request);
        if self.pending.capacity() == 0 {
            // Most have one at a time; unasked, there would be places for four.
            self.pending.reserve_exact(1);
        }
        self.pending.push_back(pending);
        self.open_message(from, self.number, span, body.filter(|_| sure));
        let expect = span.follows(body, sure);
        if !short {
            self.streams.of_mut(from).hide(span.ack, expect);
        }
        if leaves {
            self.leave(emit);
        }
        expect
    }

    /// Whether the client sent the request before it had all responses to earlier ones, and whether some of
    /// those are unseen requests.
    fn place_request(&mut self, from: Sender, span: &Span) -> (bool, bool) {
        self.doubt |= span.gap;
        if span.gap {
            self.unseen_requests = self.unseen_requests.max(1);
        }
        // Those that have their response are no longer to be minded.
        self.unseen_requests = self.unseen_requests.saturating_sub(std::mem::take(&mut self.orphans));
        let had_more_than = |at: u32| span.ack.is_none_or(|ack| distance(at, ack) > 0);
        let edge = self.streams.of(from.other()).last.and_then(|last| last.end);
        let mut waiting = self.pending.iter().filter(|pending| pending.response.is_none() && !pending.missed);
        if let Some(before) = waiting.next_back() {
            // Where the response to the one before it begins, if that is known: the client had more than that.
            let begins = match (before.pipelined, waiting.next_back()) {
                (false, _) => before.ack,
                (true, None) => edge,
                (true, Some(_)) => None,
            };
            let pipelined = begins.is_none_or(|at| !had_more_than(at));
            return (pipelined, pipelined && self.unseen_requests > 0);
        }
        let unseen = std::mem::take(&mut self.unseen_requests) > 0;
        let pipelined = match edge {
            Some(end) if unseen => !had_more_than(end),
            Some(end) => span.ack.is_some_and(|ack| distance(end, ack) < 0),
            None => unseen,
        };
        (pipelined, pipelined && unseen)
    }
}
