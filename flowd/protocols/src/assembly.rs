//! A stretch of a byte stream, put together from copies of segments that come in any order and overlap.

/// Copies that may wait for the bytes before them.
const MAX_WAITING: usize = 4;

/// The bytes from one sequence number on, up to a limit.
#[derive(Debug)]
pub(super) struct Assembly {
    start: u32,
    limit: usize,
    bytes: Vec<u8>,
    /// Offset and bytes of what came before its predecessors.
    waiting: Vec<(usize, Vec<u8>)>,
}

impl Assembly {
    /// Nothing yet of the `limit` bytes from `start` on.
    pub(super) const fn new(start: u32, limit: usize) -> Self {
        Self { start, limit, bytes: Vec::new(), waiting: Vec::new() }
    }

    /// Sequence number of the first byte.
    pub(super) const fn start(&self) -> u32 {
        self.start
    }

    /// What is there without a gap.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes a copy that begins at `seq`; false where it lies outside of the stretch, or too much waits already.
    pub(super) fn place(&mut self, seq: u32, copy: &[u8]) -> bool {
        let into = seq.wrapping_sub(self.start);
        // What begins before the stretch reaches into it, or not (serial number arithmetic, RFC 1982).
        let (offset, copy) = if (into as i32) < 0 {
            let before = usize::try_from(into.wrapping_neg()).unwrap_or(usize::MAX);
            let Some(rest) = copy.get(before..).filter(|rest| !rest.is_empty()) else { return false };
            (0, rest)
        } else {
            (usize::try_from(into).unwrap_or(usize::MAX), copy)
        };
        if offset >= self.limit {
            return false;
        }
        let copy = copy.get(..self.limit - offset).unwrap_or(copy);
        if offset > self.bytes.len() {
            let room = self.waiting.len() < MAX_WAITING;
            if room {
                self.waiting.push((offset, copy.to_vec()));
            }
            return room;
        }
        self.append(offset, copy);
        // Each pass uses up one of a few copies.
        while let Some(next) = self.waiting.iter().position(|(offset, _)| *offset <= self.bytes.len()) {
            let (offset, copy) = self.waiting.swap_remove(next);
            self.append(offset, &copy);
        }
        true
    }

    /// Takes what lies behind the known bytes; the first copy of a byte counts.
    fn append(&mut self, offset: usize, copy: &[u8]) {
        let known = self.bytes.len().saturating_sub(offset);
        self.bytes.extend_from_slice(copy.get(known..).unwrap_or_default());
    }

    /// Goes on to what begins `len` bytes later.
    pub(super) fn advance(&mut self, len: usize) {
        self.start = self.start.wrapping_add(len as u32);
        self.bytes.drain(..len.min(self.bytes.len()));
        self.waiting.retain_mut(|(offset, _)| {
            let keeps = *offset >= len;
            *offset = offset.saturating_sub(len);
            keeps
        });
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
