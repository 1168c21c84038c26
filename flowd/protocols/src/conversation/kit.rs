//! Conversations for tests of dialects.

use std::sync::Arc;

use flow_common::key::{Direction, Endpoint, FlowKey, Scope, Sender, TunnelKind};

use super::{
    dialect::{Candidate, Dialect, Recognition, Side},
    dialogue::{Dialogue, Records},
    stream::{Segment, Told},
};
use crate::{
    options::Options,
    privacy::{Query, Statements},
    record::Head,
    section::NoKeys,
};

pub(crate) use Side::{Client, Server};

/// A request, and what became of it. Times are numbers of parts, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) operation: String,
    pub(crate) one_way: bool,
    /// `ok`, the error's code, or nothing where no response was seen to its end.
    pub(crate) status: Option<String>,
    pub(crate) asked: u64,
    pub(crate) answered: Option<u64>,
}

/// A request as a short text: `GET ok 0-1`, `SET ERR 0-1`, `PUB - 0` (one-way), `GET ? 0` (no response).
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let status = self.status.as_deref().unwrap_or(if self.one_way { "-" } else { "?" });
        write!(f, "{} {status} {}", self.operation, self.asked)?;
        self.answered.map_or(Ok(()), |answered| write!(f, "-{answered}"))
    }
}

/// A conversation of parts, each a segment; what became of its requests, in the order in which they were asked. Asserts
/// that each cut of the parts into smaller segments gives the same.
pub(crate) fn converse(start: impl Fn() -> Box<dyn Dialect>, parts: &[(Side, &[u8])]) -> Vec<String> {
    let whole = told(start(), parts, usize::MAX);
    for most in [1, 2, 7, 100] {
        assert_eq!(told(start(), parts, most), whole, "in segments of {most} bytes");
    }
    whole
}

/// The same with records of the protocol's own, as JSON.
pub(crate) fn records(dialect: Box<dyn Dialect>, parts: &[(Side, &[u8])]) -> Vec<serde_json::Value> {
    json(&raw_records(dialect, parts))
}

/// The same as they are.
pub(crate) fn raw_records(dialect: Box<dyn Dialect>, parts: &[(Side, &[u8])]) -> Records {
    let mut records = Records::new();
    run(dialect, parts, usize::MAX, &mut records);
    records
}

fn json(records: &Records) -> Vec<serde_json::Value> {
    records.iter().map(|record| serde_json::to_value(record.as_ref()).unwrap()).collect()
}

/// The same with parts that nobody saw: bytes of which only the number is known.
pub(crate) fn with_gaps(dialect: Box<dyn Dialect>, parts: &[(Side, Result<&[u8], u32>)]) -> Vec<String> {
    gapped(dialect, parts, &mut Records::new())
}

/// The records of the protocol's own, as JSON, where parts were not seen.
pub(crate) fn records_with_gaps(
    dialect: Box<dyn Dialect>,
    parts: &[(Side, Result<&[u8], u32>)],
) -> Vec<serde_json::Value> {
    let mut records = Records::new();
    gapped(dialect, parts, &mut records);
    json(&records)
}

fn gapped(
    dialect: Box<dyn Dialect>,
    parts: &[(Side, Result<&[u8], u32>)],
    records: &mut Records,
) -> Vec<String> {
    let mut dialogue = Dialogue::new(dialect);
    let head = head();
    let mut next = [1_000_u32, 900_000];
    for (side, seq) in [(Client, 1_000), (Server, 900_000)] {
        dialogue.begin(side, seq);
    }
    for (time, (side, part)) in parts.iter().enumerate() {
        let [own, other] = if *side == Client { [0, 1] } else { [1, 0] };
        let (seq, ack) = (next[own], next[other]);
        match part {
            Ok(bytes) => {
                let segment = Segment { seq, bytes, len: bytes.len() as u32, time: time as u64 };
                dialogue.take(*side, segment, Some(ack), &head, records);
                next[own] = seq.wrapping_add(bytes.len() as u32);
            }
            Err(len) => next[own] = seq.wrapping_add(*len),
        }
    }
    dialogue.end(false, &head, records);
    lines(&mut dialogue)
}

/// What lines show of the requests' statements, in the order in which they were closed.
pub(crate) fn statements(dialect: Box<dyn Dialect>, parts: &[(Side, &[u8])]) -> Vec<Option<String>> {
    let mut dialogue = under_way(dialect, parts);
    dialogue.end(false, &head(), &mut Records::new());
    dialogue.closed().0.map(|closed| closed.open.ask.statement).collect()
}

/// Bytes that a conversation of these parts holds in the end.
pub(crate) fn weight(dialect: Box<dyn Dialect>, parts: &[(Side, &[u8])]) -> usize {
    under_way(dialect, parts).weight()
}

/// When the oldest of what such a conversation waits for was asked, before and after it gives up what was asked at
/// `until`; and what it tells of that by itself.
pub(crate) fn expired(
    dialect: Box<dyn Dialect>,
    parts: &[(Side, &[u8])],
    until: u64,
) -> ([Option<u64>; 2], Vec<serde_json::Value>) {
    let (mut dialogue, mut records) = (under_way(dialect, parts), Records::new());
    let before = dialogue.oldest();
    dialogue.expire(until, &head(), &mut records);
    ([before, dialogue.oldest()], json(&records))
}

fn under_way(dialect: Box<dyn Dialect>, parts: &[(Side, &[u8])]) -> Dialogue {
    let (mut dialogue, head, mut records) = (Dialogue::new(dialect), head(), Records::new());
    let mut next = [1_000_u32, 900_000];
    for (side, seq) in [(Client, 1_000), (Server, 900_000)] {
        dialogue.begin(side, seq);
    }
    for (time, (side, bytes)) in parts.iter().enumerate() {
        let own = usize::from(*side == Server);
        let segment = Segment { seq: next[own], bytes, len: bytes.len() as u32, time: time as u64 };
        dialogue.take(*side, segment, Some(next[1 - own]), &head, &mut records);
        next[own] = next[own].wrapping_add(bytes.len() as u32);
    }
    dialogue
}

/// What the candidate says of what both sides began with.
pub(crate) fn recognise(candidate: &Candidate, client: &[u8], server: &[u8]) -> Recognition {
    (candidate.recognise)(client, server)
}

fn told(dialect: Box<dyn Dialect>, parts: &[(Side, &[u8])], most: usize) -> Vec<String> {
    run(dialect, parts, most, &mut Records::new())
}

fn run(
    dialect: Box<dyn Dialect>,
    parts: &[(Side, &[u8])],
    most: usize,
    records: &mut Records,
) -> Vec<String> {
    let mut dialogue = Dialogue::new(dialect);
    let head = head();
    let mut next = [1_000_u32, 900_000];
    for (side, seq) in [(Client, 1_000), (Server, 900_000)] {
        dialogue.begin(side, seq);
    }
    for (time, (side, bytes)) in parts.iter().enumerate() {
        let [own, other] = if *side == Client { [0, 1] } else { [1, 0] };
        for bytes in bytes.chunks(most) {
            let segment = Segment { seq: next[own], bytes, len: bytes.len() as u32, time: time as u64 };
            if dialogue.take(*side, segment, Some(next[other]), &head, records) == Told::Left {
                dialogue.end(false, &head, records);
                return lines(&mut dialogue);
            }
            next[own] = next[own].wrapping_add(bytes.len() as u32);
        }
    }
    dialogue.end(false, &head, records);
    lines(&mut dialogue)
}

fn lines(dialogue: &mut Dialogue) -> Vec<String> {
    let mut closed: Vec<_> = dialogue.closed().0.collect();
    closed.sort_by_key(|closed| closed.open.ticket);
    let line = |closed: super::talk::Closed| {
        let complete = closed.outcome == super::talk::Outcome::Complete && !closed.open.ask.one_way;
        Line {
            operation: closed.open.ask.operation.into_owned(),
            one_way: closed.open.ask.one_way,
            status: complete.then(|| closed.open.error.map_or("ok".to_owned(), Into::into)),
            asked: closed.open.asked,
            answered: closed.open.answered,
        }
    };
    closed.into_iter().map(|closed| line(closed).to_string()).collect()
}

/// What a protocol without keys of its own is told where it is on.
pub(super) fn options() -> Options {
    let keys = Arc::new(NoKeys::default());
    Options { head_bytes: 1024, query: Query::Drop, statements: Statements::default(), on: true, keys }
}

pub(super) fn head() -> Head {
    let scope =
        Scope { interface: 1, vlans: 0, protocol: 6, ipv6: false, tunnel: TunnelKind::None, tunnel_id: 0 };
    let ends = (Endpoint::v4(1_u32.to_be(), 40_000), Endpoint::v4(2_u32.to_be(), 1234));
    let key = FlowKey::new(ends.0, ends.1, &scope, Some(Direction::Ingress)).0;
    Head::new(key, 1, Sender::A, 0)
}
