//! Stretches of a byte stream, put together from copies of segments that come in any order and overlap.

/// Copies that an assembly holds back.
const MAX_HELD: usize = 4;

/// How far `to` is ahead of `from` in sequence space (RFC 9293 section 3.4); negative: behind.
pub(crate) const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

/// A copy that is held back, and what else its protocol must know of the segment.
#[derive(Debug)]
pub(crate) struct Held<T> {
    pub(crate) seq: u32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) segment: T,
}

/// Copies that came before their predecessors, at most `COPIES`.
#[derive(Debug)]
pub(crate) struct OutOfOrder<T, const COPIES: usize>(Vec<Held<T>>);

impl<T, const COPIES: usize> Default for OutOfOrder<T, COPIES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const COPIES: usize> OutOfOrder<T, COPIES> {
    /// Nothing is held back.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Bytes that are held.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|held| held.bytes.len()).sum()
    }

    /// Bytes beside its own place.
    pub(crate) fn weight(&self) -> usize {
        let bytes: usize = self.0.iter().map(|held| held.bytes.capacity()).sum();
        self.0.capacity() * size_of::<Held<T>>() + bytes
    }

    /// Holds a copy back; false where that would be too many, or more than `most` bytes in all.
    pub(crate) fn hold(&mut self, seq: u32, bytes: &[u8], segment: T, most: usize) -> bool {
        let room = self.0.len() < COPIES && self.len() + bytes.len() <= most;
        if room {
            self.0.push(Held { seq, bytes: bytes.to_vec(), segment });
        }
        room
    }

    /// Takes a copy that begins at `next` or before.
    pub(crate) fn take(&mut self, next: u32) -> Option<Held<T>> {
        let at = self.0.iter().position(|held| distance(next, held.seq) <= 0)?;
        Some(self.0.swap_remove(at))
    }

    /// Where the first copy behind `next` begins.
    pub(crate) fn first(&self, next: u32) -> Option<u32> {
        self.0.iter().map(|held| held.seq).min_by_key(|seq| distance(next, *seq))
    }

    /// All that is held.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Held<T>> {
        self.0.iter()
    }

    /// Takes all that is held.
    pub(crate) fn take_all(&mut self) -> Vec<Held<T>> {
        std::mem::take(&mut self.0)
    }

    /// Forgets what begins before `start`.
    fn forget_before(&mut self, start: u32) {
        self.0.retain(|held| distance(start, held.seq) >= 0);
    }
}

/// The bytes from one sequence number on, up to a limit.
#[derive(Debug)]
pub(crate) struct Assembly {
    start: u32,
    limit: usize,
    bytes: Vec<u8>,
    out_of_order: OutOfOrder<(), MAX_HELD>,
}

impl Assembly {
    /// Nothing yet of the `limit` bytes from `start` on.
    pub(crate) const fn new(start: u32, limit: usize) -> Self {
        Self { start, limit, bytes: Vec::new(), out_of_order: OutOfOrder::new() }
    }

    /// Sequence number of the first byte.
    pub(crate) const fn start(&self) -> u32 {
        self.start
    }

    /// What is there without a gap.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes beside its own place.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.capacity() + self.out_of_order.weight()
    }

    /// Takes a copy that begins at `seq`; false where it lies outside of the stretch, or too much is held already.
    pub(crate) fn place(&mut self, seq: u32, copy: &[u8]) -> bool {
        // What begins before the stretch reaches into it, or not.
        let before = usize::try_from(distance(seq, self.start)).unwrap_or_default();
        let Some(copy) = copy.get(before..).filter(|copy| before == 0 || !copy.is_empty()) else {
            return false;
        };
        let seq = if before > 0 { self.start } else { seq };
        let offset = self.offset(seq);
        if offset >= self.limit {
            return false;
        }
        let copy = copy.get(..self.limit - offset).unwrap_or(copy);
        if offset > self.bytes.len() {
            return self.out_of_order.hold(seq, copy, (), self.limit.saturating_mul(MAX_HELD));
        }
        self.append(offset, copy);
        // Each pass uses up one of a few copies.
        while let Some(held) = self.out_of_order.take(self.start.wrapping_add(self.bytes.len() as u32)) {
            self.append(self.offset(held.seq), &held.bytes);
        }
        true
    }

    /// Goes on to what begins `len` bytes later.
    pub(crate) fn advance(&mut self, len: usize) {
        self.start = self.start.wrapping_add(len as u32);
        self.bytes.drain(..len.min(self.bytes.len()));
        self.out_of_order.forget_before(self.start);
    }

    /// Takes what lies behind the known bytes; the first copy of a byte counts.
    fn append(&mut self, offset: usize, copy: &[u8]) {
        let known = self.bytes.len().saturating_sub(offset);
        self.bytes.extend_from_slice(copy.get(known..).unwrap_or_default());
    }

    /// Where the byte at `seq`, which is not before the stretch, lies in it.
    fn offset(&self, seq: u32) -> usize {
        usize::try_from(seq.wrapping_sub(self.start)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_gives_the_same_bytes() {
        let stream: Vec<u8> = (0..100).collect();
        let start = u32::MAX - 20;
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            let mut assembly = Assembly::new(start, 90);
            for part in order {
                // Each overlaps its successor by five bytes.
                let from = part * 25;
                let copy = &stream[from..(from + 30).min(100)];
                assert!(assembly.place(start.wrapping_add(from as u32), copy));
            }
            assert_eq!(assembly.bytes(), &stream[..90], "{order:?}");
        }
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let mut assembly = Assembly::new(1_000, 10);
        assert!(!assembly.place(1_010, b"x") && !assembly.place(990, b"0123456789"));
        assert!(assembly.place(995, b"01234abc"));
        assert_eq!(assembly.bytes(), b"abc");
        assembly.advance(2);
        assert_eq!((assembly.start(), assembly.bytes()), (1_002, &b"c"[..]));
        assembly.advance(5);
        assert!(assembly.place(1_007, b"next"));
        assert_eq!(assembly.bytes(), b"next");
    }
}
