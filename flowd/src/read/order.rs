//! Things that come in the order of their end and are to leave in the order of their beginning.

use std::{cmp::Ordering, collections::BinaryHeap};

/// Holds back what has begun after something that is still open.
pub(super) struct InOrder<T> {
    heap: BinaryHeap<Entry<T>>,
    arrivals: u64,
    most: usize,
}

struct Entry<T> {
    begin: u64,
    arrival: u64,
    item: T,
}

impl<T> InOrder<T> {
    /// Holds back `most` at most; beyond, the oldest leave even though something older may still come.
    pub(super) const fn new(most: usize) -> Self {
        Self { heap: BinaryHeap::new(), arrivals: 0, most }
    }

    pub(super) fn push(&mut self, begin: u64, item: T) {
        self.arrivals += 1;
        self.heap.push(Entry { begin, arrival: self.arrivals, item });
    }

    /// The next item in order, if nothing that begins before `until` can still come.
    pub(super) fn pop(&mut self, until: u64) -> Option<T> {
        let first = self.heap.peek()?;
        if first.begin >= until && self.heap.len() <= self.most {
            return None;
        }
        self.heap.pop().map(|entry| entry.item)
    }
}

impl<T> Ord for Entry<T> {
    /// The earliest is the greatest, as the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.begin, other.arrival).cmp(&(self.begin, self.arrival))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_in_order_of_beginning() {
        let mut order = InOrder::new(4);
        for (begin, item) in [(5, 'c'), (1, 'a'), (5, 'd'), (3, 'b')] {
            order.push(begin, item);
        }
        assert_eq!(order.pop(1), None);
        assert_eq!((order.pop(4), order.pop(4), order.pop(4)), (Some('a'), Some('b'), None));
        assert_eq!((order.pop(u64::MAX), order.pop(u64::MAX)), (Some('c'), Some('d')));
    }
}
