//! One side's copied bytes, put in order and cut into heads.

use flow_common::{event::PayloadEvent, key::Sender};

use super::{
    Privacy,
    parse::{self, Scanner, Verdict},
    span::{Expect, Input, Last, Message, Span, length},
};
use crate::assembly::{Held, OutOfOrder, distance};

/// A copy this far behind what was already taken is no retransmission but another connection. Twice the
/// largest window that Linux opens by itself.
const WINDOW: i32 = 1 << 24;

/// Copies held back because one before them is missing.
const MAX_OUT_OF_ORDER: usize = 8;

#[derive(Debug)]
struct Open {
    start: u32,
    time: u64,
    ack: Option<u32>,
    gap: bool,
    /// The last segment with bytes of it: the sequence number behind it, and its time.
    seen: (u32, u64),
    bytes: Vec<u8>,
    scanner: Scanner,
}

impl Open {
    fn span(&self, length: Option<u32>) -> Span {
        let Self { start, time, ack, gap, seen, .. } = *self;
        Span { start, length, time, ack, gap, seen }
    }
}

/// What a copy that is held back tells beside its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    time: u64,
    wire_end: u32,
    ack: Option<u32>,
}

/// The copy as it is taken once its turn has come.
pub(super) fn input_of(held: &Held<Segment>) -> Input<'_> {
    let Held { seq, ref bytes, segment: Segment { time, wire_end, ack } } = *held;
    Input { seq, bytes, starts: false, time, wire_end, ack }
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Everything before this sequence number was taken or passed over.
    next: Option<u32>,
    expect: Expect,
    open: Option<Open>,
    out_of_order: OutOfOrder<Segment, MAX_OUT_OF_ORDER>,
    /// Sequence number of the FIN.
    pub(super) fin: Option<u32>,
    /// Sequence number behind the last byte that passed, copied or not, and when it did.
    sent: Option<(u32, u64)>,
    pub(super) last: Option<Last>,
    /// What begins now has a gap before it.
    gap: bool,
    /// Number of the last copy, 0 before the first.
    number: u8,
    /// Messages whose copies could not be placed.
    given_up: u64,
}

/// Both sides of a connection.
#[derive(Debug, Default)]
pub(super) struct Streams {
    a: Stream,
    b: Stream,
}

impl Streams {
    pub(super) const fn of(&self, sender: Sender) -> &Stream {
        match sender {
            Sender::A => &self.a,
            Sender::B => &self.b,
        }
    }

    pub(super) const fn of_mut(&mut self, sender: Sender) -> &mut Stream {
        match sender {
            Sender::A => &mut self.a,
            Sender::B => &mut self.b,
        }
    }

    pub(super) const fn both_ended(&self) -> bool {
        self.a.fin.is_some() && self.b.fin.is_some()
    }

    /// When the oldest head under way began.
    pub(super) fn open_since(&self) -> Option<u64> {
        self.a.open_since().into_iter().chain(self.b.open_since()).min()
    }
}

impl Stream {
    /// Takes from `input` up to the end of one head. After a message, [`Stream::follow`] must say what comes
    /// behind it. `limit`: bytes of a head that are looked at.
    pub(super) fn take(&mut self, input: &mut Input<'_>, limit: usize, privacy: &Privacy) -> Option<Message> {
        while !input.bytes.is_empty() {
            if let Some(message) = self.place(input, limit, privacy) {
                return Some(message);
            }
            if input.bytes.is_empty() {
                break;
            }
            let open = self.open.get_or_insert_with(|| Open {
                start: input.seq,
                time: input.time,
                ack: input.ack,
                gap: self.gap,
                seen: (input.wire_end, input.time),
                bytes: Vec::new(),
                scanner: Scanner::default(),
            });
            open.seen = (input.wire_end, input.time);
            let before = open.bytes.len();
            let count = limit.saturating_sub(before).min(input.bytes.len());
            open.bytes.extend_from_slice(input.bytes.get(..count).unwrap_or_default());
            match open.scanner.advance(&open.bytes) {
                Verdict::NotHttp => {
                    self.open = None;
                    self.pass(input, Expect::Unknown);
                }
                Verdict::More if open.bytes.len() < limit => self.pass(input, self.expect),
                Verdict::More => {
                    self.pass(input, Expect::Unknown);
                    return self.cut(privacy);
                }
                Verdict::Complete(end) => {
                    input.skip(end.saturating_sub(before));
                    input.starts = false;
                    self.next = Some(input.seq);
                    let open = self.open.take()?;
                    let head = parse::read(open.bytes.get(..end).unwrap_or_default(), true, privacy);
                    self.expect = Expect::Unknown;
                    if let Some(head) = head {
                        return Some(Message { head, span: open.span(Some(length(end))) });
                    }
                }
            }
        }
        None
    }

    /// Moves `input` to where a head goes on or may begin, or empties it. Where it shows that a head under
    /// way will get no more bytes, that head is the answer.
    fn place(&mut self, input: &mut Input<'_>, limit: usize, privacy: &Privacy) -> Option<Message> {
        let ahead = match self.next {
            Some(next) => distance(next, input.seq),
            None if input.starts => 0,
            None => {
                self.drop(input, privacy);
                return None;
            }
        };
        if ahead < 0 {
            // A retransmission; what is new in it follows what was taken.
            input.skip(ahead.unsigned_abs() as usize);
            input.starts = false;
        }
        if self.open.is_some() {
            if ahead <= 0 {
                return None;
            }
            if input.starts {
                return self.cut(privacy);
            }
            self.keep(input, limit, privacy);
            return None;
        }
        let gap = ahead > 0;
        let mut unseen = gap && self.expect == Expect::Start;
        match self.expect {
            Expect::Body { until, sure } => {
                let left = distance(input.seq, until);
                if left > 0 && (sure || !input.starts) {
                    if left.unsigned_abs() as usize >= input.bytes.len() {
                        self.pass(input, self.expect);
                        return None;
                    }
                    input.skip(left.unsigned_abs() as usize);
                } else if left < 0 && !input.starts {
                    self.drop(input, privacy);
                    return None;
                }
                unseen = left < 0 && sure;
            }
            Expect::Start if gap && !input.starts => {
                self.drop(input, privacy);
                return None;
            }
            Expect::Unknown if !input.starts => {
                self.give_up(input, privacy);
                self.pass(input, Expect::Unknown);
                return None;
            }
            Expect::Start | Expect::Unknown => {}
        }
        self.expect = Expect::Start;
        self.gap = unseen;
        // Empty lines before a message are to be ignored (RFC 9112 section 2.2).
        let blank = input.bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        input.skip(blank);
        self.next = Some(input.seq);
        None
    }

    /// Everything of `input` is taken, and this stands behind it.
    fn pass(&mut self, input: &mut Input<'_>, expect: Expect) {
        self.next = Some(input.end());
        self.expect = expect;
        input.skip(input.bytes.len());
    }

    /// What looks like a message may be part of a body where the copies before it were lost.
    fn give_up(&mut self, input: &Input<'_>, privacy: &Privacy) {
        self.given_up += u64::from(parse::read(input.bytes, false, privacy).is_some());
    }

    /// `input` says nothing that could be used.
    fn drop(&mut self, input: &mut Input<'_>, privacy: &Privacy) {
        self.give_up(input, privacy);
        input.skip(input.bytes.len());
    }

    /// Holds a copy back until the bytes before it come.
    fn keep(&mut self, input: &mut Input<'_>, limit: usize, privacy: &Privacy) {
        let Input { seq, time, wire_end, ack, bytes, .. } = *input;
        if !self.out_of_order.hold(seq, bytes, Segment { time, wire_end, ack }, limit) {
            self.give_up(input, privacy);
        }
        input.skip(input.bytes.len());
    }

    /// A copy that was held back and now has its turn.
    pub(super) fn next_in_order(&mut self, privacy: &Privacy) -> Option<Held<Segment>> {
        let next = self.next?;
        let held = self.out_of_order.take(next);
        match &held {
            // Passed over meanwhile.
            Some(held) if distance(next, held.seq) < 0 => self.give_up(&input_of(held), privacy),
            None if self.open.is_none() => self.give_up_out_of_order(privacy),
            Some(_) | None => {}
        }
        held
    }

    /// Gives up the copies that were held back.
    pub(super) fn give_up_out_of_order(&mut self, privacy: &Privacy) {
        for held in self.out_of_order.take_all() {
            self.give_up(&input_of(&held), privacy);
        }
    }

    /// Ends the head under way and reads what is there of it.
    pub(super) fn cut(&mut self, privacy: &Privacy) -> Option<Message> {
        let open = self.open.take()?;
        self.expect = Expect::Unknown;
        let head = parse::read(&open.bytes, false, privacy)?;
        Some(Message { head, span: open.span(None) })
    }

    /// Messages that were given up since this was asked.
    pub(super) const fn take_given_up(&mut self) -> u64 {
        std::mem::replace(&mut self.given_up, 0)
    }

    /// Notes that bytes up to `end` have passed.
    pub(super) fn saw(&mut self, end: u32, time: u64) {
        if self.sent.is_none_or(|(known, _)| distance(known, end) > 0) {
            self.sent = Some((end, time));
        }
    }

    /// Takes the number of a copy, and gives how many between it and the last were lost. `whole`: the
    /// connection is known from its first copy on.
    pub(super) fn lost_before(&mut self, number: u8, whole: bool) -> u8 {
        let known = std::mem::replace(&mut self.number, number);
        if number == 0 || known == 0 && !whole {
            return 0;
        }
        // Numbers go from 1 to 127 and around.
        (number + PayloadEvent::NUMBERS - 1 - known) % PayloadEvent::NUMBERS
    }

    /// A message may begin unseen in bytes that are not looked at.
    pub(super) fn may_hide_messages(&self) -> bool {
        self.expect == Expect::Unknown
    }

    /// When bytes passed behind the last known message that were not copied: further messages, of which
    /// nothing but that is known.
    pub(super) fn uncopied(&self) -> Option<u64> {
        let edge = match self.expect {
            Expect::Start => self.next?,
            Expect::Body { until, sure: true } => until,
            Expect::Body { .. } | Expect::Unknown => return None,
        };
        self.sent.filter(|&(end, _)| self.open.is_none() && distance(edge, end) > 0).map(|(_, time)| time)
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.out_of_order.weight() + self.open.as_ref().map_or(0, |open| open.bytes.capacity())
    }

    #[cfg(test)]
    pub(super) fn buffered(&self) -> usize {
        self.out_of_order.len() + self.open.as_ref().map_or(0, |open| open.bytes.len())
    }

    /// Says what comes behind the last message.
    pub(super) fn follow(&mut self, expect: Expect) {
        self.expect = expect;
    }

    /// When the head under way began.
    pub(super) fn open_since(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.time)
    }

    /// Whether this side can have ended at `seq`. A reset in answer to a stray segment may bear any number
    /// (RFC 9293 section 3.5.2).
    pub(super) fn may_end(&self, seq: u32) -> bool {
        self.next.is_some_and(|next| distance(next, seq) >= 0)
    }

    /// No byte before `seq` is missing.
    pub(super) fn is_taken_up_to(&self, seq: u32) -> bool {
        self.next.is_some_and(|next| distance(next, seq) <= 0)
    }

    /// Whether bytes at `seq` can belong to this side of the connection. `ended`: the connection is over,
    /// so that only retransmissions can.
    pub(super) fn fits(&self, seq: u32, ended: bool) -> bool {
        let behind = |edge: u32| (-WINDOW..0).contains(&distance(edge, seq));
        match (self.fin, self.next) {
            (Some(fin), _) => behind(fin),
            (None, Some(next)) if ended => behind(next),
            (None, Some(next)) => distance(next, seq) >= -WINDOW,
            (None, None) => !ended,
        }
    }
}
