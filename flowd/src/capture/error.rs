//! What can be wrong with a capture file.

use std::io;

/// Why a capture cannot be read (on). Offsets are in bytes from the start of the source.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The source itself failed.
    #[error("{file}: byte {offset}: cannot read: {source}")]
    Read {
        /// The name given to `Capture::open`.
        file: String,
        /// How far the source was read.
        offset: u64,
        /// What the operating system says.
        source: io::Error,
    },
    /// The first bytes are of no known capture format.
    #[error("{file}: byte 0: neither pcap nor pcapng, it starts with {seen}: {hint}")]
    NotACapture {
        /// The name given to `Capture::open`.
        file: String,
        /// The first four bytes in hexadecimal.
        seen: String,
        /// What it may be instead, and what to do.
        hint: String,
    },
    /// The source ends inside a record; all before it has been returned.
    #[error("{file}: byte {offset}: the file ends inside {what}: {present} of {wanted} bytes are there")]
    Truncated {
        /// The name given to `Capture::open`.
        file: String,
        /// Where the record starts.
        offset: u64,
        /// The kind of record.
        what: &'static str,
        /// Bytes that the record has from `offset` on, as far as known.
        wanted: u64,
        /// Bytes that there are from `offset` on.
        present: u64,
    },
    /// The file contradicts its format; all before it has been returned.
    #[error("{file}: byte {offset}: {problem}")]
    Corrupt {
        /// The name given to `Capture::open`.
        file: String,
        /// Where the record starts.
        offset: u64,
        /// What is wrong with it.
        problem: String,
    },
}
