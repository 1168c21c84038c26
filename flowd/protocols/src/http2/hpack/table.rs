//! The fields that one side has told before (RFC 7541 section 2.3.2), as far as they are known.
//!
//! An index counts from the newest entry on, so what is known of the newest ones holds whatever was told before them.
//! Nor can the table's size make an entry wrong: it evicts the oldest entries first, and an encoder refers to none that
//! is gone. A field too large for the table empties it: whether it did is doubtful where the size is, but then no older
//! entry is referred to either. So after a loss the entries of later blocks are right, and older ones are unknown.

use std::collections::VecDeque;

use crate::http2::name::Name;

/// What an entry takes beside its name and value (RFC 7541 section 4.1).
const OVERHEAD: usize = 32;

/// Bytes that are kept at most, whatever the sides agreed: older entries are unknown.
const MOST: usize = 16 << 10;

/// What a table holds before anyone says otherwise (RFC 9113 section 6.5.2).
const INITIAL: usize = 4_096;

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) name_len: usize,
    /// Kept only of fields that are looked at.
    pub(super) value: Box<[u8]>,
    pub(super) value_len: usize,
}

impl Entry {
    const fn size(&self) -> usize {
        self.name_len.saturating_add(self.value_len).saturating_add(OVERHEAD)
    }
}

/// The entries of one side, the newest first.
#[derive(Debug)]
pub(super) struct Table {
    entries: VecDeque<Entry>,
    /// Bytes of all entries.
    size: usize,
    /// Bytes that are kept.
    most: usize,
}

impl Table {
    /// That of a side that has told nothing yet.
    pub(super) const fn new() -> Self {
        Self { entries: VecDeque::new(), size: 0, most: INITIAL }
    }

    /// The entry at `index`, from 0 for the newest.
    pub(super) fn get(&self, index: usize) -> Option<&Entry> {
        self.entries.get(index)
    }

    /// Adds the newest entry.
    pub(super) fn insert(&mut self, entry: Entry) {
        let size = entry.size();
        self.shrink(self.most.saturating_sub(size));
        if size <= self.most {
            self.size += size;
            self.entries.push_front(entry);
        }
    }

    /// The side's table holds `most` bytes from here on.
    pub(super) fn resize(&mut self, most: usize) {
        self.most = most.min(MOST);
        self.shrink(self.most);
    }

    /// Something was told that nobody saw: neither the entries so far are where they were, nor is the size known.
    pub(super) fn lose(&mut self) {
        self.shrink(0);
        self.most = MOST;
    }

    /// Bytes beside its own place.
    pub(super) fn weight(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.size
    }

    fn shrink(&mut self, most: usize) {
        while self.size > most
            && let Some(oldest) = self.entries.pop_back()
        {
            self.size -= oldest.size();
        }
    }
}
