//! A request of any protocol that this module follows, with what came of it: the line of type `request`.

use std::borrow::Cow;

use flow_common::app::App;
use serde::{Serialize, Serializer};

use super::talk::Outcome;
use crate::{
    party::Party,
    record::{AppRecord, ERROR, Head, OK, Request, Timing},
    time::{micros, rfc3339},
};

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    pub head: Head,
    pub app: App,
    /// A word of the protocol's list, `_OTHER`, or any where statements are kept.
    pub operation: Cow<'static, str>,
    /// Where statements are shown.
    pub statement: Option<String>,
    /// It is not answered by its nature.
    pub one_way: bool,
    /// The protocol's own code, where the response says that the request failed.
    pub error: Option<Cow<'static, str>>,
    /// First byte of the request, nanoseconds of the packet clock.
    pub asked: u64,
    /// Last byte of the request that was seen before the response.
    pub sent: u64,
    /// First byte of the response.
    pub answered: Option<u64>,
    /// Nanoseconds from the request's arrival at the server to its response; the pipeline fills it in.
    pub think_time: Option<u64>,
    /// Retransmits of both sides since the request was asked.
    pub retransmits: u32,
    pub outcome: Outcome,
}

impl RequestRecord {
    /// Nanoseconds from the first byte of the request to the first byte of its response.
    #[must_use]
    pub fn duration(&self) -> Option<u64> {
        self.answered?.checked_sub(self.asked)
    }

    /// `ok` or `error`; `None` without a response.
    #[must_use]
    pub fn status(&self) -> Option<&'static str> {
        match self.outcome {
            _ if self.one_way => None,
            _ if self.error.is_some() => Some(ERROR),
            Outcome::Complete => Some(OK),
            _ => None,
        }
    }
}

/// The line's fields in their order.
#[derive(Serialize)]
#[serde(tag = "type", rename = "request")]
struct Line<'a> {
    protocol: &'static str,
    #[serde(serialize_with = "rfc3339")]
    time: u64,
    client: &'a Party,
    server: &'a Party,
    iface: Option<&'a str>,
    operation: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<&'a str>,
    status: Option<&'static str>,
    error: Option<&'a str>,
    response_time_us: Option<f64>,
    think_time_us: Option<f64>,
    outcome: Outcome,
    server_rtt_us: Option<f64>,
    client_rtt_us: Option<f64>,
    retransmits: u32,
    client_zone: Option<&'a str>,
    server_zone: Option<&'a str>,
}

impl Serialize for RequestRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Line {
            protocol: self.app.name(),
            time: self.head.time,
            client: &self.head.client,
            server: &self.head.server,
            iface: self.head.iface.as_deref(),
            operation: &self.operation,
            statement: self.statement.as_deref(),
            status: self.status(),
            error: self.error.as_deref(),
            response_time_us: self.duration().map(micros),
            think_time_us: self.think_time.map(micros),
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

impl AppRecord for RequestRecord {
    fn app(&self) -> App {
        self.app
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn timing(&self) -> Option<Timing> {
        Some(Timing {
            asked: Some(self.sent),
            acknowledged: None,
            answered: self.answered,
            retransmits: self.retransmits,
        })
    }

    fn request(&self) -> Option<Request<'_>> {
        Some(Request { operation: &self.operation, status: self.status(), duration: self.duration() })
    }

    fn set_think_time(&mut self, nanoseconds: u64) {
        self.think_time = Some(nanoseconds);
    }
}
