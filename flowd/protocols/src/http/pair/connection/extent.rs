//! How far the messages of a connection go, and when their last bytes passed.
//!
//! Bodies are not copied. What tells of their ends is what the other side acknowledges with its next message,
//! and when the packet path saw the last new byte before that.

use flow_common::key::Sender;

use super::{Connection, Pending, SegmentInfo};
use crate::{
    assembly::distance,
    http::span::{Last, Span},
};

impl Connection {
    /// The event says how far the last message of `sender` has come.
    pub(super) fn note_acknowledged(&mut self, sender: Sender) {
        let SegmentInfo { ack: Some(ack), peer_last, .. } = self.segment else { return };
        let Some(last) = self.streams.of_mut(sender).last.as_mut().filter(|_| peer_last != 0) else { return };
        match last.end {
            Some(end) if distance(end, ack) < 0 => return,
            Some(_) => {}
            None => last.heard = Some((ack, peer_last)),
        }
        let (number, whole) = (last.number, last.end.is_some());
        if whole {
            self.ended(sender, number, peer_last);
        }
    }

    /// The last byte of a message of `sender` passed at `time`, if that was not known before.
    pub(super) fn ended(&mut self, sender: Sender, number: u64, time: u64) {
        let client = self.client == Some(sender);
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.number == number) {
            let since =
                if client { Some(pending.since) } else { pending.response.as_ref().map(|(_, at)| *at) };
            let extent = if client { &mut pending.sent } else { &mut pending.received };
            if extent.ended.is_none() && since.is_some_and(|since| since <= time) {
                extent.ended = Some(time);
            }
        }
    }

    /// A final response begins: what of its request's end the head could not tell.
    pub(super) fn request_over(&self, pending: &mut Pending) {
        let SegmentInfo { ack, peer_last, .. } = self.segment;
        if pending.request.is_none() || pending.sent.ended.is_some() {
            return;
        }
        let had = pending.end.map(|end| ack.is_some_and(|ack| distance(end, ack) >= 0));
        if let (Some(end), Some(true)) = (pending.end, had) {
            pending.sent.bytes = Some(u64::from(end.wrapping_sub(pending.start)));
        }
        if had != Some(false) && pending.since <= peer_last {
            pending.sent.ended = Some(peer_last);
        }
    }

    /// A message of `from` begins, part of exchange `number`, with a body of so many bytes if its head tells.
    pub(super) fn open_message(&mut self, from: Sender, number: u64, span: Span, body: Option<u64>) {
        let (size, end) = (span.size(body), span.end(body));
        self.streams.of_mut(from).last =
            Some(Last { number, start: span.start, end, heard: None, hides: None });
        let client = self.client == Some(from);
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.number == number) {
            let extent = if client { &mut pending.sent } else { &mut pending.received };
            extent.bytes = size;
            let (wire_end, time) = span.seen;
            if end.is_some_and(|end| distance(end, wire_end) >= 0) {
                extent.ended = Some(time);
            }
        }
    }

    /// The message of `from` that was going on ended before `edge`, where its next one begins. `gap`: unseen
    /// ones are between the two.
    pub(super) fn close_message(&mut self, from: Sender, edge: u32, gap: bool) {
        let Some(Last { number, start, end, heard, .. }) = self.streams.of_mut(from).last.take() else {
            return;
        };
        let client = self.client == Some(from);
        let size = edge.wrapping_sub(start);
        if end.is_none()
            && size > 0
            && let Some(pending) = self.pending.iter_mut().find(|pending| pending.number == number)
        {
            (if client { &mut pending.sent } else { &mut pending.received }).bytes = Some(u64::from(size));
        }
        match heard {
            Some((ack, time)) if ack == edge => self.ended(from, number, time),
            _ if !gap => self.ended(from, number, self.segment.own_last),
            _ => {}
        }
    }

    /// `from` will send nothing behind `edge`: a message that goes on beyond it was cut. `last`: when the
    /// byte before `edge` passed.
    pub(super) fn stop_message(&mut self, from: Sender, edge: u32, last: Option<u64>) {
        let Some(Last { number, start, end: Some(end), .. }) = self.streams.of(from).last else {
            return self.close_message(from, edge, false);
        };
        let client = self.client == Some(from);
        let size = edge.wrapping_sub(start);
        if distance(edge, end) > 0
            && distance(start, edge) > 0
            && let Some(pending) = self.pending.iter_mut().find(|pending| pending.number == number)
        {
            let extent = if client { &mut pending.sent } else { &mut pending.received };
            (extent.bytes, extent.cut) = (Some(u64::from(size)), true);
        }
        if let Some(last) = last {
            self.ended(from, number, last);
        }
        self.streams.of_mut(from).last = None;
    }
}
