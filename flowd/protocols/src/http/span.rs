//! Places in one side's sequence space: segments, heads, messages.

use super::parse::Head;

/// The end of a longer body cannot be told by sequence numbers.
const MAX_LENGTH: u64 = 1 << 30;

/// Copied bytes of one segment, shrinking from the front as they are taken.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) seq: u32,
    pub(super) bytes: &'a [u8],
    /// The kernel took the first byte for the beginning of a message.
    pub(super) starts: bool,
    /// Nanoseconds of the packet clock.
    pub(super) time: u64,
    /// Sequence number behind the segment's payload, copied or not.
    pub(super) wire_end: u32,
    /// What its sender had of the other side's bytes.
    pub(super) ack: Option<u32>,
}

impl Input<'_> {
    pub(super) fn skip(&mut self, count: usize) {
        self.seq = self.seq.wrapping_add(length(count));
        self.bytes = self.bytes.get(count..).unwrap_or_default();
    }

    pub(super) fn end(&self) -> u32 {
        self.seq.wrapping_add(length(self.bytes.len()))
    }
}

/// A head that was taken from the bytes.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) head: Head,
    pub(super) span: Span,
}

/// Where a head lies in its side's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Sequence number of its first byte.
    pub(super) start: u32,
    /// Bytes of the head, where its end was copied.
    pub(super) length: Option<u32>,
    /// First byte, nanoseconds of the packet clock.
    pub(super) time: u64,
    /// What its sender had of the other side's bytes when it sent the first.
    pub(super) ack: Option<u32>,
    /// Other messages of this side must have passed before it, unseen.
    pub(super) gap: bool,
    /// The segment in which the head ends: the sequence number behind it, and its time.
    pub(super) seen: (u32, u64),
}

impl Span {
    /// Bytes of the message whose body has so many.
    pub(super) fn size(&self, body: Option<u64>) -> Option<u64> {
        self.length.zip(body).map(|(length, body)| u64::from(length).saturating_add(body))
    }

    /// Sequence number behind the message whose body has so many bytes.
    pub(super) fn end(&self, body: Option<u64>) -> Option<u32> {
        let size = self.size(body).filter(|&size| size < MAX_LENGTH)?;
        Some(self.start.wrapping_add(u32::try_from(size).unwrap_or(u32::MAX)))
    }

    /// What stands behind the message.
    pub(super) fn follows(&self, body: Option<u64>, sure: bool) -> Expect {
        match (self.length, body) {
            (Some(_), Some(0)) => Expect::Start,
            (Some(length), Some(body)) if body < MAX_LENGTH => {
                let body = u32::try_from(body).unwrap_or(u32::MAX);
                Expect::Body { until: self.start.wrapping_add(length).wrapping_add(body), sure }
            }
            _ => Expect::Unknown,
        }
    }
}

/// What stands at [`super::stream::Stream::next`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Expect {
    /// The first byte of a message.
    #[default]
    Start,
    /// A body up to this sequence number; `sure` says that nothing in it can be a message.
    Body { until: u32, sure: bool },
    /// Anything: a message begins only where the kernel says so.
    Unknown,
}

/// The last message of a side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    /// Of the exchange.
    pub(super) number: u64,
    pub(super) start: u32,
    /// Sequence number behind it, where its head tells.
    pub(super) end: Option<u32>,
    /// How far the other side had it, and when the last byte until then passed.
    pub(super) heard: Option<(u32, u64)>,
    /// Where nothing tells its end, what looks like a message may be its body: how far its sender has to have the
    /// other side before another message can be expected of it, and what stands behind the head.
    pub(super) hides: Option<(u32, Expect)>,
}

/// Heads and copies are at most [`flow_common::event::MAX_PAYLOAD`] bytes.
pub(super) fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
