//! Things that come in the order of their end and are to leave in the order of their beginning.

use std::{cmp::Reverse, collections::BinaryHeap};

/// Holds back what has begun after something that is still open.
pub(super) struct InOrder<T> {
    /// When each began, which arrival it was, and its place. Items are large: they stay where they are.
    heap: BinaryHeap<Reverse<(u64, u64, usize)>>,
    places: Vec<Option<T>>,
    free: Vec<usize>,
    arrivals: u64,
    most: usize,
}

impl<T> InOrder<T> {
    /// Holds back `most` at most; beyond, the oldest leave even though something older may still come.
    pub(super) const fn new(most: usize) -> Self {
        Self { heap: BinaryHeap::new(), places: Vec::new(), free: Vec::new(), arrivals: 0, most }
    }

    pub(super) fn push(&mut self, begin: u64, item: T) {
        self.arrivals += 1;
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        if let Some(free) = self.places.get_mut(place) {
            *free = Some(item);
            self.heap.push(Reverse((begin, self.arrivals, place)));
        }
    }

    /// The next item in order, if nothing that begins before `until` can still come.
    pub(super) fn pop(&mut self, until: u64) -> Option<T> {
        let Reverse((begin, ..)) = self.heap.peek()?;
        if *begin >= until && self.heap.len() <= self.most {
            return None;
        }
        let Reverse((.., place)) = self.heap.pop()?;
        self.free.push(place);
        self.places.get_mut(place)?.take()
    }
}

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
