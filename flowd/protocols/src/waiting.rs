//! What waits, bounded, in the order of its time: requests for their responses, connections for their next event.
//!
//! Values of equal time stand in the order in which they were pushed, so that two runs over the same packets give the
//! same lines.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    hash::Hash,
};

/// Keys in the order of a time and, among equal times, of a number.
#[derive(Debug)]
pub(crate) struct Timeline<K>(BTreeMap<(u64, u64), K>);

impl<K> Default for Timeline<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Copy> Timeline<K> {
    /// Adds `key` at `time`; `number` tells it from others at that time.
    pub(crate) fn insert(&mut self, time: u64, number: u64, key: K) {
        self.0.insert((time, number), key);
    }

    /// Takes out what was added at `time` under `number`.
    pub(crate) fn remove(&mut self, time: u64, number: u64) {
        self.0.remove(&(time, number));
    }

    /// The first key, if its time is `until` or before.
    pub(crate) fn first(&self, until: u64) -> Option<K> {
        self.0.first_key_value().filter(|((time, _), _)| *time <= until).map(|(_, key)| *key)
    }

    fn pop(&mut self, until: u64) -> Option<(u64, K)> {
        let first = self.0.first_entry().filter(|first| first.key().0 <= until)?;
        let ((_, number), key) = first.remove_entry();
        Some((number, key))
    }
}

/// A value, since when it waits, and how many were pushed before it.
#[derive(Debug)]
pub(crate) struct Waiter<V> {
    pub(crate) value: V,
    pub(crate) time: u64,
    pub(crate) number: u64,
    /// Bytes that it was last found to hold.
    weight: usize,
}

/// The waiters of one key in the order in which they were pushed. Most keys have one: it needs no memory beside.
#[derive(Debug)]
struct Queue<V> {
    first: Waiter<V>,
    others: Vec<Waiter<V>>,
}

impl<V> Queue<V> {
    fn find_mut(&mut self, wanted: impl Fn(&V) -> bool) -> Option<&mut Waiter<V>> {
        if wanted(&self.first.value) {
            return Some(&mut self.first);
        }
        self.others.iter_mut().find(|waiter| wanted(&waiter.value))
    }
}

/// Values by key, any number of each, at most `capacity` in all, and no more than hold so many bytes.
#[derive(Debug)]
pub(crate) struct Waiting<K, V> {
    capacity: usize,
    most: usize,
    held: usize,
    /// Bytes that a value holds beside its place here.
    weigh: fn(&V) -> usize,
    queues: HashMap<K, Queue<V>, foldhash::fast::RandomState>,
    order: Timeline<K>,
    pushed: u64,
}

impl<K: Copy + Eq + Hash, V> Waiting<K, V> {
    /// Nothing waits yet; there is room for one value at least.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let (queues, order) = (HashMap::default(), Timeline::default());
        Self { capacity, most: usize::MAX, held: 0, weigh: |_| 0, queues, order, pushed: 0 }
    }

    /// The same with room for values that hold so many bytes in all, their places here included. What is changed where
    /// it waits must be [weighed](Self::weigh) after.
    pub(crate) fn within(self, most: usize, weigh: fn(&V) -> usize) -> Self {
        Self { most, weigh, ..self }
    }

    /// Bytes of a place: in a hash table that has just doubled, and in a tree whose nodes are half full.
    const PLACE: usize =
        (size_of::<K>() + size_of::<Queue<V>>()) * 9 / 4 + (size_of::<K>() + size_of::<(u64, u64)>()) * 2;

    /// Values that wait.
    pub(crate) fn len(&self) -> usize {
        self.order.0.len()
    }

    /// Whether others are to make room for the next value.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.capacity || self.is_too_much()
    }

    /// Whether the values hold more bytes than they may.
    pub(crate) const fn is_too_much(&self) -> bool {
        self.held > self.most
    }

    /// Bytes that all values hold.
    pub(crate) const fn held(&self) -> usize {
        self.held
    }

    /// Has the oldest value of `key` wait since `time`, if that is at least `grain` later than before, changes it, and finds
    /// anew how many bytes it holds.
    pub(crate) fn change<T>(
        &mut self,
        key: &K,
        time: u64,
        grain: u64,
        change: impl FnOnce(&mut V) -> T,
    ) -> Option<T> {
        let Queue { first, .. } = self.queues.get_mut(key)?;
        if time > first.time && time - first.time >= grain {
            self.order.remove(first.time, first.number);
            first.time = time;
            self.order.insert(time, first.number, *key);
        }
        let changed = change(&mut first.value);
        let before = std::mem::replace(&mut first.weight, Self::PLACE + (self.weigh)(&first.value));
        self.held = self.held - before + first.weight;
        Some(changed)
    }

    /// Finds anew how many bytes the oldest value of `key` holds.
    pub(crate) fn weigh(&mut self, key: &K) {
        if let Some(Queue { first, .. }) = self.queues.get_mut(key) {
            let before = std::mem::replace(&mut first.weight, Self::PLACE + (self.weigh)(&first.value));
            self.held = self.held - before + first.weight;
        }
    }

    /// Adds a value that waits since `time`. Where there is no room, the one that has waited longest makes it, and is
    /// given back. Where values are of many sizes, the caller makes room before: one may not be enough.
    pub(crate) fn push(&mut self, key: K, time: u64, value: V) -> Option<(K, Waiter<V>)> {
        let evicted = if self.is_full() { self.pop(u64::MAX) } else { None };
        self.pushed += 1;
        let weight = Self::PLACE + (self.weigh)(&value);
        self.held += weight;
        let waiter = Waiter { value, time, number: self.pushed, weight };
        self.order.insert(time, waiter.number, key);
        match self.queues.entry(key) {
            Entry::Occupied(queue) => queue.into_mut().others.push(waiter),
            Entry::Vacant(place) => {
                place.insert(Queue { first: waiter, others: Vec::new() });
            }
        }
        evicted
    }

    /// The number of the value that was pushed last.
    pub(crate) const fn last_number(&self) -> u64 {
        self.pushed
    }

    /// The oldest waiter of `key`.
    pub(crate) fn get(&self, key: &K) -> Option<&Waiter<V>> {
        self.queues.get(key).map(|queue| &queue.first)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut Waiter<V>> {
        self.queues.get_mut(key).map(|queue| &mut queue.first)
    }

    /// Has the oldest value of `key` that is `wanted` wait since `time`, if that is later than before.
    pub(crate) fn renew(
        &mut self,
        key: &K,
        time: u64,
        wanted: impl Fn(&V) -> bool,
    ) -> Option<&mut Waiter<V>> {
        let waiter = self.queues.get_mut(key)?.find_mut(wanted)?;
        if time > waiter.time {
            self.order.remove(waiter.time, waiter.number);
            waiter.time = time;
            self.order.insert(time, waiter.number, *key);
        }
        Some(waiter)
    }

    /// Takes the oldest value of `key` that is `wanted`.
    pub(crate) fn take(&mut self, key: &K, wanted: impl Fn(&V) -> bool) -> Option<Waiter<V>> {
        let waiter = self.remove(key, |waiter| wanted(&waiter.value))?;
        self.order.remove(waiter.time, waiter.number);
        Some(waiter)
    }

    /// Takes what has waited longest, if it waits since `until` or before.
    pub(crate) fn pop(&mut self, until: u64) -> Option<(K, Waiter<V>)> {
        let (number, key) = self.order.pop(until)?;
        Some((key, self.remove(&key, |waiter| waiter.number == number)?))
    }

    /// Takes everything, in the order in which it was pushed.
    pub(crate) fn drain(&mut self) -> Vec<(K, Waiter<V>)> {
        self.order = Timeline::default();
        self.held = 0;
        let queues = self.queues.drain();
        let mut all: Vec<_> = queues
            .flat_map(|(key, queue)| {
                [queue.first].into_iter().chain(queue.others).map(move |waiter| (key, waiter))
            })
            .collect();
        all.sort_unstable_by_key(|(_, waiter)| waiter.number);
        all
    }

    /// Every value, in no order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        let queues = self.queues.values();
        queues.flat_map(|queue| [&queue.first].into_iter().chain(&queue.others)).map(|waiter| &waiter.value)
    }

    /// The same, to be changed; what they hold must stay.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        let waiters = self
            .queues
            .values_mut()
            .flat_map(|queue| [&mut queue.first].into_iter().chain(&mut queue.others));
        waiters.map(|waiter| &mut waiter.value)
    }

    fn remove(&mut self, key: &K, wanted: impl Fn(&Waiter<V>) -> bool) -> Option<Waiter<V>> {
        let removed = self.unqueue(key, wanted)?;
        self.held -= removed.weight;
        Some(removed)
    }

    fn unqueue(&mut self, key: &K, wanted: impl Fn(&Waiter<V>) -> bool) -> Option<Waiter<V>> {
        let Entry::Occupied(mut place) = self.queues.entry(*key) else { return None };
        let queue = place.get_mut();
        if !wanted(&queue.first) {
            let at = queue.others.iter().position(wanted)?;
            return Some(queue.others.remove(at));
        }
        if queue.others.is_empty() {
            return Some(place.remove().first);
        }
        let second = queue.others.remove(0);
        Some(std::mem::replace(&mut queue.first, second))
    }
}

#[cfg(test)]
mod tests;
