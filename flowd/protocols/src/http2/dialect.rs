//! Both sides of a connection, frame by frame.

use super::{
    exchange::{End, Heading},
    frame::{Frame, HEADER, PREFACE, USUAL, kind},
    head::Reading,
    hpack::Decoder,
    opening::{self, Opening},
    recognise::looks_like_frames,
    streams::Streams,
};
use crate::{
    conversation::{Dialect, Input, Side, Step, Talk},
    http::{HttpOptions, Privacy},
    protocol::Options,
};

/// Bytes of a frame with a header block that are read.
const MOST_BLOCK: usize = USUAL;

/// A connection.
#[derive(Debug)]
pub(super) struct Http2 {
    privacy: Privacy,
    client: Half,
    server: Half,
    streams: Streams,
}

/// What one side sends.
#[derive(Debug)]
struct Half {
    /// It has not come to its first frame.
    is_opening: bool,
    decoder: Decoder,
    /// A header block that goes on with the next frame.
    block: Option<Block>,
}

/// A header block under way (RFC 9113 section 4.3).
#[derive(Debug)]
struct Block {
    stream: u32,
    /// It is that of a stream, not of a promised one.
    is_head: bool,
    ends_stream: bool,
    /// Of its first byte, and of its last frame's, nanoseconds of the packet clock.
    time: u64,
    last: u64,
    /// Bytes of its frames.
    size: u64,
    reading: Reading,
}

impl Half {
    const fn new() -> Self {
        Self { is_opening: true, decoder: Decoder::new(), block: None }
    }

    fn weight(&self) -> usize {
        self.decoder.weight() + self.block.as_ref().map_or(0, |block| block.reading.weight())
    }
}

impl Http2 {
    /// A connection that has said nothing yet.
    pub(super) fn new(options: &Options) -> Self {
        let privacy = HttpOptions::of(options).privacy;
        let mut client = Half::new();
        client.decoder.set_traces(privacy.trace_context);
        Self { privacy, client, server: Half::new(), streams: Streams::default() }
    }

    const fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Reads what comes before the first frame; `None` where that is the first frame.
    fn open(&mut self, side: Side, bytes: &[u8], talk: &mut Talk<'_>) -> Option<Step> {
        match opening::read(side, bytes) {
            Opening::Step(step) => return Some(step),
            Opening::Preface => {
                self.half(side).is_opening = false;
                return Some(Step::Take(PREFACE.len()));
            }
            Opening::Frame => {
                let half = self.half(side);
                half.is_opening = false;
                half.decoder.lose();
                // A server has no preface of its own that would tell.
                if side == Side::Client {
                    self.streams.miss(side, talk);
                }
            }
        }
        None
    }

    /// Reads a frame that has a header block, or a part of one.
    fn block(&mut self, side: Side, frame: &Frame, payload: &[u8], talk: &mut Talk<'_>) {
        let (half, privacy) = match side {
            Side::Client => (&mut self.client, &self.privacy),
            Side::Server => (&mut self.server, &self.privacy),
        };
        let block = match &mut half.block {
            Some(block) => block,
            // One whose beginning was missed was lost with it.
            None if frame.kind == kind::CONTINUATION => return,
            none => none.insert(Block {
                stream: frame.stream,
                is_head: frame.kind == kind::HEADERS,
                ends_stream: frame.ends_stream(),
                time: talk.time(),
                last: talk.time(),
                size: 0,
                reading: Reading::default(),
            }),
        };
        block.last = talk.time();
        block.size += frame.size() as u64;
        let whole = payload.len() == frame.len;
        block.reading.push(frame.fragment(payload), whole, &mut half.decoder, privacy);
        if frame.ends_block() {
            self.end_block(side, true, talk);
        }
    }

    /// Tells the header block under way; `whole`: its last frame has come.
    fn end_block(&mut self, side: Side, whole: bool, talk: &mut Talk<'_>) {
        let (half, privacy) = match side {
            Side::Client => (&mut self.client, &self.privacy),
            Side::Server => (&mut self.server, &self.privacy),
        };
        let Some(Block { stream, is_head, ends_stream, time, last, size, reading }) = half.block.take()
        else {
            return;
        };
        let head = reading.end(whole, &mut half.decoder, privacy);
        if is_head {
            let ends = ends_stream.then_some(last);
            self.streams.head(side, stream, Heading { head, time, size, ends }, talk);
        }
    }

    /// Reads the frame whose payload is there as far as it is of interest.
    fn frame(&mut self, side: Side, frame: &Frame, payload: &[u8], talk: &mut Talk<'_>) {
        // Nothing may come between the frames of a header block (RFC 9113 section 4.3).
        let goes_on = |block: &Block| frame.kind == kind::CONTINUATION && frame.stream == block.stream;
        if self.half(side).block.as_ref().is_some_and(|block| !goes_on(block)) {
            self.end_block(side, false, talk);
        }
        match frame.kind {
            kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => self.block(side, frame, payload, talk),
            kind::DATA => {
                self.streams.add(side, frame.stream, frame.size() as u64);
                if frame.ends_stream() {
                    self.streams.end(side, frame.stream, talk.time(), talk);
                }
            }
            kind::RST_STREAM => self.streams.reset(frame.stream, talk),
            kind::GOAWAY if side == Side::Server => {
                if let Some(last) = payload.first_chunk() {
                    self.streams.go_away(u32::from_be_bytes(*last) & (u32::MAX >> 1), talk);
                }
            }
            _ => {}
        }
    }
}

/// Bytes of a frame that have to be seen.
fn wanted(frame: &Frame) -> usize {
    let payload = match frame.kind {
        kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION => frame.len.min(MOST_BLOCK),
        kind::GOAWAY => 4,
        _ => 0,
    };
    HEADER + payload
}

impl Dialect for Http2 {
    fn read(&mut self, side: Side, input: Input<'_>, talk: &mut Talk<'_>) -> Step {
        let bytes = input.bytes;
        if self.half(side).is_opening
            && let Some(step) = self.open(side, bytes, talk)
        {
            return step;
        }
        let Some(frame) = Frame::of(bytes) else { return Step::Need(HEADER) };
        if !frame.is_allowed(side) {
            return Step::Lost;
        }
        let wanted = wanted(&frame);
        if bytes.len() < wanted && !input.cut {
            return Step::Need(wanted);
        }
        let end = bytes.len().min(wanted);
        self.frame(side, &frame, bytes.get(HEADER..end).unwrap_or_default(), talk);
        Step::Take(frame.size())
    }

    fn configure(&mut self, options: &Options) {
        self.privacy = HttpOptions::of(options).privacy;
        self.client.decoder.set_traces(self.privacy.trace_context);
    }

    fn gap(&mut self, side: Side, talk: &mut Talk<'_>) {
        self.end_block(side, false, talk);
        let half = self.half(side);
        half.decoder.lose();
        half.is_opening = false;
        self.streams.miss(side, talk);
    }

    fn resume(&mut self, side: Side, bytes: &[u8]) -> bool {
        if self.half(side).is_opening && opening::may_be(side, bytes) {
            return true;
        }
        let of_stream = Frame::of(bytes).filter(|frame| matches!(frame.kind, kind::DATA | kind::HEADERS));
        let known = self.half(side).is_opening
            || of_stream.is_none_or(|frame| self.streams.may_be(side, frame.stream));
        known && looks_like_frames(side, bytes)
    }

    fn finish(&mut self, reset: bool, talk: &mut Talk<'_>) {
        for side in [Side::Client, Side::Server] {
            self.end_block(side, false, talk);
        }
        self.streams.finish(if reset { End::Reset } else { End::Stream }, talk);
    }

    fn oldest(&self) -> Option<u64> {
        self.streams.oldest()
    }

    fn expire(&mut self, until: u64, talk: &mut Talk<'_>) {
        self.streams.expire(until, talk);
    }

    fn weight(&self) -> usize {
        self.client.weight() + self.server.weight() + self.streams.weight()
    }
}
