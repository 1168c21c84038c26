//! The one buffer: a window that slides over the source.

use std::{
    io::{ErrorKind, Read},
    ops::Range,
};

use super::CaptureError;

/// From 64 KiB to 1 MiB the size hardly shows in the time per packet, system calls included; this much leaves
/// the second-level cache to the caller's tables.
const FIRST_SIZE: usize = 256 << 10;

/// A source with the bytes that were read but not yet consumed.
pub(super) struct Window<R> {
    source: R,
    name: String,
    buffer: Vec<u8>,
    /// The bytes not yet consumed are `buffer[start..end]`.
    start: usize,
    end: usize,
    /// Bytes read from the source.
    read: u64,
}

impl<R: Read> Window<R> {
    pub(super) fn new(source: R, name: String) -> Self {
        Self { source, name, buffer: vec![0; FIRST_SIZE], start: 0, end: 0, read: 0 }
    }

    /// Offset in the source of the first byte not yet consumed.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        self.read - (self.end - self.start) as u64
    }

    /// Place in the buffer of the first byte not yet consumed; good until the next `fill`.
    #[inline]
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// The bytes not yet consumed, at least `wanted` of them unless the source ends before.
    #[inline]
    pub(super) fn fill(&mut self, wanted: usize) -> Result<&[u8], CaptureError> {
        if self.end - self.start < wanted {
            self.refill(wanted)?;
        }
        Ok(self.bytes(self.start..self.end))
    }

    /// Bytes by their place in the buffer.
    #[inline]
    pub(super) fn bytes(&self, place: Range<usize>) -> &[u8] {
        self.buffer.get(place).unwrap_or_default()
    }

    /// Moves on by `count` bytes, which must have been filled in.
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// Moves on by `count` bytes of any number without holding them. Returns how many there were.
    pub(super) fn skip(&mut self, count: u64) -> Result<u64, CaptureError> {
        let mut left = count;
        loop {
            let buffered = self.end - self.start;
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(buffered);
            self.consume(step);
            left -= step as u64;
            if left == 0 || self.fill(1)?.is_empty() {
                return Ok(count - left);
            }
        }
    }

    /// Reads until `wanted` bytes are there or the source ends.
    #[cold]
    #[inline(never)]
    fn refill(&mut self, wanted: usize) -> Result<(), CaptureError> {
        // What is left over is less than one record.
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < wanted {
            if self.end == self.buffer.len() {
                // By doubling, so that a wrong length takes no more memory than there is file.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            match self.source.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(count) => {
                    // A reader that claims more than it was given room for must not break the invariant.
                    let count = count.min(self.buffer.len() - self.end);
                    self.end += count;
                    self.read += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(CaptureError::Read { file: self.name.clone(), offset: self.read, source });
                }
            }
        }
        Ok(())
    }

    /// The source ends inside the record that starts at `offset`.
    #[cold]
    pub(super) fn truncated(&self, offset: u64, what: &'static str, wanted: u64) -> CaptureError {
        CaptureError::Truncated { file: self.name.clone(), offset, what, wanted, present: self.read - offset }
    }

    /// The record that starts at `offset` is wrong.
    #[cold]
    pub(super) fn corrupt(&self, offset: u64, problem: String) -> CaptureError {
        CaptureError::Corrupt { file: self.name.clone(), offset, problem }
    }

    /// The source is of another kind.
    #[cold]
    pub(super) fn not_a_capture(&self, seen: String, hint: String) -> CaptureError {
        CaptureError::NotACapture { file: self.name.clone(), seen, hint }
    }
}
