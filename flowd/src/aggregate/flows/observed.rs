//! One conversation, several observation points: which of them speaks for it.

use std::collections::HashMap;

use flow_common::key::FlowKey;

/// Drains after which a claim without a record lapses: the record it named ended before it was read.
const LAPSE: u32 = 2;

#[derive(Clone, Copy, Debug)]
struct Claim {
    slot: u32,
    /// The drain has seen the record; from then on its end removes the claim.
    confirmed: bool,
    drain: u32,
}

/// Which record speaks for a conversation: the first that was seen, for as long as its flow lives. HTTP
/// lines and request counts come from that record only, so that a gateway watched on both sides, a bridge
/// and its port, or a one-armed router count nothing twice.
#[derive(Debug)]
pub struct Observed {
    claims: HashMap<FlowKey, Claim, foldhash::fast::RandomState>,
    /// Conversations whose claim was not confirmed when it was made.
    waiting: Vec<FlowKey>,
    capacity: usize,
    drain: u32,
}

impl Observed {
    /// Remembers at most `capacity` conversations.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { claims: HashMap::default(), waiting: Vec::new(), capacity, drain: 0 }
    }

    /// True if the record in `slot` speaks for the conversation of `key`; claims it where nobody does.
    /// Where the table is full everybody speaks: a line twice is better than none.
    pub fn speaks(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.claim(key, slot, false)
    }

    /// The same for a record that the drain has in hand.
    pub fn confirm(&mut self, key: &FlowKey, slot: u32) -> bool {
        self.claim(key, slot, true)
    }

    /// The record in `slot` has ended.
    pub fn release(&mut self, key: &FlowKey, slot: u32) {
        let key = key.conversation();
        if self.claims.get(&key).is_some_and(|claim| claim.slot == slot) {
            self.claims.remove(&key);
        }
    }

    /// A drain is over: claims of records that it did not show grow older, and some lapse.
    pub fn drained(&mut self) {
        self.drain = self.drain.wrapping_add(1);
        let Self { claims, waiting, drain, .. } = self;
        waiting.retain(|key| {
            let Some(claim) = claims.get(key) else { return false };
            if claim.lapsed(*drain) {
                claims.remove(key);
                return false;
            }
            !claim.confirmed
        });
    }

    /// Conversations remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.claims.len()
    }

    /// True without conversations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    fn claim(&mut self, key: &FlowKey, slot: u32, confirmed: bool) -> bool {
        let key = key.conversation();
        let new = Claim { slot, confirmed, drain: self.drain };
        if let Some(claim) = self.claims.get_mut(&key) {
            if claim.slot == slot {
                claim.confirmed |= confirmed;
                return true;
            }
            if !claim.lapsed(self.drain) {
                return false;
            }
            *claim = new;
        } else if self.claims.len() < self.capacity {
            self.claims.insert(key, new);
        } else {
            return true;
        }
        if !confirmed {
            self.waiting.push(key);
        }
        true
    }
}

impl Claim {
    const fn lapsed(&self, drain: u32) -> bool {
        !self.confirmed && drain.wrapping_sub(self.drain) >= LAPSE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing;

    #[test]
    fn the_first_speaks_until_its_flow_ends() {
        let (inside, outside) = (testing::connection(1, 5, 80, 0).key, testing::connection(2, 5, 80, 0).key);
        let mut observed = Observed::new(10);
        assert!(observed.speaks(&inside, 7));
        assert!(!observed.confirm(&outside, 8));
        assert!(observed.confirm(&inside, 7));
        observed.release(&outside, 8);
        for _ in 0..5 {
            observed.drained();
        }
        assert!(!observed.speaks(&outside, 8), "a confirmed claim does not lapse");
        observed.release(&inside, 7);
        assert!(observed.speaks(&outside, 8));
    }

    #[test]
    fn a_claim_whose_record_never_shows_lapses() {
        let key = testing::connection(1, 5, 80, 0).key;
        let mut observed = Observed::new(10);
        assert!(observed.speaks(&key, 7));
        observed.drained();
        assert!(!observed.speaks(&key, 9));
        observed.drained();
        assert!(observed.is_empty());
        assert!(observed.speaks(&key, 9));
    }

    #[test]
    fn a_full_table_loses_no_line() {
        let mut observed = Observed::new(1);
        assert!(observed.speaks(&testing::connection(1, 5, 80, 0).key, 1));
        assert!(observed.speaks(&testing::connection(1, 6, 80, 0).key, 2));
        assert_eq!(observed.len(), 1);
    }

    /// Room that was used and is free again makes the map grow once more than its entries ask for: the README says so.
    #[test]
    fn flows_that_come_and_go_double_it_once_at_most() {
        const FULL: u32 = 1_024;
        let key = |number: u32| {
            testing::connection(1, (number % 60_000) as u16 + 1, (number / 60_000) as u16 + 1, 0).key
        };
        let mut observed = Observed::new(FULL as usize);
        let mut capacities = [0; 2];
        for number in 0..800 * FULL {
            if let Some(old) = number.checked_sub(FULL) {
                observed.release(&key(old), old);
            } else {
                capacities[0] = observed.claims.capacity();
            }
            assert!(observed.confirm(&key(number), number));
        }
        assert_eq!(observed.len(), FULL as usize);
        observed.claims.clear();
        capacities[1] = observed.claims.capacity();
        // Of buckets, seven in eight may be used. Each is an entry and a byte. When it happens is a matter of chance.
        let buckets = capacities.map(|entries| entries * 8 / 7);
        assert!(buckets[0] == 2_048 && buckets[1] <= 4_096, "{buckets:?}");
        assert_eq!(size_of::<(FlowKey, Claim)>(), 64);
    }
}
