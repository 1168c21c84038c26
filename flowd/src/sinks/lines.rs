//! Records as lines of text.

pub(super) mod access;

use std::io;

use super::{
    format::{Appended, Format},
    scheme::FormatInfo,
};
use crate::record::Record;

/// Appends a record as a line, without its end.
type Line = fn(&Record, &mut Vec<u8>) -> io::Result<()>;

/// Every format of lines.
pub(super) const FORMATS: &[FormatInfo] = &[
    FormatInfo { name: "json", kinds: &[] },
    FormatInfo { name: "common", kinds: &["http"] },
    FormatInfo { name: "combined", kinds: &["http"] },
];

/// Lines of one format. The limit of a batch is exceeded by one line at most: a line is never cut.
pub(super) struct Lines(Line);

impl Lines {
    /// The format with this name of [`FORMATS`].
    pub(super) fn new(name: &str) -> Self {
        Self(match name {
            "common" => access::common,
            "combined" => access::combined,
            _ => json,
        })
    }
}

impl Format for Lines {
    fn append(&mut self, record: &Record, batch: &mut Vec<u8>, limit: usize) -> io::Result<Appended> {
        if batch.len() >= limit && !batch.is_empty() {
            return Ok(Appended::Full);
        }
        (self.0)(record, batch)?;
        batch.push(b'\n');
        Ok(Appended::Taken)
    }
}

fn json(record: &Record, batch: &mut Vec<u8>) -> io::Result<()> {
    Ok(serde_json::to_writer(batch, record)?)
}
