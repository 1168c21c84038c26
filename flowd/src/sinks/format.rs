//! How records become bytes.

use std::io;

use crate::record::Record;

/// Renders records, in the thread of its sink. A batch is what the transport takes at once: lines, a datagram.
pub trait Format: Send {
    /// Appends a record to a batch that should not grow beyond `limit` bytes. A batch that is empty is a new one.
    ///
    /// # Errors
    /// The record cannot be written in this format; the batch may hold a part of it, which the caller takes back.
    fn append(&mut self, record: &Record, batch: &mut Vec<u8>, limit: usize) -> io::Result<Appended>;

    /// Completes a batch, before it is sent for the first time.
    fn finish(&mut self, _batch: &mut Vec<u8>) {}

    /// What a new connection begins with, as a batch of its own; nothing where that is empty.
    fn greet(&mut self, _batch: &mut Vec<u8>) {}
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    Taken,
    /// The batch is to be sent first. It is as it was.
    Full,
}
