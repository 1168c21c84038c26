//! A stream of the client's: a request and what came of it.

use super::head::Head;
use crate::{
    conversation::Side,
    http::{Fields, HttpExchange, Outcome, VERSION_2},
    record,
};

/// Interim responses that are kept of one request.
const MOST_INFORMATIONAL: usize = 16;

/// A header block, and where it stood.
#[derive(Debug)]
pub(super) struct Heading {
    pub(super) head: Head,
    /// Its first byte, nanoseconds of the packet clock.
    pub(super) time: u64,
    /// Bytes of its frames.
    pub(super) size: u64,
    /// When its side ends its half of the stream, where it does so with it.
    pub(super) ends: Option<u64>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, or nobody waits for it any longer.
    Stream,
    /// RST_STREAM, or the connection's RST.
    Reset,
}

/// A stream that is open.
#[derive(Debug)]
pub(super) struct Exchange {
    line: HttpExchange,
    /// The client's half may still go on.
    asks: bool,
    /// The server has ended its half.
    is_answered: bool,
    /// The response may have begun where nobody saw it.
    is_hidden: bool,
    /// Retransmits of the connection before it, modulo 65,536.
    retransmits: u16,
}

impl Exchange {
    /// A stream of which nothing is known. `retransmits`: of the connection so far, modulo 65,536.
    pub(super) const fn new(start: record::Head, retransmits: u16) -> Self {
        Self { line: blank(start), asks: true, is_answered: false, is_hidden: false, retransmits }
    }

    /// The client opens it.
    pub(super) fn ask(&mut self, heading: Heading, start: record::Head) {
        let Heading { head, time, size, .. } = heading;
        let line = &mut self.line;
        line.head = start;
        line.request_time = Some(time);
        line.partial |= head.method.is_none() || head.target.is_none() && head.is_partial;
        line.method = head.method;
        line.target = head.target;
        line.is_grpc |= is_grpc(&head.fields);
        line.trace = head.fields.trace();
        line.host = head.fields.host;
        line.user_agent = head.fields.user_agent;
        line.referrer_host = head.fields.referrer_host;
        line.request_content_length = head.fields.content_length;
        line.request_bytes = Some(size);
    }

    /// Bytes of text.
    pub(super) fn weight(&self) -> usize {
        let HttpExchange { method, target, host, user_agent, referrer_host, content_type, .. } = &self.line;
        let texts = [method, target, host, user_agent, referrer_host, content_type].into_iter().flatten();
        texts.map(String::capacity).sum::<usize>() + self.line.informational.capacity() * size_of::<u16>()
    }

    /// The server sends a header block: an interim response, the final one, or trailers (RFC 9113 section 8.1).
    pub(super) fn answer(&mut self, heading: Heading) {
        let Heading { head, time, size, ends } = heading;
        let line = &mut self.line;
        if ends.is_some() {
            line.grpc_status = head.grpc_status;
        }
        match head.status {
            Some(status @ 100..200) if ends.is_none() && line.status.is_none() => {
                if line.informational.len() < MOST_INFORMATIONAL {
                    line.informational.push(status);
                }
            }
            Some(status) if line.status.is_none() => {
                line.response_time = Some(time);
                line.response_bytes = Some(size);
                line.status = Some(status);
                line.is_grpc |= is_grpc(&head.fields);
                line.content_type = head.fields.content_type;
                line.response_content_length = head.fields.content_length;
                self.is_hidden = false;
            }
            // Its status is one of the fields that are unknown, or it is the trailers of a response that was missed.
            None if line.status.is_none() => {
                line.partial = true;
                if !self.is_hidden && line.response_time.is_none() {
                    line.response_time = Some(time);
                    line.response_bytes = Some(size);
                }
            }
            _ => self.add(Side::Server, size),
        }
    }

    /// Frames of a message of `side` have so many bytes more.
    pub(super) fn add(&mut self, side: Side, size: u64) {
        let bytes = match side {
            Side::Client => &mut self.line.request_bytes,
            Side::Server => &mut self.line.response_bytes,
        };
        *bytes = bytes.map(|bytes| bytes.saturating_add(size));
    }

    /// `side` ends its half with a frame that begins at `time`.
    pub(super) const fn end(&mut self, side: Side, time: u64) {
        match side {
            Side::Client => {
                self.line.request_end = Some(time);
                self.asks = false;
            }
            Side::Server => {
                self.line.response_end = Some(time);
                self.is_answered = true;
            }
        }
    }

    /// Bytes of `side` are missing, perhaps of this stream.
    pub(super) const fn miss(&mut self, side: Side) {
        match side {
            Side::Client if self.asks => {
                self.line.request_bytes = None;
                self.asks = false;
            }
            Side::Server if !self.is_answered => {
                self.line.response_bytes = None;
                self.is_hidden |= self.line.response_time.is_none();
            }
            Side::Client | Side::Server => {}
        }
    }

    /// Its request was seen.
    pub(super) const fn is_asked(&self) -> bool {
        self.line.request_time.is_some()
    }

    /// Its request passed where nobody saw it.
    pub(super) const fn is_missed(&self) -> bool {
        !self.is_asked() && !self.asks
    }

    /// Nothing more is to come that is waited for.
    pub(super) fn is_over(&self) -> bool {
        self.is_answered && !self.asks || self.is_tunnel()
    }

    /// No response was seen, and none can have been missed.
    pub(super) const fn is_unanswered(&self) -> bool {
        self.line.response_time.is_none() && !self.is_hidden
    }

    /// When it began, nanoseconds of the packet clock.
    pub(super) const fn began(&self) -> u64 {
        self.line.head.time
    }

    /// Its line. `retransmits`: of the connection so far, modulo 65,536.
    pub(super) fn ended(mut self, end: End, retransmits: u16) -> HttpExchange {
        self.line.retransmits = retransmits.wrapping_sub(self.retransmits).into();
        let is_missed = self.is_hidden || self.is_answered && self.line.status.is_none();
        self.line.partial |= is_missed && self.is_asked();
        self.line.outcome = self.outcome(end);
        self.line
    }

    fn outcome(&self, end: End) -> Outcome {
        if !self.is_asked() {
            Outcome::NoRequest
        } else if self.is_tunnel() {
            Outcome::Tunnel
        } else if self.is_answered {
            if self.line.partial { Outcome::Partial } else { Outcome::Complete }
        } else if self.is_hidden {
            Outcome::Partial
        } else if end == End::Reset {
            Outcome::Reset
        } else if self.line.response_time.is_none() {
            Outcome::NoResponse
        } else {
            Outcome::Partial
        }
    }

    /// 2xx to CONNECT (RFC 9113 section 8.5).
    fn is_tunnel(&self) -> bool {
        let success = self.line.status.is_some_and(|status| status / 100 == 2);
        success && self.line.method.as_deref() == Some("CONNECT")
    }
}

/// Whether a message is gRPC's: `application/grpc`, alone or with the format of its payload behind a `+` (gRPC over
/// HTTP2, "Requests"). gRPC-Web is another protocol, whose status is in the body.
fn is_grpc(fields: &Fields) -> bool {
    let rest = fields.content_type.as_deref().and_then(|kind| kind.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';', ' ']))
}

/// A line that says nothing yet.
const fn blank(head: record::Head) -> HttpExchange {
    HttpExchange {
        head,
        request_time: None,
        request_end: None,
        acknowledged: None,
        response_time: None,
        response_end: None,
        method: None,
        target: None,
        host: None,
        version: Some(VERSION_2),
        user_agent: None,
        referrer_host: None,
        content_type: None,
        request_content_length: None,
        response_content_length: None,
        status: None,
        grpc_status: None,
        trace: None,
        is_grpc: false,
        informational: Vec::new(),
        request_bytes: None,
        response_bytes: None,
        partial: false,
        outcome: Outcome::NoResponse,
        retransmits: 0,
        think_time: None,
    }
}
