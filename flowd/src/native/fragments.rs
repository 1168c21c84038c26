//! Ports of first fragments, bounded: the oldest is forgotten first.

use std::collections::{HashMap, VecDeque};

use flow_common::{
    env::{Datagram, FirstFragment},
    names::MAX_FRAGMENTS,
};

#[derive(Default)]
pub(super) struct FragmentTable {
    known: HashMap<Datagram, FirstFragment>,
    order: VecDeque<Datagram>,
}

impl FragmentTable {
    pub(super) fn remember(&mut self, datagram: &Datagram, first: &FirstFragment) {
        if self.known.insert(*datagram, *first).is_some() {
            return;
        }
        self.order.push_back(*datagram);
        if self.order.len() > MAX_FRAGMENTS as usize
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn recall(&self, datagram: &Datagram) -> Option<FirstFragment> {
        self.known.get(datagram).copied()
    }
}
