//! A conversation whose protocol is known.

use super::{
    dialect::{Dialect, Input, Side, Step},
    stream::{Listener, Segment, Stream, Told},
    talk::{Closed, Requests, Talk},
};
use crate::{
    options::Options,
    record::{AppRecord, Head},
};

/// Records of their own that a protocol told.
pub(crate) type Records = Vec<Box<dyn AppRecord>>;

/// Both sides of a conversation, and the requests that are open.
#[derive(Debug)]
pub(super) struct Dialogue {
    dialect: Box<dyn Dialect>,
    client: Option<Stream>,
    server: Option<Stream>,
    requests: Requests,
}

/// Has the dialect read one side.
struct Ear<'a> {
    dialect: &'a mut dyn Dialect,
    side: Side,
    requests: &'a mut Requests,
    head: &'a Head,
    records: &'a mut Records,
}

impl Listener for Ear<'_> {
    fn read(&mut self, input: Input<'_>, time: u64) -> Step {
        let mut talk = Talk { requests: self.requests, time, head: self.head, records: self.records };
        self.dialect.read(self.side, input, &mut talk)
    }

    fn gap(&mut self) {
        let mut talk = Talk { requests: self.requests, time: 0, head: self.head, records: self.records };
        self.dialect.gap(self.side, &mut talk);
    }

    fn resume(&mut self, bytes: &[u8]) -> bool {
        self.dialect.resume(self.side, bytes)
    }
}

impl Dialogue {
    /// Nothing was said yet.
    pub(super) fn new(dialect: Box<dyn Dialect>) -> Self {
        Self { dialect, client: None, server: None, requests: Requests::default() }
    }

    /// Has `side` begin with the byte of this number, which begins a message.
    pub(super) fn begin(&mut self, side: Side, seq: u32) {
        *self.stream(side) = Some(Stream::new(seq));
    }

    const fn stream(&mut self, side: Side) -> &mut Option<Stream> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Takes a segment of `side`, which had the other side's bytes before `ack`.
    pub(super) fn take(
        &mut self,
        side: Side,
        segment: Segment<'_>,
        ack: Option<u32>,
        head: &Head,
        records: &mut Records,
    ) -> Told {
        if let Some(ack) = ack
            && self.with(side.other(), head, records, |stream, ear| stream.acknowledged(ack, ear))
                == Told::Left
        {
            return Told::Left;
        }
        self.stream(side).get_or_insert_with(|| Stream::begun_before(segment.seq));
        let told = self.with(side, head, records, |stream, ear| stream.take(segment, ear));
        // What is not understood yet begins the next message.
        if side == Side::Client && self.client.as_ref().is_some_and(Stream::is_read) {
            self.requests.goes_on(segment.time);
        }
        told
    }

    /// Takes other options.
    pub(super) fn configure(&mut self, options: &Options) {
        self.dialect.configure(options);
    }

    /// No more will come; `reset`: by a RST.
    pub(super) fn end(&mut self, reset: bool, head: &Head, records: &mut Records) {
        for side in [Side::Client, Side::Server] {
            self.with(side, head, records, |stream, ear| stream.end(ear));
        }
        self.requests.believe();
        let mut talk = Talk { requests: &mut self.requests, time: 0, head, records };
        self.dialect.finish(reset, &mut talk);
        self.requests.close_all(reset);
    }

    fn with(
        &mut self,
        side: Side,
        head: &Head,
        records: &mut Records,
        work: impl FnOnce(&mut Stream, &mut dyn Listener) -> Told,
    ) -> Told {
        let stream = match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        };
        let Some(stream) = stream else { return Told::GoesOn };
        let (dialect, malformed) = (self.dialect.as_mut(), stream.malformed);
        let told = work(stream, &mut Ear { dialect, side, requests: &mut self.requests, head, records });
        if stream.malformed > malformed {
            self.requests.doubt();
        }
        told
    }

    /// Requests that were closed since the last call, and how many of them were given up, as nobody knows which response is
    /// theirs. The first one of a conversation waits for a second message, which may refute it.
    pub(super) fn closed(&mut self) -> (impl Iterator<Item = Closed>, u64) {
        let unpaired = self.requests.take_unpaired();
        (self.requests.take_closed(), unpaired)
    }

    /// Times since the last call that a side said something that the dialect does not know.
    pub(super) fn malformed(&mut self) -> u64 {
        let streams = [&mut self.client, &mut self.server].into_iter().flatten();
        streams.map(|stream| std::mem::replace(&mut stream.malformed, 0)).sum()
    }

    /// Whether `side` sent bytes before `end` that nobody showed.
    pub(super) fn lacks(&self, side: Side, end: u32) -> bool {
        let stream = if side == Side::Client { &self.client } else { &self.server };
        stream.as_ref().is_some_and(|stream| stream.lacks(end))
    }

    /// Takes the retransmits of the connection so far, both sides, modulo 65,536.
    pub(super) const fn set_retransmits(&mut self, retransmits: u16) {
        self.requests.retransmits = retransmits;
    }

    /// Gives up requests that were asked at `until` or before.
    pub(super) fn expire(&mut self, until: u64, head: &Head, records: &mut Records) {
        let mut talk = Talk { requests: &mut self.requests, time: 0, head, records };
        self.dialect.expire(until, &mut talk);
        self.requests.expire(until);
        self.requests.believe();
    }

    /// When the oldest request that is open was asked.
    pub(super) fn oldest(&self) -> Option<u64> {
        let asked = self.requests.open.front().map(|open| open.asked);
        asked.into_iter().chain(self.dialect.oldest()).min()
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        let streams = [&self.client, &self.server].into_iter().flatten().map(Stream::weight);
        streams.sum::<usize>() + self.requests.weight() + self.dialect.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{conversation::kit, protocol::Follow, redis::REGISTERED};

    #[test]
    fn a_request_lasts_until_its_last_byte_and_not_into_the_next() {
        let Follow::Dialect(candidate) = REGISTERED.follow else { panic!("no dialect") };
        let mut dialogue = Dialogue::new((candidate.start)(&kit::options()));
        for (side, seq) in [(Side::Client, 1_000), (Side::Server, 9_000)] {
            dialogue.begin(side, seq);
        }
        let (mut next, mut records) = ([1_000_u32, 9_000], Records::new());
        // Bytes of a value that nobody needs, in segments of their own; and the next request before the first is answered.
        let parts = [
            (Side::Client, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$8\r\nab", 10),
            (Side::Client, "cdef", 20),
            (Side::Client, "gh\r\n", 30),
            (Side::Client, "*1\r\n$4\r\nPI", 40),
            (Side::Client, "NG\r\n", 45),
            (Side::Server, "+OK\r\n+PONG\r\n", 50),
        ];
        for (side, text, time) in parts {
            let own = usize::from(side == Side::Server);
            let segment = Segment { seq: next[own], bytes: text.as_bytes(), len: text.len() as u32, time };
            next[own] += text.len() as u32;
            dialogue.take(side, segment, Some(next[1 - own]), &kit::head(), &mut records);
        }
        let times: Vec<_> = dialogue
            .closed()
            .0
            .map(|closed| (closed.open.asked, closed.open.sent, closed.open.answered))
            .collect();
        assert_eq!(times, [(10, 30, Some(50)), (40, 45, Some(50))]);
    }
}
