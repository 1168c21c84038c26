//! A conversation that nobody has recognised yet.

use std::borrow::Cow;

use flow_common::key::Sender;

use super::candidates::{Candidates, Left};
use crate::assembly::distance;

/// Bytes of both sides that are kept, and segments.
const MOST_BYTES: usize = 16 << 10;
const MOST_SEGMENTS: usize = 48;
/// Turns after which nobody who says that it is not theirs is asked again.
const TURNS: usize = 4;
/// Turns after which it is nobody's where its beginning is: a segment alone may be of many protocols, and who knows none
/// of so many requests and responses will know none of those that follow.
const MOST_TURNS: usize = 12;
/// Bytes of one side that candidates see.
const SHOWN: usize = 4 << 10;

/// A segment that is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) sender: Sender,
    pub(super) seq: u32,
    pub(super) ack: Option<u32>,
    pub(super) bytes: Vec<u8>,
    /// Bytes on the wire, copied or not.
    pub(super) len: u32,
    /// Nanoseconds of the packet clock.
    pub(super) time: u64,
    /// Of the connection so far, both sides, modulo 65,536.
    pub(super) retransmits: u16,
}

/// What became of an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// More may tell.
    Open,
    /// It is this candidate's; `client` opened it, and it begins with the segment of this number.
    Known { candidate: usize, client: Sender, from: usize },
    /// It is nobody's.
    Nobodys,
}

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Opening {
    pub(super) kept: Vec<Kept>,
    bytes: usize,
    /// Where in `kept` each turn begins.
    turns: Vec<usize>,
    /// Of all that was said.
    whole: Beginning,
    /// Of what was said since each side's latest turn.
    turn: Beginning,
}

/// A segment that a conversation may begin with.
#[derive(Debug)]
struct Beginning {
    from: usize,
    /// Segments that were looked at.
    seen: usize,
    /// The first byte's number of A and of B.
    first: [Option<u32>; 2],
    /// How much of A and of B was shown.
    shown: [usize; 2],
    /// Who may take it for the beginning.
    left: Left,
}

impl Default for Beginning {
    fn default() -> Self {
        Self::at(0)
    }
}

impl Opening {
    /// Takes a segment, and asks the candidates. Where what was said has no direction of its own, `likely` is the client.
    pub(super) fn take(&mut self, kept: Kept, likely: Sender, candidates: &Candidates) -> Verdict {
        if self.kept.last().is_none_or(|last| last.sender != kept.sender) {
            self.turns.push(self.kept.len());
        }
        self.bytes += kept.bytes.len();
        self.kept.push(kept);
        // From the beginning, and, as the connection may have begun before, from each side's latest turn, and from this
        // segment: who sends without being answered has no turns.
        let turn = self.turns.len().checked_sub(2).and_then(|at| self.turns.get(at)).copied().unwrap_or(0);
        let segment = self.kept.len() - 1;
        if self.turn.from != turn {
            self.turn = Beginning::at(turn);
        }
        let mut last = Beginning::at(segment);
        let mut begins = [Some(&mut self.whole), None, None];
        if turn > 0 {
            begins[1] = Some(&mut self.turn);
        }
        if segment > turn {
            begins[2] = Some(&mut last);
        }
        let mut maybe = false;
        for beginning in begins.into_iter().flatten() {
            if let Some((candidate, client)) = beginning.ask(&self.kept, likely, candidates) {
                return Verdict::Known { candidate, client, from: beginning.from };
            }
            maybe |= !beginning.left.is_none();
        }
        let full = self.kept.len() >= MOST_SEGMENTS || self.bytes >= MOST_BYTES;
        let turns = if self.whole.left.is_none() { MOST_TURNS } else { usize::MAX };
        let turns = if maybe { turns } else { TURNS };
        if full || self.turns.len() >= turns { Verdict::Nobodys } else { Verdict::Open }
    }

    /// The number of the first byte that `sender` says from a segment on. That is what the other side waited for when it
    /// first spoke, where it lies before all that was seen: the beginning is missing then, or still to come.
    pub(super) fn begins(&self, sender: Sender, from: usize) -> Option<u32> {
        let kept = self.kept.get(from..).unwrap_or_default();
        let numbers = kept.iter().filter(|kept| kept.sender == sender).map(|kept| kept.seq);
        let first = numbers.reduce(|first, seq| if distance(first, seq) < 0 { seq } else { first });
        let waited = kept.iter().find(|kept| kept.sender != sender).and_then(|kept| kept.ack);
        match (first, waited) {
            (Some(first), Some(waited)) if distance(waited, first) < 0 => Some(first),
            _ => waited.or(first),
        }
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        let bytes = self.kept.iter().map(|kept| kept.bytes.capacity()).sum::<usize>();
        bytes + self.kept.capacity() * size_of::<Kept>() + self.turns.capacity() * size_of::<usize>()
    }
}

impl Beginning {
    const fn at(from: usize) -> Self {
        Self { from, seen: from, first: [None; 2], shown: [usize::MAX; 2], left: Left::ALL }
    }

    /// Asks who is left about what was said from here on: who knows it, and who the client is.
    fn ask(&mut self, kept: &[Kept], likely: Sender, candidates: &Candidates) -> Option<(usize, Sender)> {
        for segment in kept.get(self.seen..).unwrap_or_default() {
            let [a, b] = &mut self.first;
            let first = if segment.sender == Sender::A { a } else { b };
            if first.is_some_and(|first| distance(first, segment.seq) < 0) {
                // It begins with other bytes than was thought.
                self.left = Left::ALL;
            }
            *first = Some(first.filter(|first| distance(*first, segment.seq) >= 0).unwrap_or(segment.seq));
        }
        self.seen = kept.len();
        if self.left.is_none() {
            return None;
        }
        let kept = kept.get(self.from..).unwrap_or_default();
        let [a, b] = self.first;
        let (one, other) = match likely {
            Sender::A => (said(kept, likely, a), said(kept, likely.other(), b)),
            Sender::B => (said(kept, likely, b), said(kept, likely.other(), a)),
        };
        let shown = [one.len(), other.len()];
        if std::mem::replace(&mut self.shown, shown) == shown {
            return None;
        }
        let (candidate, likely_asks) = candidates.ask(&mut self.left, &one, &other)?;
        Some((candidate, if likely_asks { likely } else { likely.other() }))
    }
}

/// What `sender` said without a gap from the byte `first` on.
fn said(kept: &[Kept], sender: Sender, first: Option<u32>) -> Cow<'_, [u8]> {
    let Some(first) = first else { return Cow::Borrowed(&[]) };
    let own = || kept.iter().filter(|kept| kept.sender == sender);
    let mut segments = own();
    if let (Some(only), None) = (segments.next(), segments.next()) {
        return Cow::Borrowed(only.bytes.get(..SHOWN).unwrap_or(&only.bytes));
    }
    let mut segments: Vec<&Kept> = own().collect();
    segments.sort_by_key(|kept| distance(first, kept.seq));
    let mut said = Vec::new();
    for kept in segments {
        let offset = usize::try_from(distance(first, kept.seq)).unwrap_or_default();
        if offset > said.len() || said.len() >= SHOWN {
            break;
        }
        let known = said.len() - offset;
        said.extend_from_slice(kept.bytes.get(known..).unwrap_or_default());
    }
    said.truncate(SHOWN);
    Cow::Owned(said)
}

#[cfg(test)]
mod tests {
    use super::{
        super::dialect::{Candidate, Recognition},
        *,
    };

    #[test]
    fn a_side_begins_with_what_the_other_one_waits_for() {
        let kept = |sender, seq, ack| {
            let bytes = b"four".to_vec();
            Kept { sender, seq, ack: Some(ack), bytes, len: 4, time: 0, retransmits: 0 }
        };
        let opening = |kept| Opening { kept, ..Opening::default() };
        let whole =
            opening(vec![kept(Sender::A, 100, 500), kept(Sender::B, 504, 104), kept(Sender::B, 500, 104)]);
        assert_eq!((whole.begins(Sender::A, 0), whole.begins(Sender::B, 0)), (Some(100), Some(500)));
        let lacking =
            opening(vec![kept(Sender::A, 100, 500), kept(Sender::A, 104, 504), kept(Sender::B, 504, 108)]);
        assert_eq!((lacking.begins(Sender::B, 0), lacking.begins(Sender::B, 1)), (Some(500), Some(504)));
        assert_eq!((lacking.begins(Sender::A, 0), lacking.begins(Sender::A, 2)), (Some(100), Some(108)));
        assert_eq!(opening(vec![kept(Sender::A, 100, 500)]).begins(Sender::B, 0), Some(500));
    }

    /// Words `q` of clients and `a` of servers, and `m` of either.
    fn recognise(client: &[u8], server: &[u8]) -> Recognition {
        match (client.first(), server.first()) {
            (Some(b'q' | b'm'), None | Some(b'a' | b'm')) | (None, Some(b'a' | b'm')) => Recognition::Yes,
            _ => Recognition::No,
        }
    }

    const CANDIDATE: Candidate = Candidate { recognise, start: |_| unreachable!() };

    fn verdicts(likely: Sender, said: &[(Sender, &str)]) -> Vec<Verdict> {
        let (mut opening, candidates) = (Opening::default(), Candidates::new(vec![CANDIDATE]));
        let mut seq = 0;
        let mut verdict = |(sender, text): &(Sender, &str)| {
            let (bytes, len) = (text.as_bytes().to_vec(), text.len() as u32);
            let kept = Kept { sender: *sender, seq, ack: None, bytes, len, time: 0, retransmits: 0 };
            seq += len;
            opening.take(kept, likely, &candidates)
        };
        said.iter().map(&mut verdict).collect()
    }

    #[test]
    fn who_says_nothing_of_its_direction_is_the_likely_client() {
        let known = |client| vec![Verdict::Known { candidate: 0, client, from: 0 }];
        for likely in [Sender::A, Sender::B] {
            assert_eq!(verdicts(likely, &[(Sender::A, "m")]), known(likely));
            assert_eq!(verdicts(likely, &[(Sender::A, "q")]), known(Sender::A));
            assert_eq!(verdicts(likely, &[(Sender::A, "a")]), known(Sender::B));
        }
    }

    #[test]
    fn a_conversation_may_begin_at_each_segment() {
        let said = [(Sender::A, "xx"), (Sender::A, "xx"), (Sender::A, "q")];
        let known = Verdict::Known { candidate: 0, client: Sender::A, from: 2 };
        assert_eq!(verdicts(Sender::A, &said), [Verdict::Open, Verdict::Open, known]);
    }

    #[test]
    fn what_begins_as_nobodys_is_nobodys_in_the_end_though_each_segment_may_be_somebodys() {
        // Any number of `p` on both sides may be its own.
        let recognise =
            |client: &[u8], server: &[u8]| match client.iter().chain(server).all(|byte| *byte == b'p') {
                true => Recognition::Maybe,
                false => Recognition::No,
            };
        let candidates = Candidates::new(vec![Candidate { recognise, start: |_| unreachable!() }]);
        let open = |first: &str| {
            let (mut opening, mut segments, mut seq) = (Opening::default(), 0, 0);
            for (text, sender) in
                [first].into_iter().chain(["p"; 60]).zip([Sender::A, Sender::B].into_iter().cycle())
            {
                let (bytes, len) = (text.as_bytes().to_vec(), text.len() as u32);
                let kept = Kept { sender, seq, ack: None, bytes, len, time: 0, retransmits: 0 };
                seq += len;
                segments += 1;
                if opening.take(kept, Sender::A, &candidates) == Verdict::Nobodys {
                    break;
                }
            }
            segments
        };
        assert_eq!((open("p"), open("x")), (MOST_SEGMENTS, MOST_TURNS));
    }

    #[test]
    fn what_comes_late_and_belongs_in_front_is_looked_at_anew() {
        let candidates = Candidates::new(vec![CANDIDATE]);
        let mut opening = Opening::default();
        let mut say = |seq, text: &[u8]| {
            let (bytes, len) = (text.to_vec(), text.len() as u32);
            let kept = Kept { sender: Sender::A, seq, ack: None, bytes, len, time: 0, retransmits: 0 };
            opening.take(kept, Sender::A, &candidates)
        };
        assert_eq!(say(102, b"xx"), Verdict::Open);
        assert_eq!(say(100, b"qq"), Verdict::Known { candidate: 0, client: Sender::A, from: 0 });
    }
}
