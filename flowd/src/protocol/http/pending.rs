//! An exchange that is not over, and what is reported of it when it is.

use flow_common::key::{FlowKey, Sender};

use super::{
    HttpOptions,
    exchange::{HttpExchange, Outcome},
    head::{Request, Response},
};

/// How long an answered exchange waits for the sizes of its messages to become known, nanoseconds. Longer
/// than most bodies take, short for someone who watches the log.
const SIZE_WAIT: u64 = 5_000_000_000;

/// An outstanding exchange.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Counts the exchanges of a connection.
    pub(super) number: u64,
    pub(super) request: Option<Request>,
    /// First byte of the request, or of the 1xx response that came without one.
    pub(super) since: u64,
    pub(super) informational: Vec<u16>,
    /// With the time of its first byte.
    pub(super) response: Option<(Response, u64)>,
    pub(super) request_bytes: Option<u64>,
    pub(super) response_bytes: Option<u64>,
}

/// What an exchange has from its connection.
pub(super) struct Owner {
    pub(super) key: FlowKey,
    pub(super) slot: u32,
    pub(super) client: Sender,
    pub(super) reset: bool,
    /// When the server last sent what must be responses, but was not copied.
    pub(super) uncopied: Option<u64>,
}

impl Pending {
    /// When it is reported as it is, nanoseconds of the packet clock.
    pub(super) fn due(&self, options: &HttpOptions) -> u64 {
        match &self.response {
            Some((_, time)) => time.saturating_add(SIZE_WAIT.min(options.timeout)),
            None => self.since.saturating_add(options.timeout),
        }
    }

    /// The response may have passed, but nothing of it was copied.
    fn is_hidden(&self, owner: &Owner) -> bool {
        self.response.is_none() && owner.uncopied.is_some_and(|time| self.since <= time)
    }

    fn outcome(&self, owner: &Owner) -> Outcome {
        match (&self.request, &self.response) {
            (None, _) => Outcome::NoRequest,
            (Some(_), None) if self.is_hidden(owner) => Outcome::Partial,
            (Some(_), None) if owner.reset => Outcome::Reset,
            (Some(_), None) => Outcome::NoResponse,
            (Some(_), Some((response, _))) if response.status == Some(101) => Outcome::Upgraded,
            (Some(request), Some((response, _)))
                if request.method == "CONNECT" && response.status.is_some_and(|s| s / 100 == 2) =>
            {
                Outcome::Tunnel
            }
            (Some(request), Some((response, _))) if request.partial || response.partial => Outcome::Partial,
            (Some(_), Some(_)) => Outcome::Complete,
        }
    }

    pub(super) fn into_exchange(self, owner: &Owner) -> HttpExchange {
        let outcome = self.outcome(owner);
        let request_time = self.request.is_some().then_some(self.since);
        let response_time = self.response.as_ref().map(|(_, time)| *time);
        let partial = self.is_hidden(owner)
            || self.request.as_ref().is_some_and(|request| request.partial)
            || self.response.as_ref().is_some_and(|(response, _)| response.partial);
        let request = self.request.unwrap_or_default();
        let response = self.response.map(|(response, _)| response).unwrap_or_default();
        let seen = request_time.is_some();
        HttpExchange {
            key: owner.key,
            slot: owner.slot,
            request_from: owner.client,
            time: request_time.or(response_time).unwrap_or(self.since),
            request_time,
            response_time,
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
            informational: self.informational,
            request_bytes: self.request_bytes,
            response_bytes: self.response_bytes,
            partial,
            outcome,
            iface: None,
            server_rtt_us: None,
            client_rtt_us: None,
            retransmits: None,
            client_zone: None,
            server_zone: None,
        }
    }
}
