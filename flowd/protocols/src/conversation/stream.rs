//! What one side sent, in order, with what is missing named.

use std::collections::VecDeque;

use super::dialect::{Input, Step};
use crate::assembly::{OutOfOrder, distance};

/// Segments that came before their predecessors: bytes of them, and how many.
const MOST_HELD: usize = 64 << 10;
const HELD: usize = 64;

/// A segment as it was copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) seq: u32,
    pub(super) bytes: &'a [u8],
    /// Bytes on the wire, copied or not.
    pub(super) len: u32,
    /// Nanoseconds of the packet clock.
    pub(super) time: u64,
}

/// Who understands a stream.
pub(super) trait Listener {
    /// Reads what begins at `time`.
    fn read(&mut self, input: Input<'_>, time: u64) -> Step;
    /// Bytes are missing.
    fn gap(&mut self);
    /// Whether a message begins with these.
    fn resume(&mut self, bytes: &[u8]) -> bool;
}

/// Whether anything is still to be told of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    GoesOn,
    /// It speaks something else now.
    Left,
}

/// One direction of a conversation.
#[derive(Debug)]
pub(super) struct Stream {
    /// Sequence number behind `bytes` and what is skipped.
    next: u32,
    /// What is not understood yet, without a gap.
    bytes: Vec<u8>,
    /// Bytes behind `next` that are of no interest.
    skip: u32,
    /// Fewer bytes tell nothing.
    need: usize,
    /// Nobody knows where a message begins.
    lost: bool,
    /// For the segments that `bytes` came in: how many bytes lie before each, since the stream began, and its time.
    marks: VecDeque<(u64, u64)>,
    /// Bytes before the first of `bytes`, since the stream began.
    taken: u64,
    held: OutOfOrder<(u32, u64), HELD>,
    /// Times that the listener did not understand what it read.
    pub(super) malformed: u64,
}

impl Stream {
    /// A stream whose first byte has this number.
    pub(super) const fn new(seq: u32) -> Self {
        Self {
            next: seq,
            bytes: Vec::new(),
            skip: 0,
            need: 0,
            lost: false,
            marks: VecDeque::new(),
            taken: 0,
            held: OutOfOrder::new(),
            malformed: 0,
        }
    }

    /// The same, begun in the middle: nobody knows where a message begins.
    pub(super) const fn begun_before(seq: u32) -> Self {
        let mut stream = Self::new(seq);
        stream.lost = true;
        stream
    }

    /// Whether there were bytes before `end` that nobody showed, beside those of no interest, and nobody any behind them. A
    /// FIN takes a number, too (RFC 9293 section 3.4).
    pub(super) fn lacks(&self, end: u32) -> bool {
        let in_order = self.next.wrapping_add(self.skip);
        let ends = self.held.iter().map(|held| held.seq.wrapping_add(held.segment.0));
        let shown = ends.map(|end| distance(in_order, end)).max().unwrap_or_default().max(0);
        distance(in_order, end) - shown > 1
    }

    /// Whether all that came in order was understood.
    pub(super) const fn is_read(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.bytes.capacity() + self.marks.capacity() * size_of::<(u64, u64)>() + self.held.weight()
    }

    /// Takes a segment; has `listener` read what is in order.
    pub(super) fn take(&mut self, segment: Segment<'_>, listener: &mut dyn Listener) -> Told {
        let wanted = self.next.wrapping_add(self.skip);
        if distance(wanted, segment.seq) > 0 {
            if !self.held.hold(segment.seq, segment.bytes, (segment.len, segment.time), MOST_HELD) {
                // What is missing has been missing for long.
                if self.leap(listener) == Told::Left {
                    return Told::Left;
                }
                return self.take(segment, listener);
            }
            return Told::GoesOn;
        }
        if self.append(segment, listener) == Told::Left {
            return Told::Left;
        }
        self.take_held(listener)
    }

    /// The other side has acknowledged what lies before `ack`: what is missing there will not come any more.
    pub(super) fn acknowledged(&mut self, ack: u32, listener: &mut dyn Listener) -> Told {
        while distance(self.next.wrapping_add(self.skip), ack) > 0 && self.held.first(self.next).is_some() {
            if self.leap(listener) == Told::Left {
                return Told::Left;
            }
        }
        Told::GoesOn
    }

    /// No more will come.
    pub(super) fn end(&mut self, listener: &mut dyn Listener) -> Told {
        while self.held.first(self.next).is_some() {
            if self.leap(listener) == Told::Left {
                return Told::Left;
            }
        }
        self.understand(true, listener)
    }

    fn take_held(&mut self, listener: &mut dyn Listener) -> Told {
        while let Some(held) = self.held.take(self.next.wrapping_add(self.skip)) {
            let (len, time) = held.segment;
            let segment = Segment { seq: held.seq, bytes: &held.bytes, len, time };
            if self.append(segment, listener) == Told::Left {
                return Told::Left;
            }
        }
        Told::GoesOn
    }

    /// Goes on with the first segment behind what is missing.
    fn leap(&mut self, listener: &mut dyn Listener) -> Told {
        let Some(seq) = self.held.first(self.next) else { return Told::GoesOn };
        let lost = self.lost;
        if self.understand(true, listener) == Told::Left {
            return Told::Left;
        }
        // What was understood may say that the missing bytes are of no interest.
        if distance(self.next.wrapping_add(self.skip), seq) > 0 {
            self.lose(seq, self.lost && !lost, listener);
        }
        self.take_held(listener)
    }

    /// Takes a segment that begins at `next`, before it, or among what is skipped.
    fn append(&mut self, segment: Segment<'_>, listener: &mut dyn Listener) -> Told {
        let end = segment.seq.wrapping_add(segment.len);
        if distance(self.next, end) <= 0 {
            return Told::GoesOn;
        }
        // Known already, or skipped.
        let ahead = distance(self.next, segment.seq);
        let (known, between) = if ahead < 0 { (ahead.unsigned_abs(), 0) } else { (0, ahead.unsigned_abs()) };
        self.pass(between);
        let whole = segment.bytes.len() as u32 >= segment.len;
        let bytes = segment.bytes.get(known as usize..).unwrap_or_default();
        let skipped = self.skip.min(bytes.len() as u32);
        self.pass(skipped);
        let bytes = bytes.get(skipped as usize..).unwrap_or_default();
        if self.lost && !bytes.is_empty() && known == 0 {
            self.lost = !listener.resume(bytes);
        }
        if self.lost {
            self.pass(distance(self.next, end).unsigned_abs());
            return Told::GoesOn;
        }
        if !bytes.is_empty() {
            self.marks.push_back((self.taken + self.bytes.len() as u64, segment.time));
            self.bytes.extend_from_slice(bytes);
            self.next = self.next.wrapping_add(bytes.len() as u32);
            if self.understand(!whole, listener) == Told::Left {
                return Told::Left;
            }
        }
        // What the copy lacks.
        let lacking = distance(self.next, end);
        if lacking > 0 {
            let lacking = lacking.unsigned_abs();
            if self.skip >= lacking {
                self.pass(lacking);
            } else {
                self.lose(end, self.lost, listener);
            }
        }
        Told::GoesOn
    }

    /// Goes `count` bytes on, which nobody reads.
    fn pass(&mut self, count: u32) {
        self.next = self.next.wrapping_add(count);
        self.skip = self.skip.saturating_sub(count);
        self.taken += u64::from(count);
    }

    /// Nothing more is known up to `seq`; `told`: the listener knows. It is told of each gap, as one that is lost may have
    /// been asked something since the last one.
    fn lose(&mut self, seq: u32, told: bool, listener: &mut dyn Listener) {
        self.taken += self.bytes.len() as u64;
        self.bytes.clear();
        self.marks.clear();
        self.pass(distance(self.next, seq).max(0).unsigned_abs());
        (self.skip, self.need) = (0, 0);
        self.lost = true;
        if !told {
            listener.gap();
        }
    }

    /// Has the listener read as far as it can; `cut`: nothing follows without a gap.
    fn understand(&mut self, cut: bool, listener: &mut dyn Listener) -> Told {
        let mut read = 0;
        while read < self.bytes.len() {
            let time = self.time_at(read);
            let rest = self.bytes.get(read..).unwrap_or_default();
            if rest.len() < self.need && !cut {
                break;
            }
            let step = listener.read(Input { bytes: rest, cut }, time);
            let len = rest.len();
            self.need = 0;
            match step {
                Step::Take(count) if count <= len => read += count.max(1),
                Step::Take(count) => {
                    read += len;
                    self.skip = u32::try_from(count - len).unwrap_or(u32::MAX >> 2).min(u32::MAX >> 2);
                }
                Step::Need(count) if !cut && count > len && count <= Step::MOST => {
                    self.need = count;
                    break;
                }
                Step::Need(_) | Step::Lost => {
                    // What is cut may be sound.
                    self.malformed += u64::from(!cut);
                    self.forget(self.bytes.len());
                    self.lost = true;
                    listener.gap();
                    return Told::GoesOn;
                }
                Step::Leave => return Told::Left,
            }
        }
        self.forget(read);
        Told::GoesOn
    }

    /// When the byte `read` bytes behind the front passed.
    fn time_at(&mut self, read: usize) -> u64 {
        let at = self.taken + read as u64;
        while self.marks.get(1).is_some_and(|(place, _)| *place <= at) {
            self.marks.pop_front();
        }
        self.marks.front().map_or(0, |(_, time)| *time)
    }

    fn forget(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
        self.taken += count as u64;
        if self.bytes.is_empty() {
            self.marks.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of one letter and that many bytes: `3ab` is one.
    #[derive(Default)]
    struct Words {
        words: Vec<(String, u64)>,
        gaps: usize,
    }

    impl Listener for Words {
        fn read(&mut self, input: Input<'_>, time: u64) -> Step {
            let len = usize::from(input.bytes[0] - b'0');
            if input.bytes.len() < len && len < 9 {
                return Step::Need(len);
            }
            let word = &input.bytes[..len.min(input.bytes.len())];
            self.words.push((String::from_utf8_lossy(word).into_owned(), time));
            Step::Take(len)
        }

        fn gap(&mut self) {
            self.gaps += 1;
        }

        fn resume(&mut self, bytes: &[u8]) -> bool {
            bytes[0].is_ascii_digit()
        }
    }

    fn run(segments: &[(u32, &str, u32)]) -> (Vec<(String, u64)>, usize) {
        let (mut stream, mut words) = (Stream::new(1000), Words::default());
        for (time, (seq, text, len)) in segments.iter().enumerate() {
            let bytes = text.as_bytes();
            stream.take(Segment { seq: *seq, bytes, len: *len, time: time as u64 }, &mut words);
        }
        stream.end(&mut words);
        (words.words, words.gaps)
    }

    fn texts(words: &[(String, u64)]) -> Vec<(&str, u64)> {
        words.iter().map(|(word, time)| (&**word, *time)).collect()
    }

    #[test]
    fn words_come_whole_with_the_time_of_their_first_byte() {
        let (words, gaps) = run(&[(1000, "2a3", 3), (1003, "b", 1), (1004, "c1", 2)]);
        assert_eq!((texts(&words), gaps), (vec![("2a", 0), ("3bc", 0), ("1", 2)], 0));
        let (words, gaps) = run(&[(1003, "bc1", 3), (1000, "2a3", 3), (1000, "2a3", 3)]);
        assert_eq!((texts(&words), gaps), (vec![("2a", 1), ("3bc", 1), ("1", 0)], 0));
    }

    #[test]
    fn what_is_of_no_interest_may_be_missing() {
        let (words, gaps) = run(&[(1000, "9ab", 9), (1009, "2x", 2)]);
        assert_eq!((texts(&words), gaps), (vec![("9ab", 0), ("2x", 1)], 0));
        let (words, gaps) = run(&[(1000, "9ab", 3), (1007, "yz2x", 4)]);
        assert_eq!((texts(&words), gaps), (vec![("9ab", 0), ("2x", 1)], 0));
    }

    #[test]
    fn a_gap_is_told_and_a_segment_that_begins_well_ends_it() {
        let (words, gaps) = run(&[(1000, "2a", 2), (1005, "xx", 2), (1007, "2b", 2)]);
        assert_eq!((texts(&words), gaps), (vec![("2a", 0), ("2b", 2)], 1));
        // A copy that was cut.
        let (words, gaps) = run(&[(1000, "2a3", 6), (1006, "2b", 2)]);
        assert_eq!((texts(&words), gaps), (vec![("2a", 0), ("2b", 1)], 1));
    }

    #[test]
    fn each_gap_is_told_though_nothing_was_understood_between() {
        let (words, gaps) = run(&[(1000, "2a", 2), (1005, "xx", 2), (1009, "xx", 2), (1011, "2b", 2)]);
        assert_eq!((texts(&words), gaps), (vec![("2a", 0), ("2b", 3)], 2));
    }

    #[test]
    fn what_lacks_is_behind_all_that_was_seen() {
        let (mut stream, mut words) = (Stream::new(1000), Words::default());
        let segment = |seq, bytes| Segment { seq, bytes, len: 2, time: 7 };
        stream.take(segment(1000, b"2a"), &mut words);
        // With the FIN's own number, and without.
        assert_eq!([1002, 1003, 1004].map(|end| stream.lacks(end)), [false, false, true]);
        stream.take(segment(1006, b"2b"), &mut words);
        assert_eq!([1004, 1009, 1010].map(|end| stream.lacks(end)), [false, false, true]);
    }

    #[test]
    fn an_acknowledgement_says_that_nothing_more_comes() {
        let (mut stream, mut words) = (Stream::new(1000), Words::default());
        let segment = |seq, bytes| Segment { seq, bytes, len: 2, time: 7 };
        stream.take(segment(1002, b"2b"), &mut words);
        stream.acknowledged(1000, &mut words);
        assert!(words.words.is_empty());
        stream.acknowledged(1004, &mut words);
        assert_eq!((texts(&words.words), words.gaps), (vec![("2b", 7)], 1));
    }
}
