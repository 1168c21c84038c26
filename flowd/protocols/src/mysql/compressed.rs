//! The packets of the compressed protocol, which its frames hold.

use super::{
    frame::{HEAD, content, head},
    recognise::resumes,
};
use crate::conversation::{Input, Side, Step, Talk};

/// Who reads packets, whatever they came in.
pub(super) trait Packets {
    /// Reads the packet of `side` at the front, whose first byte passed at `time`.
    fn packet(&mut self, side: Side, input: Input<'_>, time: u64, talk: &mut Talk<'_>) -> Step;

    /// The last request ends with a packet or a frame of this number, or goes on: its answer counts on from there.
    fn asked_up_to(&mut self, number: u8);

    /// Bytes of a side's packets are missing.
    fn missing(&mut self, side: Side, talk: &mut Talk<'_>);
}

/// Both sides' packets.
#[derive(Debug, Default)]
pub(super) struct Frames {
    client: Inner,
    server: Inner,
}

/// One side's packets, in order.
#[derive(Debug, Default)]
struct Inner {
    /// What is not understood yet.
    bytes: Vec<u8>,
    /// When the first of them passed.
    time: u64,
    /// Bytes behind them that are of no interest.
    skip: usize,
    /// Nobody knows where a packet begins.
    lost: bool,
}

impl Frames {
    const fn inner(&mut self, side: Side) -> &mut Inner {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// Reads the frame of `side` at the front.
    pub(super) fn read(
        &mut self,
        side: Side,
        input: Input<'_>,
        mysql: &mut dyn Packets,
        talk: &mut Talk<'_>,
    ) -> Step {
        let Some(head) = head(input.bytes) else { return Step::Need(HEAD) };
        if head.len == 0 {
            return Step::Lost;
        }
        let whole = HEAD + head.len;
        let need = whole.min(Step::MOST);
        if input.bytes.len() < need && !input.cut {
            return Step::Need(need);
        }
        let bytes = input.bytes.get(HEAD..whole).or_else(|| input.bytes.get(HEAD..)).unwrap_or_default();
        let content = content(head, bytes);
        let step = self.inner(side).take(side, &content, head.holds, mysql, talk);
        if side == Side::Client {
            mysql.asked_up_to(head.number);
        }
        if step == Step::Leave { step } else { Step::Take(whole) }
    }

    /// Bytes of `side` are missing.
    pub(super) fn lose(&mut self, side: Side) {
        *self.inner(side) = Inner { lost: true, ..Inner::default() };
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.client.bytes.capacity() + self.server.bytes.capacity()
    }
}

impl Inner {
    /// Takes what a frame holds: `content`, and unread bytes behind it up to the length `holds`.
    fn take(
        &mut self,
        side: Side,
        content: &[u8],
        holds: usize,
        mysql: &mut dyn Packets,
        talk: &mut Talk<'_>,
    ) -> Step {
        let skipped = self.skip.min(holds);
        self.skip -= skipped;
        let unread = holds.saturating_sub(content.len().max(skipped));
        let content = content.get(skipped..).unwrap_or_default();
        if self.lost && resumes(side, content) {
            self.lost = false;
        }
        if self.lost {
            return Step::Take(holds);
        }
        if self.bytes.is_empty() {
            self.time = talk.time();
        }
        self.bytes.extend_from_slice(content);
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let cut = unread > 0 || rest.len() >= Step::MOST;
            match mysql.packet(side, Input { bytes: rest, cut }, self.time, talk) {
                Step::Take(len) => {
                    self.skip = len.saturating_sub(rest.len());
                    rest = rest.get(len..).unwrap_or_default();
                }
                Step::Need(_) if !cut => break,
                Step::Need(_) | Step::Lost => return self.lose(side, mysql, talk),
                Step::Leave => return Step::Leave,
            }
            self.time = talk.time();
        }
        self.bytes.extend_from_slice(rest);
        if unread > self.skip {
            return self.lose(side, mysql, talk);
        }
        self.skip -= unread;
        Step::Take(holds)
    }

    fn lose(&mut self, side: Side, mysql: &mut dyn Packets, talk: &mut Talk<'_>) -> Step {
        *self = Self { lost: true, ..Self::default() };
        mysql.missing(side, talk);
        Step::Lost
    }
}
