//! What looks like a message within a body whose end nobody told: one in chunks, one up to the end of the connection,
//! one that its sender may leave out.
//!
//! Chunks are not copied, so their sizes are not known. But HTTP/1.x takes turns: a client that has got nothing since
//! it began its request goes on with that request, and a server that has got nothing since it began its last response
//! goes on with that response. The exception is a client that pipelines behind such a body: what may be a request of
//! that kind is kept, and believed once a response comes that answers nothing else.

use flow_common::key::Sender;

use super::Connection;
use crate::{
    assembly::distance,
    http::{
        HttpOptions,
        pair::{pending::SIZE_WAIT, segment::SegmentInfo, suspects::Suspect},
        record::Emit,
        span::{Expect, Span},
        stream::Stream,
    },
};

impl Stream {
    /// The last message goes on until its sender has more than `had` of the other side, unless `behind` its head its end
    /// is known.
    pub(super) fn hide(&mut self, had: Option<u32>, behind: Expect) {
        if let (Some(last), Some(had)) = (self.last.as_mut(), had)
            && !matches!(behind, Expect::Start | Expect::Body { sure: true, .. })
        {
            last.hides = Some((had, behind));
        }
    }
}

impl Connection {
    /// Where what `from` sent at `span` belongs to the body of its last message: what stands behind it.
    pub(super) fn body_around(&self, from: Sender, span: &Span) -> Option<Expect> {
        let (had, behind) = self.streams.of(from).last?.hides?;
        if span.gap || distance(had, span.ack?) > 0 {
            return None;
        }
        if self.client == Some(from) {
            return Some(behind);
        }
        let SegmentInfo { time, own_last, .. } = self.segment;
        // Servers also say unasked that they have waited long enough (408, RFC 9110 section 15.5.9).
        let paused = time.saturating_sub(own_last) >= SIZE_WAIT;
        let is_answer = self.unseen_requests > 0
            || self.pending.iter().any(|pending| {
                pending.response.is_none() && !pending.missed && pending.may_be_answered(span.start, span.ack)
            });
        (!paused && !is_answer).then_some(behind)
    }

    /// The client has an interim response to request `number`, which ends at `had`: its body may only begin.
    pub(super) fn raise_hiding(&mut self, number: u64, had: Option<u32>) {
        let Some(client) = self.client else { return };
        if let (Some(last), Some(had)) = (self.streams.of_mut(client).last.as_mut(), had)
            && last.number == number
            && let Some((known, _)) = &mut last.hides
        {
            *known = had;
        }
    }

    /// Nothing that is known waits for the response at hand, whose sender had the client's bytes up to `ack`: what might
    /// have been a request was one.
    pub(super) fn believe(
        &mut self,
        client: Sender,
        ack: Option<u32>,
        options: &HttpOptions,
        emit: Emit<'_>,
    ) {
        let Some(Suspect { request, span, segment }) = self.suspects.take(ack) else { return };
        let now = std::mem::replace(&mut self.segment, segment);
        self.request(client, request, span, options, emit);
        self.segment = now;
    }
}
