//! A request with its response, and its JSON line.

use flow_common::app::App;
use serde::{Serialize, Serializer};

use super::trace::TraceContext;
use crate::{
    party::Party,
    record::{AppRecord, ERROR, Head, OK, Request, Timing},
    time::{micros, rfc3339},
};

/// What the version of HTTP/2 is called (RFC 9113 has no minor versions).
pub(crate) const VERSION_2: &str = "2";

/// Takes an exchange as soon as it is over.
pub(super) type Emit<'a> = &'a mut dyn FnMut(HttpExchange);

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Request and final response were seen, and no message ended before its length.
    Complete,
    /// No final response until the connection ended or the timeout passed.
    NoResponse,
    /// A response whose request was not seen.
    NoRequest,
    /// The connection was reset before the final response was over.
    Reset,
    /// 101, or HTTP/2's preface: the connection speaks another protocol from here on (RFC 9110 section 7.8,
    /// RFC 9113 section 3.3).
    Upgraded,
    /// 2xx to CONNECT: the connection is a tunnel from here on (RFC 9110 section 9.3.6).
    Tunnel,
    /// Not all of it passed here, or was copied: a message ended before the length that its head claims; a
    /// first line was not copied to its end, or not at all, as that of the later ones of many responses in one
    /// segment.
    Partial,
}

impl Outcome {
    /// Every outcome, for metrics that exist from the start.
    pub const ALL: [Self; 7] = [
        Self::Complete,
        Self::NoResponse,
        Self::NoRequest,
        Self::Reset,
        Self::Upgraded,
        Self::Tunnel,
        Self::Partial,
    ];

    /// The word in log lines and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::NoResponse => "no_response",
            Self::NoRequest => "no_request",
            Self::Reset => "reset",
            Self::Upgraded => "upgraded",
            Self::Tunnel => "tunnel",
            Self::Partial => "partial",
        }
    }
}

/// One exchange as far as it was seen. Its JSON form is the `http` line.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpExchange {
    /// The time is that of the request, or of the response where there is none.
    pub head: Head,
    /// First byte of the request, nanoseconds of the packet clock.
    pub request_time: Option<u64>,
    /// Last byte of the request, nanoseconds of the packet clock; of HTTP/2 the first byte of its last frame.
    pub request_end: Option<u64>,
    /// The server's last segment between the request's last byte and the response, nanoseconds of the packet
    /// clock: the request's acknowledgement, where that did not come with the response.
    pub acknowledged: Option<u64>,
    /// First byte of the final response, nanoseconds of the packet clock.
    pub response_time: Option<u64>,
    /// Last byte of the final response, nanoseconds of the packet clock; of HTTP/2 the first byte of its last frame.
    pub response_end: Option<u64>,
    pub method: Option<String>,
    /// Without what [`super::Query`] takes out; bytes outside printable ASCII as `%XX`.
    pub target: Option<String>,
    pub host: Option<String>,
    /// Of the request, or the response where there is none: `0.9`, `1.0`, `1.1`, `2`.
    pub version: Option<&'static str>,
    pub user_agent: Option<String>,
    /// Host and port of the `Referer`.
    pub referrer_host: Option<String>,
    /// Of the response.
    pub content_type: Option<String>,
    /// What the headers claim, bytes.
    pub request_content_length: Option<u64>,
    /// What the headers claim, bytes.
    pub response_content_length: Option<u64>,
    pub status: Option<u16>,
    /// What gRPC says beside it, in the trailers of HTTP/2.
    pub grpc_status: Option<u32>,
    /// Where it is asked for, and the request carries one.
    pub trace: Option<TraceContext>,
    /// The content type of either message is gRPC's.
    pub is_grpc: bool,
    /// 1xx statuses before the final one.
    pub informational: Vec<u16>,
    /// Bytes of the message, head included: by the framing of its head where that tells and the connection
    /// did not end before; else by sequence numbers up to the same side's next message or end (modulo 4 GiB). Of
    /// HTTP/2 the frames of its headers and its data.
    pub request_bytes: Option<u64>,
    /// Likewise, of the final response.
    pub response_bytes: Option<u64>,
    /// The first line of the request or response was not copied to its end, or not at all although bytes of
    /// it passed.
    pub partial: bool,
    pub outcome: Outcome,
    /// Retransmits of both sides since the exchange's first byte.
    pub retransmits: u32,
    /// Nanoseconds from the request's arrival at the server to its response; the pipeline fills it in.
    pub think_time: Option<u64>,
}

impl HttpExchange {
    /// Nanoseconds from the request's first byte to the final response's; `None` where one is missing or
    /// the capture shows them in the wrong order.
    #[must_use]
    pub fn duration(&self) -> Option<u64> {
        self.response_time?.checked_sub(self.request_time?)
    }

    /// `ok` or `error`, as the response says: 4xx and 5xx are errors (RFC 9110 section 15), and so is a gRPC status
    /// other than 0, which gRPC sends with 200. `None` without a response.
    #[must_use]
    pub fn verdict(&self) -> Option<&'static str> {
        let failed = self.status? >= 400 || self.grpc_status.is_some_and(|status| status != 0);
        Some(if failed { ERROR } else { OK })
    }

    /// Nanoseconds from the first to the last byte of the request.
    #[must_use]
    pub fn request_duration(&self) -> Option<u64> {
        self.request_end?.checked_sub(self.request_time?)
    }

    /// Nanoseconds from the first to the last byte of the final response.
    #[must_use]
    pub fn response_duration(&self) -> Option<u64> {
        self.response_end?.checked_sub(self.response_time?)
    }
}

/// The line's fields in their order.
#[derive(Serialize)]
#[serde(tag = "type", rename = "http")]
struct Line<'a> {
    #[serde(serialize_with = "rfc3339")]
    time: u64,
    client: &'a Party,
    server: &'a Party,
    iface: Option<&'a str>,
    method: Option<&'a str>,
    target: Option<&'a str>,
    host: Option<&'a str>,
    version: Option<&'a str>,
    user_agent: Option<&'a str>,
    referrer_host: Option<&'a str>,
    content_type: Option<&'a str>,
    status: Option<u16>,
    /// Lines of other versions have no such field.
    #[serde(skip_serializing_if = "Option::is_none")]
    grpc_status: Option<Option<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
    informational: &'a [u16],
    request_bytes: Option<u64>,
    request_content_length: Option<u64>,
    response_bytes: Option<u64>,
    response_content_length: Option<u64>,
    request_duration_us: Option<f64>,
    response_time_us: Option<f64>,
    response_duration_us: Option<f64>,
    think_time_us: Option<f64>,
    partial: bool,
    outcome: Outcome,
    server_rtt_us: Option<f64>,
    client_rtt_us: Option<f64>,
    retransmits: u32,
    client_zone: Option<&'a str>,
    server_zone: Option<&'a str>,
}

impl Serialize for HttpExchange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Line {
            time: self.head.time,
            client: &self.head.client,
            server: &self.head.server,
            iface: self.head.iface.as_deref(),
            method: self.method.as_deref(),
            target: self.target.as_deref(),
            host: self.host.as_deref(),
            version: self.version,
            user_agent: self.user_agent.as_deref(),
            referrer_host: self.referrer_host.as_deref(),
            content_type: self.content_type.as_deref(),
            status: self.status,
            grpc_status: (self.version == Some(VERSION_2)).then_some(self.grpc_status),
            trace_id: self.trace.as_ref().map(TraceContext::trace_id),
            span_id: self.trace.as_ref().map(TraceContext::span_id),
            informational: &self.informational,
            request_bytes: self.request_bytes,
            request_content_length: self.request_content_length,
            response_bytes: self.response_bytes,
            response_content_length: self.response_content_length,
            request_duration_us: self.request_duration().map(micros),
            response_time_us: self.duration().map(micros),
            response_duration_us: self.response_duration().map(micros),
            think_time_us: self.think_time.map(micros),
            partial: self.partial,
            outcome: self.outcome,
            server_rtt_us: self.head.server_rtt_us,
            client_rtt_us: self.head.client_rtt_us,
            retransmits: self.retransmits,
            client_zone: self.head.client.zone.as_deref(),
            server_zone: self.head.server.zone.as_deref(),
        }
        .serialize(serializer)
    }
}

impl AppRecord for HttpExchange {
    fn app(&self) -> App {
        App::Http
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn timing(&self) -> Option<Timing> {
        Some(Timing {
            asked: self.request_end.or(self.request_time),
            acknowledged: self.acknowledged,
            answered: self.response_time,
            retransmits: self.retransmits,
        })
    }

    fn request(&self) -> Option<Request<'_>> {
        self.request_time?;
        let operation = self.method.as_deref().unwrap_or_default();
        Some(Request { operation, status: self.verdict(), duration: self.duration() })
    }

    fn set_think_time(&mut self, nanoseconds: u64) {
        self.think_time = Some(nanoseconds);
    }
}
