//! A connection to a broker.

use std::{borrow::Cow, collections::VecDeque};

use super::{
    recognise::{Seen, requests, responses},
    request::{Head, LEAST, MOST},
    schema::Schema,
    walk::{API_VERSIONS, CODE, Walk, Walked},
};
use crate::{
    conversation::{Ask, Dialect, Input, Side, Status, Step, Talk, Ticket},
    cursor::Cursor,
};

/// Requests that wait at once. Clients have 5 under way (`max.in.flight.requests.per.connection`), some more.
const MOST_WAITING: usize = 1_024;

/// Bytes of a Produce that are looked at for its acks.
const PRODUCE_HEAD: usize = 4 << 10;

/// A request that waits for its response.
#[derive(Debug)]
struct Waiting {
    correlation: i32,
    /// Where its version is known.
    schema: Option<&'static Schema>,
    version: i16,
    ticket: Ticket,
}

/// A response that is under way.
#[derive(Debug)]
struct Body {
    walk: Walk,
    /// Bytes that are left of it.
    left: usize,
    ticket: Ticket,
}

/// What a client and a broker said so far.
#[derive(Debug, Default)]
pub(super) struct Kafka {
    waiting: VecDeque<Waiting>,
    body: Option<Body>,
    /// SaslHandshake version 0 was asked: tokens without a head may follow (KIP-152).
    tokens: bool,
}

impl Dialect for Kafka {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        match side {
            Side::Client => self.request(input, talk),
            Side::Server => match self.body.take() {
                Some(body) => self.body(body, input.bytes, talk),
                None => self.response(input.bytes, talk),
            },
        }
    }

    /// Correlation ids go on telling what belongs together.
    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        if side == Side::Server
            && let Some(body) = self.body.take()
        {
            talk.abandon(body.ticket);
        }
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        match side {
            Side::Client => requests(bytes).is_some_and(|seen| seen.first().is_some_and(Seen::is_sure)),
            Side::Server => responses(bytes).is_some_and(|found| {
                let waits = |id| self.waiting.iter().any(|waiting| waiting.correlation == id);
                !found.is_empty() && found.into_iter().all(waits)
            }),
        }
    }

    fn weight(&self) -> usize {
        self.waiting.capacity() * size_of::<Waiting>()
            + self.body.as_ref().map_or(0, |body| body.walk.weight())
    }
}

impl Kafka {
    fn request(&mut self, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let bytes = input.bytes;
        let size = Cursor::new(bytes).be_u32().and_then(|size| usize::try_from(size).ok());
        let Some(size) = size else { return Step::Need(4) };
        if size > MOST {
            return Step::Lost;
        }
        let least = LEAST.min(4 + size);
        if bytes.len() < least {
            return Step::Need(least);
        }
        let Some(head) = Head::read(bytes) else {
            return if self.tokens { Step::Take(4 + size) } else { Step::Lost };
        };
        // The client's id is looked at to its end, or not at all.
        if bytes.len() < head.len && !input.cut {
            return Step::Need(head.len);
        }
        let mut one_way = false;
        if head.is_produce() {
            let wanted = head.whole().min(PRODUCE_HEAD);
            match head.acks(bytes) {
                None if bytes.len() < wanted && !input.cut => return Step::Need(bytes.len() + 1),
                acks => one_way = acks == Some(0),
            }
        }
        let operation = head.name().map_or_else(|| Cow::Owned(head.key.to_string()), Cow::Borrowed);
        let ticket = talk.ask(Ask { one_way, ..Ask::new(operation) });
        self.tokens =
            (head.key, head.version) == SASL_HANDSHAKE_0 || self.tokens && head.key == SASL_HANDSHAKE_0.0;
        if !one_way {
            if self.waiting.len() >= MOST_WAITING
                && let Some(oldest) = self.waiting.pop_front()
            {
                talk.abandon(oldest.ticket);
            }
            // KIP-511: brokers answer an ApiVersions of a version that they do not know as one of version 0.
            let version = if head.key == API_VERSIONS && head.schema().is_none() { 0 } else { head.version };
            let (correlation, schema) = (head.correlation, Schema::of(head.key, version));
            self.waiting.push_back(Waiting { correlation, schema, version, ticket });
        }
        Step::Take(head.whole())
    }

    fn response(&mut self, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        let mut cursor = Cursor::new(bytes);
        let size = cursor.be_u32().and_then(|size| usize::try_from(size).ok());
        let Some(size) = size else { return Step::Need(4) };
        if size > MOST {
            return Step::Lost;
        }
        if size < 4 {
            // A token.
            return Step::Take(4 + size);
        }
        let Some(correlation) = cursor.be_u32() else { return Step::Need(8) };
        let correlation = correlation.cast_signed();
        let at = self.waiting.iter().position(|waiting| waiting.correlation == correlation);
        // To nobody that was seen: a request from before the capture, a Produce with acks=0 that is answered all the same.
        let Some(at) = at else { return Step::Take(4 + size) };
        // Brokers answer in order: what was asked before has had its answer, or gets none.
        for passed in self.waiting.drain(..at) {
            talk.abandon(passed.ticket);
        }
        let Some(Waiting { schema, version, ticket, .. }) = self.waiting.pop_front() else {
            return Step::Take(4 + size);
        };
        talk.answer(ticket);
        match schema {
            Some(schema) if size > 4 => {
                self.body = Some(Body { walk: Walk::response(schema, version), left: size - 4, ticket });
                Step::Take(8)
            }
            // What it says is not known.
            _ => {
                talk.abandon(ticket);
                Step::Take(4 + size)
            }
        }
    }

    /// Looks for the first error code that is not 0.
    fn body(&mut self, mut body: Body, bytes: &[u8], talk: &mut Talk<'_>) -> Step {
        let mut at = 0;
        loop {
            let left = body.left - at;
            let len = match body.walk.step(bytes.get(at..).unwrap_or_default(), left) {
                Walked::Past(len) => len,
                Walked::Code(0) => CODE,
                Walked::Code(code) => {
                    talk.close(body.ticket, Status::Error(code.to_string().into()));
                    return Step::Take(body.left);
                }
                Walked::Short(len) if len <= left => {
                    let step = if at > 0 { Step::Take(at) } else { Step::Need(len) };
                    body.left = left;
                    self.body = Some(body);
                    return step;
                }
                Walked::End => {
                    talk.close(body.ticket, Status::Ok);
                    return Step::Take(body.left);
                }
                Walked::Short(_) | Walked::Wrong => {
                    talk.abandon(body.ticket);
                    return Step::Take(body.left);
                }
            };
            if len > left {
                talk.abandon(body.ticket);
                return Step::Take(body.left);
            }
            at += len;
            if at > bytes.len() {
                body.left -= at;
                if body.left > 0 {
                    self.body = Some(body);
                } else if body.walk.step(&[], 0) == Walked::End {
                    // Its last field is skipped.
                    talk.close(body.ticket, Status::Ok);
                } else {
                    talk.abandon(body.ticket);
                }
                return Step::Take(at);
            }
        }
    }
}

/// Key and version.
const SASL_HANDSHAKE_0: (i16, i16) = (17, 0);
