//! Rows of numbers by labels, bounded, whose sum is always exact.

use std::{collections::HashMap, hash::Hash};

/// Rows by key, at most `limit` and the catch-alls beside them. What does not fit is added to the
/// catch-all row that the caller names, so that nothing is missing from the sum.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    index: HashMap<K, u32>,
    rows: Vec<(K, V)>,
    limit: usize,
    /// Catch-all rows, which do not count against the limit.
    spare: usize,
    overflows: u64,
}

impl<K: Copy + Eq + Hash, V: Default> Table<K, V> {
    /// An empty table of at most `limit` rows.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { index: HashMap::new(), rows: Vec::new(), limit, spare: 0, overflows: 0 }
    }

    /// Makes a catch-all row, which is always there.
    pub fn reserve(&mut self, key: K) {
        if !self.index.contains_key(&key) {
            self.spare += 1;
            self.push(key);
        }
    }

    /// Makes the row of `key` if there is room, so that it shows 0 before its first count.
    pub fn announce(&mut self, key: K) {
        if !self.index.contains_key(&key) && self.has_room() {
            self.push(key);
        }
    }

    /// The number of the row for `key`, or of the row for `other` where the table is full.
    pub fn find(&mut self, key: K, other: K) -> u32 {
        if let Some(found) = self.index.get(&key) {
            return *found;
        }
        if self.has_room() {
            return self.push(key);
        }
        self.overflows += 1;
        self.reserve(other);
        self.index.get(&other).copied().unwrap_or_default()
    }

    /// The numbers in row `number` of [`Table::find`].
    pub fn row(&mut self, number: u32) -> Option<&mut V> {
        self.rows.get_mut(number as usize).map(|(_, value)| value)
    }

    /// The numbers for `key`, or for `other` where the table is full.
    pub fn at(&mut self, key: K, other: K) -> Option<&mut V> {
        let number = self.find(key, other);
        self.row(number)
    }

    /// Every row, in the order of its first count.
    pub fn rows(&self) -> impl Iterator<Item = (&K, &V)> {
        self.rows.iter().map(|(key, value)| (key, value))
    }

    /// Look-ups that ended in a catch-all row.
    #[must_use]
    pub const fn overflows(&self) -> u64 {
        self.overflows
    }

    /// Rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// True without rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    const fn has_room(&self) -> bool {
        self.rows.len() < self.limit.saturating_add(self.spare)
    }

    fn push(&mut self, key: K) -> u32 {
        let number = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push((key, V::default()));
        self.index.insert(key, number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_in_the_catch_all() {
        let mut table: Table<Option<u32>, u64> = Table::new(3);
        table.reserve(None);
        for key in 0..10 {
            *table.at(Some(key), None).unwrap() += u64::from(key);
        }
        assert_eq!(table.len(), 4);
        assert_eq!(table.overflows(), 7);
        assert_eq!(table.rows().map(|(_, value)| value).sum::<u64>(), 45);
        assert_eq!(*table.at(Some(2), None).unwrap(), 2, "a row once made stays");
    }

    #[test]
    fn a_catch_all_is_made_when_first_needed() {
        let mut table: Table<Option<u32>, u64> = Table::new(0);
        *table.at(Some(1), None).unwrap() += 5;
        assert_eq!(table.rows().next(), Some((&None, &5)));
    }
}
