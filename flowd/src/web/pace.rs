//! How often something may happen: so many at once, and then one per period.

use std::time::{Duration, Instant};

/// A leaky bucket, as the time at which all that happened so far would have happened at the even pace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    period: Duration,
    burst: u32,
    paid: Option<Instant>,
}

impl Pace {
    pub(super) const fn new(period: Duration, burst: u32) -> Self {
        Self { period, burst, paid: None }
    }

    /// How long until it may happen again; zero: now.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let ahead = self.paid.map_or(Duration::ZERO, |paid| paid.saturating_duration_since(now));
        (ahead + self.period).saturating_sub(self.period * self.burst)
    }

    /// It has happened, whether it might or not.
    pub(super) fn spend(&mut self, now: Instant) {
        self.paid = Some(self.paid.map_or(now, |paid| paid.max(now)) + self.period);
    }

    /// As if it had happened once less.
    pub(super) fn refund(&mut self) {
        self.paid = self.paid.and_then(|paid| paid.checked_sub(self.period));
    }

    /// True if it may happen; it then has.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let may = self.wait(now).is_zero();
        if may {
            self.spend(now);
        }
        may
    }

    /// True where nothing is left of what happened.
    pub(super) fn is_rested(&self, now: Instant) -> bool {
        self.paid.is_none_or(|paid| paid <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_per_period() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(second, 3);
        let taken = |pace: &mut Pace, at: u32| (0..10).filter(|_| pace.take(start + second * at)).count();
        assert_eq!((taken(&mut pace, 0), pace.wait(start)), (3, second));
        assert_eq!(taken(&mut pace, 1), 1);
        pace.refund();
        assert_eq!(taken(&mut pace, 1), 1);
        assert!(!pace.is_rested(start + second * 3) && pace.is_rested(start + second * 4));
        assert_eq!(taken(&mut pace, 100), 3, "no more is saved up than a burst");
    }
}
