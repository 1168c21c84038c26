//! TLS messages put together from CRYPTO frames, which come in any order and overlap (RFC 9000 section 19.6).

use std::ops::Range;

/// Bytes of one side that are kept, from the first on: no ClientHello is longer.
const MAX_BYTES: usize = 16 << 10;
/// Stretches that lie apart. Browsers cut their ClientHello into a few dozen, so that nobody relies on its shape.
const MAX_PARTS: usize = 128;

/// What one side has sent.
#[derive(Debug, Default)]
pub(in crate::quic) struct CryptoStream {
    /// Up to the last byte that is there; zeros in the gaps.
    bytes: Vec<u8>,
    /// What is there, in order, with gaps between.
    parts: Vec<Range<usize>>,
}

impl CryptoStream {
    /// Takes the bytes of a frame; of those that come twice, either.
    pub(in crate::quic) fn place(&mut self, offset: u64, bytes: &[u8]) {
        let Some(start) = usize::try_from(offset).ok().filter(|start| *start < MAX_BYTES) else { return };
        let bytes = bytes.get(..MAX_BYTES - start).unwrap_or(bytes);
        if bytes.is_empty() || self.parts.len() >= MAX_PARTS {
            return;
        }
        let mut part = start..start + bytes.len();
        if self.bytes.len() < part.end {
            self.bytes.resize(part.end, 0);
        }
        if let Some(place) = self.bytes.get_mut(part.clone()) {
            place.copy_from_slice(bytes);
        }
        // What it touches becomes one with it.
        self.parts.retain(|other| {
            let apart = other.end < part.start || part.end < other.start;
            if !apart {
                part = part.start.min(other.start)..part.end.max(other.end);
            }
            apart
        });
        let at = self.parts.partition_point(|other| other.start < part.start);
        self.parts.insert(at, part);
    }

    /// What is there without a gap.
    pub(in crate::quic) fn bytes(&self) -> &[u8] {
        let first = self.parts.first().filter(|part| part.start == 0);
        first.and_then(|part| self.bytes.get(part.clone())).unwrap_or_default()
    }

    /// Whether nothing came.
    pub(in crate::quic) const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Bytes beside its own place.
    pub(in crate::quic) fn weight(&self) -> usize {
        self.bytes.capacity() + self.parts.capacity() * size_of::<Range<usize>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_gives_the_same_bytes() {
        let message: Vec<u8> = (0..200).collect();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
            let mut stream = CryptoStream::default();
            for part in order {
                // Each overlaps its successor, and one comes twice.
                let from = part * 50;
                let bytes = &message[from..(from + 60).min(200)];
                stream.place(from as u64, bytes);
                stream.place(from as u64, bytes);
            }
            assert_eq!(stream.bytes(), message, "{order:?}");
        }
    }

    #[test]
    fn a_gap_hides_what_is_behind_it() {
        let mut stream = CryptoStream::default();
        stream.place(5, b"behind");
        assert_eq!(stream.bytes(), b"");
        stream.place(0, b"it");
        assert_eq!(stream.bytes(), b"it");
        stream.place(2, b"is ");
        assert_eq!(stream.bytes(), b"itis behind");
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let mut stream = CryptoStream::default();
        for at in 0..10_000 {
            stream.place(at * 3, b"a");
        }
        stream.place(MAX_BYTES as u64 - 1, b"ab");
        stream.place(u64::MAX, b"ab");
        assert!(stream.weight() < 2 * MAX_BYTES && stream.parts.len() <= MAX_PARTS);
        assert_eq!(stream.bytes(), b"a");
    }
}
