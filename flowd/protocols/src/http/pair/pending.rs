//! An exchange that is not over, and what is reported of it when it is.

use flow_common::key::{FlowKey, Sender};

use crate::{
    assembly::distance,
    http::{
        HttpExchange, HttpOptions, Outcome,
        parse::{Request, Response},
    },
    record::Head,
};

/// How long an answered exchange waits to learn where its messages end, nanoseconds; asked again while bytes
/// still come. Longer than most bodies take, short for someone who watches the log.
pub(super) const SIZE_WAIT: u64 = 5_000_000_000;

/// How long a known exchange stays, nanoseconds: what is lost of its last bytes is sent again within this.
const LINGER: u64 = 1_000_000_000;

/// One message of an exchange as far as its bytes are known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    /// Bytes, head included.
    pub(super) bytes: Option<u64>,
    /// When its last byte passed, nanoseconds of the packet clock.
    pub(super) ended: Option<u64>,
    /// It ended before the length that its head claims.
    pub(super) cut: bool,
}

/// An outstanding exchange.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Counts the exchanges of a connection.
    pub(super) number: u64,
    pub(super) request: Option<Request>,
    /// First byte of the request, or of the response that came without one.
    pub(super) since: u64,
    /// Where the request begins and, if its head tells, ends.
    pub(super) start: u32,
    pub(super) end: Option<u32>,
    /// What the client had of the server's bytes when it sent the request.
    pub(super) ack: Option<u32>,
    /// An earlier request was still without its whole response then.
    pub(super) pipelined: bool,
    /// Requests right before it were not copied, and their responses may still be to come.
    pub(super) behind_unseen: bool,
    /// Its response passed without being recognised.
    pub(super) missed: bool,
    /// Its response may have passed in bytes that were not looked at.
    pub(super) hidden: bool,
    pub(super) informational: Vec<u16>,
    /// With the time of its first byte.
    pub(super) response: Option<(Response, u64)>,
    /// What the server had of the client's bytes when it began the final response.
    pub(super) answered_at: Option<u32>,
    pub(super) sent: Extent,
    pub(super) received: Extent,
    /// When the server's last segment before the response passed, which acknowledged the request.
    pub(super) acknowledged: Option<u64>,
    /// Retransmits of the connection before it.
    pub(super) retransmits: u32,
    /// When to ask again whether its response is over.
    pub(super) recheck: Option<u64>,
}

/// What an exchange has from its connection.
pub(super) struct Context {
    pub(super) key: FlowKey,
    pub(super) slot: u32,
    pub(super) client: Sender,
    pub(super) reset: bool,
    /// When the server last sent what must be responses, but was not copied.
    pub(super) uncopied: Option<u64>,
    /// Retransmits of the connection so far.
    pub(super) retransmits: u32,
}

impl Pending {
    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        let request = self.request.as_ref().map_or(0, Request::weight);
        let response = self.response.as_ref().map_or(0, |(response, _)| response.fields.weight());
        request + response + self.informational.capacity() * size_of::<u16>()
    }

    /// When it is reported or looked at again, nanoseconds of the packet clock. `lived`: when its flow was last found
    /// to live.
    pub(super) fn due(&self, lived: u64, options: &HttpOptions) -> u64 {
        let Some((_, time)) = self.response else {
            return self.since.max(lived).saturating_add(options.timeout);
        };
        match (self.recheck, self.received.ended) {
            (_, Some(ended)) if self.is_sized() && self.has_passed() => {
                ended.max(time).max(self.sent.ended.unwrap_or_default()).saturating_add(LINGER)
            }
            (Some(recheck), _) => recheck,
            (None, _) => time.saturating_add(SIZE_WAIT),
        }
    }

    /// The last byte of the request has passed, or nobody knows of one.
    pub(super) const fn has_passed(&self) -> bool {
        self.request.is_none() || self.sent.ended.is_some()
    }

    /// Nothing more can be learnt of the size of its messages.
    pub(super) const fn is_sized(&self) -> bool {
        (self.request.is_none() || self.sent.bytes.is_some()) && self.received.bytes.is_some()
    }

    /// A response that begins at `start` and whose sender had the client's bytes up to `ack` may be its own:
    /// the server had the request, and the client did not yet have those bytes when it sent it.
    pub(super) fn may_be_answered(&self, start: u32, ack: Option<u32>) -> bool {
        self.ack.is_none_or(|had| distance(had, start) >= 0)
            && (self.request.is_none() || ack.is_none_or(|ack| distance(self.start, ack) > 0))
    }

    /// The response may have passed, but nothing of it was copied.
    fn is_hidden(&self, context: &Context) -> bool {
        self.response.is_none()
            && (self.missed || self.hidden || context.uncopied.is_some_and(|time| self.since <= time))
            && self.request.is_some()
    }

    fn outcome(&self, context: &Context) -> Outcome {
        let Some(request) = &self.request else { return Outcome::NoRequest };
        if request.method == "PRI" {
            return Outcome::Upgraded;
        }
        let Some((response, _)) = &self.response else {
            return match (self.is_hidden(context), context.reset) {
                (true, _) => Outcome::Partial,
                (false, true) => Outcome::Reset,
                (false, false) => Outcome::NoResponse,
            };
        };
        let success = response.status.is_some_and(|status| status / 100 == 2);
        if response.status == Some(101) {
            Outcome::Upgraded
        } else if request.method == "CONNECT" && success {
            Outcome::Tunnel
        } else if self.received.cut && context.reset {
            Outcome::Reset
        } else if request.partial || response.partial || self.sent.cut || self.received.cut {
            Outcome::Partial
        } else {
            Outcome::Complete
        }
    }

    pub(super) fn into_exchange(self, context: &Context) -> HttpExchange {
        let outcome = self.outcome(context);
        let request_time = self.request.is_some().then_some(self.since);
        let response_time = self.response.as_ref().map(|(_, time)| *time);
        let partial = self.is_hidden(context)
            || self.request.as_ref().is_some_and(|request| request.partial)
            || self.response.as_ref().is_some_and(|(response, _)| response.partial);
        let request = self.request.unwrap_or_default();
        let response = self.response.map(|(response, _)| response).unwrap_or_default();
        let (seen, trace) = (request_time.is_some(), request.fields.trace());
        HttpExchange {
            head: Head::new(
                context.key,
                context.slot,
                context.client,
                request_time.or(response_time).unwrap_or(self.since),
            ),
            request_time,
            request_end: self.sent.ended.filter(|_| seen),
            acknowledged: self.acknowledged.filter(|_| seen && self.informational.is_empty()),
            response_time,
            response_end: self.received.ended,
            method: seen.then_some(request.method),
            target: Some(request.target).filter(|target| !target.is_empty()),
            host: request.fields.host,
            version: if seen { request.version } else { response.version },
            user_agent: request.fields.user_agent,
            referrer_host: request.fields.referrer_host,
            content_type: response.fields.content_type,
            request_content_length: request.fields.content_length,
            response_content_length: response.fields.content_length,
            status: response.status,
            grpc_status: None,
            trace,
            // gRPC needs HTTP/2.
            is_grpc: false,
            informational: self.informational,
            request_bytes: self.sent.bytes,
            response_bytes: self.received.bytes,
            partial,
            outcome,
            retransmits: context.retransmits.wrapping_sub(self.retransmits),
            think_time: None,
        }
    }
}
