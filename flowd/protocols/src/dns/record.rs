//! A query with its response, and its JSON line.

use flow_common::app::App;
use serde::{Serialize, Serializer};

use super::iana;
use crate::{
    numbers::NOT_LISTED,
    party::Party,
    record::{AppRecord, ERROR, Head, OK, Path, Request},
    time::{micros, rfc3339},
    transport::transport,
};

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsOutcome {
    /// Query and response were seen, whatever the response says.
    Answered,
    /// No response within the timeout after the query was last sent.
    Unanswered,
    /// The query was sent again while it waited; the line of its first sending tells how that ended.
    Repeated,
    /// A response whose query was not seen.
    NoQuery,
}

impl DnsOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Answered, Self::Unanswered, Self::Repeated, Self::NoQuery];

    /// The word in log lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Unanswered => "unanswered",
            Self::Repeated => "repeated",
            Self::NoQuery => "no_query",
        }
    }
}

/// One question with what became of it. Its JSON form is the `dns` line.
#[derive(Clone, Debug, PartialEq)]
pub struct DnsExchange {
    /// The time is that of the query, or of the response where there is none.
    pub head: Head,
    /// The name asked for, in printable ASCII: other bytes, and dots within labels, are escaped as in zone
    /// files. `None` for a response without question, and where the copy ends before the question does.
    pub query: Option<String>,
    pub qtype: Option<u16>,
    /// Of the response, with the bits that EDNS adds.
    pub rcode: Option<u16>,
    /// Data of the first answers as text.
    pub answers: Vec<String>,
    /// Answers that the response claims to hold.
    pub answer_count: Option<u16>,
    /// The response said that it was cut to fit (TC).
    pub truncated: Option<bool>,
    /// From the query's first sending to the response, nanoseconds.
    pub response_time: Option<u64>,
    /// How often the query was sent again.
    pub retries: u32,
    pub outcome: DnsOutcome,
}

/// The line's fields in their order.
#[derive(Serialize)]
#[serde(tag = "type", rename = "dns")]
struct Line<'a> {
    #[serde(serialize_with = "rfc3339")]
    time: u64,
    client: &'a Party,
    server: &'a Party,
    transport: Option<&'static str>,
    query: Option<&'a str>,
    qtype: Option<String>,
    rcode: Option<String>,
    answers: &'a [String],
    answer_count: Option<u16>,
    truncated: Option<bool>,
    response_time_us: Option<f64>,
    retries: u32,
    outcome: DnsOutcome,
    #[serde(flatten)]
    path: Path<'a>,
}

impl Serialize for DnsExchange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Line {
            time: self.head.time,
            client: &self.head.client,
            server: &self.head.server,
            transport: transport(self.head.key.protocol()),
            query: self.query.as_deref(),
            qtype: self.qtype.map(iana::kind),
            rcode: self.rcode.map(iana::code),
            answers: &self.answers,
            answer_count: self.answer_count,
            truncated: self.truncated,
            response_time_us: self.response_time.map(micros),
            retries: self.retries,
            outcome: self.outcome,
            path: self.head.path(),
        }
        .serialize(serializer)
    }
}

impl AppRecord for DnsExchange {
    fn app(&self) -> App {
        App::Dns
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn request(&self) -> Option<Request<'_>> {
        let operation = iana::known(&iana::TYPES, self.qtype?).unwrap_or(NOT_LISTED);
        // RFC 1035 section 4.1.1: any other code is an error condition, an unknown name included.
        let status = self.rcode.map(|code| if code == 0 { OK } else { ERROR });
        Some(Request { operation, status, duration: self.response_time })
    }
}
