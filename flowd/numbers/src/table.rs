//! The series budget: rows of numbers by labels, bounded, whose sum is always exact.
//!
//! At most `limit` keys are *shown*, each as a series of its own. What is counted for any other key goes to
//! a *catch-all* row that the caller names. Which keys are shown is decided by recent weight when the table
//! [settles](Table::settle), once per drain.
//!
//! A series that leaves the exposition, folded or idle, has counted something that must stay in the sum. It
//! cannot go into the catch-all row: `rate()` would see that row jump and count the same again. So it goes
//! into the *retired* sum of the catch-all, which is a series under a new name whenever it changes: to
//! Prometheus each is a new series that never moves, so it adds to `sum()` and nothing to `sum(rate())`. A
//! key that comes back within [`KEEP`] goes on from its old value, and the retired sum becomes smaller by it.
//!
//! Invariants, held by property tests:
//! 1. At every moment, rows and retired sums together are all that was ever counted.
//! 2. A row never goes back while it is shown, nor between leaving and coming back while the table knows it.
//! 3. The increases of all series from one settling to the next, a new row's from 0, are what was counted in
//!    that time: what a row counted after it was last shown goes to the catch-all row when it leaves.
//! 4. At most `limit` rows beside catch-alls after each settling; at most twice that in memory.

use std::{collections::HashMap, hash::Hash};

use crate::Sum;

mod settle;

/// A row without a count for so long leaves the exposition, ns.
const IDLE: u64 = 600_000_000_000;
/// A row that has left is remembered for so long, ns.
const KEEP: u64 = 3_600_000_000_000;
/// Keys without a row that are watched at least, however small the limit.
const WATCHED: usize = 256;
/// Watched keys that a new one is weighed against.
const SAMPLE: usize = 4;

/// Rows by key, at most `limit` and the catch-alls beside them.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    index: HashMap<K, u32>,
    entries: Vec<Entry<K, V>>,
    free: Vec<u32>,
    /// Entries that are watched without a row.
    hidden: Vec<u32>,
    /// Where the next sample of `hidden` begins.
    hand: usize,
    limit: usize,
    /// Rows shown, without catch-alls.
    shown: usize,
    overflows: u64,
    /// Rows that came or went.
    changes: u64,
    lent: Option<Lent>,
    settled: u64,
    next_idle: u64,
}

/// Names a row until the table gives its place to another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    number: u32,
    stamp: u32,
}

#[derive(Clone, Debug)]
struct Entry<K, V> {
    key: K,
    /// What the row shows, or showed last.
    value: V,
    /// What it was at the last settling: what scrapes have seen.
    told: V,
    place: Place,
    /// Announced: stays without counts.
    pinned: bool,
    stamp: u32,
    /// The catch-all.
    other: u32,
    /// Weight since the last settling, and the decayed weight before.
    fresh: u64,
    recent: f64,
    /// When it last counted, as settling saw it.
    touched: u64,
    retired: Option<Box<Retired<V>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    CatchAll,
    Shown,
    Hidden,
    Free,
}

/// What rows that left had counted.
#[derive(Clone, Debug, Default)]
struct Retired<V> {
    value: V,
    name: u64,
    changed: bool,
}

/// A row that the caller may be changing: the weight is known when it is looked at again.
#[derive(Clone, Copy, Debug)]
struct Lent {
    entry: u32,
    target: u32,
    before: u64,
}

impl<K: Copy + Eq + Hash, V: Sum> Table<K, V> {
    /// An empty table of at most `limit` rows.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            index: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            hidden: Vec::new(),
            hand: 0,
            limit,
            shown: 0,
            overflows: 0,
            changes: 0,
            lent: None,
            settled: 0,
            next_idle: IDLE,
        }
    }

    /// Makes a catch-all row, which is always there.
    pub fn reserve(&mut self, key: K) {
        self.catch_all(key);
    }

    /// Makes the row of `key` if there is room, so that it shows 0 before its first count. It does not
    /// leave for idleness.
    pub fn announce(&mut self, key: K, other: K) {
        if self.index.contains_key(&key) || !self.has_room() {
            return;
        }
        let row = self.find(key, other);
        if let Some(entry) = self.entries.get_mut(row.number as usize) {
            entry.pinned = true;
        }
    }

    /// The row for `key`, or a name under which counts go to `other` while the key has none.
    pub fn find(&mut self, key: K, other: K) -> Row {
        self.reckon();
        if let Some(&number) = self.index.get(&key) {
            if self.place(number) == Place::Hidden {
                if self.has_room() {
                    self.show(number);
                    self.hidden.retain(|hidden| *hidden != number);
                } else {
                    self.overflows += 1;
                }
            }
            return self.name(number);
        }
        let other = self.catch_all(other);
        if self.has_room() {
            let number = self.insert(key, other, Place::Shown);
            self.shown += 1;
            self.changes += 1;
            return self.name(number);
        }
        self.overflows += 1;
        if self.hidden.len() >= self.limit.max(WATCHED) {
            self.forget_lightest();
        }
        let number = self.insert(key, other, Place::Hidden);
        self.hidden.push(number);
        self.name(number)
    }

    /// The numbers of `row`, those of its catch-all while it has no row; `None` where the table has
    /// forgotten it: find it again.
    pub fn row(&mut self, row: Row) -> Option<&mut V> {
        self.reckon();
        let entry = self.entries.get(row.number as usize).filter(|entry| entry.stamp == row.stamp)?;
        let target = if entry.place == Place::Hidden { entry.other } else { row.number };
        let value = &mut self.entries.get_mut(target as usize)?.value;
        self.lent = Some(Lent { entry: row.number, target, before: value.weight() });
        Some(value)
    }

    /// The numbers for `key`, or for `other` where it has no row.
    pub fn at(&mut self, key: K, other: K) -> Option<&mut V> {
        let row = self.find(key, other);
        self.row(row)
    }

    /// True if the table knows `key`, with or without a row.
    #[must_use]
    pub fn knows(&self, key: &K) -> bool {
        self.index.contains_key(key)
    }

    /// Every key that the table knows, with or without a row, catch-alls included.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.index.keys()
    }

    /// True if `key` has a row.
    #[must_use]
    pub fn shows(&self, key: &K) -> bool {
        self.index.get(key).is_some_and(|number| self.place(*number) == Place::Shown)
    }

    /// Takes the rows of all keys and forgets them, as when keys get another meaning. What they counted goes
    /// into retired sums for good.
    pub fn retire_all(&mut self) {
        self.reckon();
        for number in self.numbers(|entry| entry.place == Place::Shown) {
            self.hide(number);
        }
        for number in std::mem::take(&mut self.hidden) {
            self.forget(number);
        }
    }

    /// Allows `limit` rows from the next settling on.
    pub const fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Every row, catch-alls included.
    pub fn rows(&self) -> impl Iterator<Item = (&K, &V)> {
        let rows = self.entries.iter().filter(|entry| matches!(entry.place, Place::Shown | Place::CatchAll));
        rows.map(|entry| (&entry.key, &entry.value))
    }

    /// What rows that left had counted: the catch-all it belongs to, the name, and the sum.
    pub fn retired(&self) -> impl Iterator<Item = (&K, u64, &V)> {
        let zero = V::default();
        self.entries
            .iter()
            .filter_map(|entry| Some((&entry.key, entry.retired.as_ref()?)))
            .filter(move |(_, retired)| retired.value != zero)
            .map(|(key, retired)| (key, retired.name, &retired.value))
    }

    /// Look-ups that ended in a catch-all row.
    #[must_use]
    pub const fn overflows(&self) -> u64 {
        self.overflows
    }

    /// Rows that came or went so far.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Rows there are, catch-alls included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows().count()
    }

    /// True without rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows().next().is_none()
    }

    /// Rows that there may be, beside catch-alls.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Removes what belongs to a part of the keys, with all that it counted: catch-alls, and with each of them every
    /// key that counts there.
    pub fn remove(&mut self, goes: impl Fn(&K) -> bool) {
        self.reckon();
        for number in self.numbers(|entry| entry.place != Place::Free && goes(&entry.key)) {
            self.shown -= usize::from(self.place(number) == Place::Shown);
            self.changes += 1;
            self.forget(number);
            if let Some(entry) = self.entries.get_mut(number as usize) {
                entry.retired = None;
            }
        }
        let entries = &self.entries;
        self.hidden
            .retain(|number| entries.get(*number as usize).is_some_and(|entry| entry.place == Place::Hidden));
    }

    /// The table as a scrape needs it: without what is only watched.
    #[must_use]
    pub fn published(&self) -> Self {
        self.published_of(|_| true)
    }

    /// The same with those keys only that are `shown`.
    #[must_use]
    pub fn published_of(&self, shown: impl Fn(&K) -> bool) -> Self {
        let kept =
            |entry: &&Entry<K, V>| matches!(entry.place, Place::Shown | Place::CatchAll) && shown(&entry.key);
        Self {
            entries: self.entries.iter().filter(kept).cloned().collect(),
            overflows: self.overflows,
            shown: self.shown,
            ..Self::new(self.limit)
        }
    }

    fn name(&self, number: u32) -> Row {
        Row { number, stamp: self.entries.get(number as usize).map_or(0, |entry| entry.stamp) }
    }

    fn place(&self, number: u32) -> Place {
        self.entries.get(number as usize).map_or(Place::Free, |entry| entry.place)
    }

    const fn has_room(&self) -> bool {
        self.shown < self.limit
    }

    /// Credits the key that was lent a row with what it counted.
    fn reckon(&mut self) {
        let Some(lent) = self.lent.take() else { return };
        let after = self.entries.get(lent.target as usize).map_or(0, |target| target.value.weight());
        if let Some(entry) = self.entries.get_mut(lent.entry as usize) {
            entry.fresh = entry.fresh.wrapping_add(after.wrapping_sub(lent.before));
        }
    }

    fn catch_all(&mut self, key: K) -> u32 {
        match self.index.get(&key) {
            Some(number) => *number,
            None => self.insert(key, u32::MAX, Place::CatchAll),
        }
    }

    fn insert(&mut self, key: K, other: u32, place: Place) -> u32 {
        let entry = Entry {
            key,
            value: V::default(),
            told: V::default(),
            place,
            pinned: false,
            stamp: 0,
            other,
            fresh: 0,
            recent: 0.0,
            touched: self.settled,
            retired: None,
        };
        let number = if let Some(number) = self.free.pop()
            && let Some(old) = self.entries.get_mut(number as usize)
        {
            *old = Entry { stamp: old.stamp, ..entry };
            number
        } else {
            self.entries.push(entry);
            u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
        };
        self.index.insert(key, number);
        number
    }

    /// Forgets a key without a row. What it counted stays where it is.
    fn forget(&mut self, number: u32) {
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        entry.place = Place::Free;
        entry.stamp = entry.stamp.wrapping_add(1);
        let key = entry.key;
        self.index.remove(&key);
        self.free.push(number);
    }

    /// Makes room for one more watched key: of a few, the lightest goes. So a scan that brings a new key
    /// per packet cannot drive out the keys that count.
    fn forget_lightest(&mut self) {
        let weight = |number: &u32| {
            self.entries.get(*number as usize).map_or(0.0, |entry| entry.recent + entry.fresh as f64)
        };
        let places = (0..SAMPLE).map(|step| (self.hand + step) % self.hidden.len().max(1));
        let lightest = places
            .filter_map(|place| Some((place, weight(self.hidden.get(place)?))))
            .min_by(|left, right| left.1.total_cmp(&right.1));
        self.hand = (self.hand + SAMPLE) % self.hidden.len().max(1);
        if let Some((place, _)) = lightest {
            let number = self.hidden.swap_remove(place);
            self.forget(number);
        }
    }
}

#[cfg(test)]
mod tests;
