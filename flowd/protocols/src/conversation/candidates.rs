//! Those who may recognise a conversation, and which of them are still to be asked.

use super::dialect::{Candidate, Recognition};

/// Bits of numbers of candidates.
type Numbers = u32;

/// Candidates in the order in which they are asked.
#[derive(Debug)]
pub(super) struct Candidates {
    list: Vec<Candidate>,
    /// By what a client begins with: those that do not refuse its first byte.
    clients: Box<[Numbers; 256]>,
    /// The same of a server.
    servers: Box<[Numbers; 256]>,
}

/// Who has not refused what two sides said, if one of them is the client, and if the other one is. Who has refused once
/// refuses all that follows ([`Recognition::No`]), and so is not asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left([Numbers; 2]);

impl Left {
    /// Nobody was asked yet.
    pub(super) const ALL: Self = Self([Numbers::MAX; 2]);

    /// Whether all have refused.
    pub(super) const fn is_none(self) -> bool {
        let Self([one, other]) = self;
        one | other == 0
    }
}

impl Candidates {
    pub(super) fn new(mut list: Vec<Candidate>) -> Self {
        list.truncate(Numbers::BITS as usize);
        let table = |says: &dyn Fn(&Candidate, &[u8]) -> Recognition| {
            let mut table = Box::new([0; 256]);
            for (some, byte) in table.iter_mut().zip(0..=u8::MAX) {
                for (at, candidate) in list.iter().enumerate() {
                    *some |= Numbers::from(says(candidate, &[byte]) != Recognition::No) << at;
                }
            }
            table
        };
        let clients = table(&|candidate, bytes| (candidate.recognise)(bytes, &[]));
        let servers = table(&|candidate, bytes| (candidate.recognise)(&[], bytes));
        Self { list, clients, servers }
    }

    pub(super) fn get(&self, at: usize) -> Option<&Candidate> {
        self.list.get(at)
    }

    /// Asks those that are left about what two sides said from one moment on. The number of the first one that recognises
    /// it, and whether `one` is the client.
    pub(super) fn ask(&self, left: &mut Left, one: &[u8], other: &[u8]) -> Option<(usize, bool)> {
        let Left([first, second]) = left;
        *first &= self.begun(one, other);
        *second &= self.begun(other, one);
        let mut asked = *first | *second;
        while asked != 0 {
            let at = asked.trailing_zeros();
            asked &= asked - 1;
            let candidate = self.list.get(at as usize)?;
            for (some, one_asks) in [(&mut *first, true), (&mut *second, false)] {
                if *some >> at & 1 == 0 {
                    continue;
                }
                let (client, server) = if one_asks { (one, other) } else { (other, one) };
                match (candidate.recognise)(client, server) {
                    Recognition::Yes => return Some((at as usize, one_asks)),
                    Recognition::No => *some &= !(1 << at),
                    Recognition::Maybe => {}
                }
            }
        }
        None
    }

    /// Those that refuse the first byte of neither side.
    fn begun(&self, client: &[u8], server: &[u8]) -> Numbers {
        let of = |table: &[Numbers; 256], bytes: &[u8]| {
            let first = bytes.first().and_then(|first| table.get(usize::from(*first)));
            first.copied().unwrap_or(Numbers::MAX)
        };
        let all = 1_u64.wrapping_shl(self.list.len() as u32) - 1;
        of(&self.clients, client) & of(&self.servers, server) & all as Numbers
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static ASKED: Cell<usize> = const { Cell::new(0) };
    }

    /// Clients that begin with `q`, as far as `qq` is needed to be sure, and servers that begin with `a`.
    fn recognise(client: &[u8], server: &[u8]) -> Recognition {
        ASKED.set(ASKED.get() + 1);
        match (client, server) {
            (_, [first, ..]) if *first != b'a' => Recognition::No,
            ([b'q', b'q', ..], _) => Recognition::Yes,
            ([b'q'] | [], _) => Recognition::Maybe,
            _ => Recognition::No,
        }
    }

    fn candidates() -> Candidates {
        let never = Candidate { recognise: |_, _| Recognition::No, start: |_| unreachable!() };
        Candidates::new(vec![never, Candidate { recognise, start: |_| unreachable!() }])
    }

    #[test]
    fn who_has_refused_is_not_asked_again() {
        let (candidates, mut left) = (candidates(), Left::ALL);
        assert_eq!(ASKED.take(), 512, "for the tables");
        assert_eq!(candidates.ask(&mut left, b"q", b""), None);
        assert_eq!((left, ASKED.take()), (Left([0b10, 0]), 1), "no server begins with q");
        assert_eq!(candidates.ask(&mut left, b"qx", b""), None);
        assert_eq!((left.is_none(), ASKED.take()), (true, 1));
        assert_eq!(candidates.ask(&mut left, b"qq", b""), None);
        assert_eq!(ASKED.take(), 0);
    }

    #[test]
    fn either_side_may_be_the_client() {
        let candidates = candidates();
        assert_eq!(candidates.ask(&mut Left::ALL.clone(), b"qq", b"a"), Some((1, true)));
        assert_eq!(candidates.ask(&mut Left::ALL.clone(), b"a", b"qq"), Some((1, false)));
        assert_eq!(candidates.ask(&mut Left::ALL.clone(), b"b", b"qq"), None);
        assert_eq!(Candidates::new(Vec::new()).ask(&mut Left::ALL.clone(), b"q", b""), None);
    }
}
