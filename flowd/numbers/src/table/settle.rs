//! Who has a row: decided by recent weight, once per drain.

use std::hash::Hash;

use super::{Entry, IDLE, KEEP, Place, Table, WATCHED};
use crate::Sum;

/// Recent weight is halved in this time, ns.
const HALF_LIFE: f64 = 60e9;
/// A challenger must be this much heavier than the row whose place it takes.
const LEAD: f64 = 2.0;

impl<K: Copy + Eq + Hash, V: Sum> Table<K, V> {
    /// Decides anew who has a row, by what was counted until `now` (ns, any origin). `seconds` since the
    /// epoch name retired sums that changed.
    pub fn settle(&mut self, now: u64, seconds: u64) {
        self.reckon();
        self.weigh(now);
        if now >= self.next_idle {
            self.next_idle = now.saturating_add(IDLE / 2);
            self.retire_idle(now);
        }
        self.contend();
        for entry in &mut self.entries {
            if entry.place == Place::Shown {
                entry.told.clone_from(&entry.value);
            }
            if let Some(retired) = &mut entry.retired
                && std::mem::take(&mut retired.changed)
            {
                retired.name = seconds.max(retired.name + 1);
            }
        }
    }

    /// Ages all weights and forgets what has been quiet for too long.
    fn weigh(&mut self, now: u64) {
        let elapsed = now.saturating_sub(self.settled) as f64;
        self.settled = now;
        let decay = (-elapsed / HALF_LIFE).exp2();
        for entry in &mut self.entries {
            if entry.fresh != 0 {
                entry.touched = now;
            }
            entry.recent = entry.recent * decay + std::mem::take(&mut entry.fresh) as f64;
        }
        let entries = &self.entries;
        let quiet = |number: &u32| {
            entries.get(*number as usize).is_none_or(|entry| now.saturating_sub(entry.touched) >= KEEP)
        };
        let (gone, kept) = self.hidden.iter().partition(|number| quiet(number));
        self.hidden = kept;
        let gone: Vec<u32> = gone;
        gone.into_iter().for_each(|number| self.forget(number));
    }

    fn retire_idle(&mut self, now: u64) {
        let idle = |entry: &Entry<K, V>| {
            entry.place == Place::Shown && !entry.pinned && now.saturating_sub(entry.touched) >= IDLE
        };
        for number in self.numbers(idle) {
            self.hide(number);
        }
    }

    /// Gives rows to the heaviest.
    fn contend(&mut self) {
        if self.shown <= self.limit && self.hidden.is_empty() {
            return;
        }
        let recent =
            |table: &Self, number: u32| table.entries.get(number as usize).map_or(0.0, |entry| entry.recent);
        let mut rows = self.numbers(|entry| entry.place == Place::Shown);
        rows.sort_by(|left, right| recent(self, *left).total_cmp(&recent(self, *right)));
        let mut rows = rows.into_iter();
        while self.shown > self.limit
            && let Some(lightest) = rows.next()
        {
            self.hide(lightest);
        }
        let mut challengers: Vec<u32> = self.hidden.clone();
        challengers.sort_by(|left, right| recent(self, *right).total_cmp(&recent(self, *left)));
        for challenger in challengers {
            let weight = recent(self, challenger);
            if weight < 1.0 {
                break;
            }
            if !self.has_room() {
                let Some(lightest) = rows.next() else { break };
                if weight <= LEAD * recent(self, lightest) {
                    break;
                }
                self.hide(lightest);
            }
            self.show(challenger);
        }
        let entries = &self.entries;
        self.hidden
            .retain(|number| entries.get(*number as usize).is_some_and(|entry| entry.place == Place::Hidden));
        // A limit that was lowered leaves more behind than is watched.
        while self.hidden.len() > self.limit.max(WATCHED) {
            self.forget_lightest();
        }
    }

    pub(super) fn numbers(&self, which: impl Fn(&Entry<K, V>) -> bool) -> Vec<u32> {
        (0_u32..).zip(&self.entries).filter(|(_, entry)| which(entry)).map(|(number, _)| number).collect()
    }

    /// Gives `number` a row, with what it counted before out of the retired sum again.
    pub(super) fn show(&mut self, number: u32) {
        self.shown += 1;
        self.turn(number, Place::Shown, V::subtract);
    }

    /// Takes the row from `number`: what scrapes have seen of it goes into the retired sum, the rest to the
    /// catch-all.
    pub(super) fn hide(&mut self, number: u32) {
        self.shown = self.shown.saturating_sub(1);
        self.hidden.push(number);
        if let Some(entry) = self.entries.get_mut(number as usize)
            && entry.value != entry.told
        {
            let mut unseen = std::mem::replace(&mut entry.value, entry.told.clone());
            unseen.subtract(&entry.told);
            let other = entry.other;
            if let Some(other) = self.entries.get_mut(other as usize) {
                other.value.add(&unseen);
            }
        }
        self.turn(number, Place::Hidden, V::add);
    }

    fn turn(&mut self, number: u32, place: Place, change: fn(&mut V, &V)) {
        self.changes += 1;
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        entry.place = place;
        entry.pinned = false;
        let (value, other) = (entry.value.clone(), entry.other);
        if value != V::default()
            && let Some(other) = self.entries.get_mut(other as usize)
        {
            let retired = other.retired.get_or_insert_default();
            change(&mut retired.value, &value);
            retired.changed = true;
        }
    }
}
