//! How long to wait before the next attempt.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// Waits that double from one attempt to the next. A random part keeps many senders from coming back to a peer at the
/// same moment.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    random: RandomState,
    attempts: u64,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST, random: RandomState::new(), attempts: 0 }
    }

    /// The next wait: between half of the step and all of it.
    pub(super) fn wait(&mut self) -> Duration {
        self.attempts += 1;
        let step = self.next;
        self.next = (step * 2).min(LONGEST);
        let share = (self.random.hash_one(self.attempts) % 1_000) as u32;
        step / 2 + step / 2_000 * share
    }

    /// The peer took something: the next failure begins anew.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_bounds() {
        let mut backoff = Backoff::new();
        let mut step = FIRST;
        for _ in 0..20 {
            let wait = backoff.wait();
            assert!(wait >= step / 2 && wait <= step, "{wait:?} {step:?}");
            step = (step * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }

    #[test]
    fn two_senders_do_not_wait_alike() {
        let waits = || {
            let mut backoff = Backoff::new();
            (0..8).map(|_| backoff.wait()).collect::<Vec<_>>()
        };
        assert_ne!(waits(), waits());
    }
}
