//! HPACK (RFC 7541): the header fields of one side's blocks, which refer to those of earlier blocks.
//!
//! Where a block was lost or cut, fields that refer to it are unknown, never wrong.

mod fixed;
mod huffman;
mod table;
#[cfg(test)]
mod tests;

use table::{Entry, Table};

use super::name::Name;
use crate::http;

/// Takes the fields of a block: name, and value where the field is looked at.
pub(super) type Each<'a> = &'a mut dyn FnMut(Name, &[u8]);

/// What one side has told so far.
#[derive(Debug)]
pub(super) struct Decoder {
    table: Table,
    /// The string under way.
    plain: Vec<u8>,
    /// The values of `traceparent` are looked at.
    traces: bool,
}

impl Decoder {
    /// Nothing was told yet.
    pub(super) const fn new() -> Self {
        Self { table: Table::new(), plain: Vec::new(), traces: false }
    }

    /// Looks at the values of `traceparent`, or no longer.
    pub(super) const fn set_traces(&mut self, traces: bool) {
        self.traces = traces;
    }

    /// Whether a field's value is looked at; else nothing of it is kept.
    fn wants(&self, name: Name) -> bool {
        name.is_wanted() && (self.traces || name != Name::Common(http::Name::Traceparent))
    }

    /// Reads the fields that `bytes` of a block begin with; says how many bytes they take. What is left is the beginning
    /// of a field, or none.
    pub(super) fn read(&mut self, bytes: &[u8], each: Each<'_>) -> usize {
        let (mut reader, mut left) = (Reader(bytes), bytes.len());
        while left > 0 && self.field(&mut reader, each).is_some() {
            left = reader.0.len();
        }
        bytes.len() - left
    }

    /// A part of a block was not read: what it told is unknown, and so are the entries so far.
    pub(super) fn lose(&mut self) {
        self.table.lose();
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.table.weight() + self.plain.capacity()
    }

    /// Reads one field or change of size (RFC 7541 section 6).
    fn field(&mut self, reader: &mut Reader<'_>, each: Each<'_>) -> Option<()> {
        let first = reader.peek()?;
        if first & 0x80 != 0 {
            return self.indexed(reader.integer(7)?, each);
        }
        if first & 0xe0 == 0x20 {
            self.table.resize(reader.integer(5)?);
            return Some(());
        }
        let inserted = first & 0x40 != 0;
        let index = reader.integer(if inserted { 6 } else { 4 })?;
        let (name, name_len) = if index == 0 { self.name(reader)? } else { self.indexed_name(index) };
        let text = reader.text()?;
        self.plain.clear();
        if inserted || self.wants(name) {
            text.push_to(&mut self.plain)?;
        }
        let value = if self.wants(name) { self.plain.as_slice() } else { &[] };
        each(name, value);
        if inserted {
            let entry = Entry { name, name_len, value: value.into(), value_len: self.plain.len() };
            self.table.insert(entry);
        }
        Some(())
    }

    /// Tells the field at `index` (RFC 7541 section 2.3.3).
    fn indexed(&self, index: usize, each: Each<'_>) -> Option<()> {
        match index.checked_sub(fixed::COUNT + 1) {
            None => {
                let (name, value) = fixed::entry(index)?;
                each(Name::of(name), value);
            }
            Some(at) => match self.table.get(at) {
                Some(entry) => each(entry.name, &entry.value),
                None => each(Name::Unknown, &[]),
            },
        }
        Some(())
    }

    /// The name at `index` and its length; 0 where nobody knows it.
    fn indexed_name(&self, index: usize) -> (Name, usize) {
        if let Some((name, _)) = fixed::entry(index) {
            return (Name::of(name), name.len());
        }
        let entry = index.checked_sub(fixed::COUNT + 1).and_then(|at| self.table.get(at));
        entry.map_or((Name::Unknown, 0), |entry| (entry.name, entry.name_len))
    }

    fn name(&mut self, reader: &mut Reader<'_>) -> Option<(Name, usize)> {
        self.plain.clear();
        reader.text()?.push_to(&mut self.plain)?;
        Some((Name::of(&self.plain), self.plain.len()))
    }
}

/// What is left of a block.
struct Reader<'a>(&'a [u8]);

/// A string as it stands in a block.
struct Text<'a> {
    bytes: &'a [u8],
    is_huffman: bool,
}

impl Text<'_> {
    fn push_to(&self, plain: &mut Vec<u8>) -> Option<()> {
        if self.is_huffman {
            return huffman::decode(self.bytes, plain);
        }
        plain.extend_from_slice(self.bytes);
        Some(())
    }
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// An integer whose first byte has it in its low bits (RFC 7541 section 5.1). None is as large as 2²⁸.
    fn integer(&mut self, bits: u32) -> Option<usize> {
        let most = (1_usize << bits) - 1;
        let mut value = usize::from(self.byte()?) & most;
        if value < most {
            return Some(value);
        }
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A string (RFC 7541 section 5.2).
    fn text(&mut self) -> Option<Text<'a>> {
        let is_huffman = self.peek()? & 0x80 != 0;
        let len = self.integer(7)?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(Text { bytes, is_huffman })
    }
}
