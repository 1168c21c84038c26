//! One budget of memory for all answers under way, however many clients ask and however slowly they read.
//!
//! Where it is used up, the answer that has been under way longest makes room once it has had some seconds; the
//! request gets 503 where there is none. Answers of a few hundred bytes (health, errors) take nothing of it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use crate::telemetry::{Refusal, Refusals};

/// Bytes of all answers under way.
pub const TOTAL: usize = 64 << 20;
/// Of these, bytes that only answers of /metrics may take: whoever reads lists does not make scrapes fail.
const KEPT_FOR_METRICS: usize = 32 << 20;
/// An answer makes room for others only once it has been under way for this long.
const GRACE: Duration = Duration::from_secs(5);

/// So much of what was freed is worth the look through the allocator that gives it back to the kernel.
const MUCH: usize = 8 << 20;
/// That waits until no more than this is in use.
const QUIET: usize = 1 << 20;

/// What an answer is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Metrics,
    Api,
}

/// No answer under way can make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

/// An answer that holds some of the budget until its client has read it.
pub(super) trait UnderWay: std::fmt::Debug + Send + Sync {
    fn share(&self) -> Share;

    /// How long it has been under way.
    fn age(&self) -> Duration;

    /// Ends it, as others need its room; gives back how many bytes it held.
    fn revoke(&self) -> usize;
}

#[derive(Debug)]
pub(super) struct Budget {
    total: usize,
    kept: usize,
    grace: Duration,
    inner: Mutex<Inner>,
    refusals: Arc<Refusals>,
}

#[derive(Debug, Default)]
struct Inner {
    metrics: usize,
    api: usize,
    /// Bytes that were freed since that was last asked.
    freed: usize,
    /// The oldest first.
    answers: Vec<Weak<dyn UnderWay>>,
}

impl Inner {
    const fn of(&mut self, share: Share) -> &mut usize {
        match share {
            Share::Metrics => &mut self.metrics,
            Share::Api => &mut self.api,
        }
    }

    const fn free(&mut self, share: Share, bytes: usize) {
        let of = self.of(share);
        *of = of.saturating_sub(bytes);
        self.freed = self.freed.saturating_add(bytes);
    }
}

#[cfg(test)]
impl Default for Budget {
    fn default() -> Self {
        Self::new(TOTAL, KEPT_FOR_METRICS, GRACE, Arc::default())
    }
}

impl Budget {
    fn new(total: usize, kept: usize, grace: Duration, refusals: Arc<Refusals>) -> Self {
        Self { total, kept, grace, inner: Mutex::default(), refusals }
    }

    /// The one budget of a web server.
    pub(super) fn counted(refusals: Arc<Refusals>) -> Self {
        Self::new(TOTAL, KEPT_FOR_METRICS, GRACE, refusals)
    }

    #[cfg(test)]
    pub(super) fn small(total: usize, kept: usize, grace: Duration) -> Self {
        Self::new(total, kept, grace, Arc::default())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes so many bytes; they are given back by [`Self::give_back`].
    pub(super) fn take(&self, share: Share, bytes: usize) -> Result<(), Exhausted> {
        // Dropped after the lock, which a parcel takes when it goes.
        let mut held: Vec<Arc<dyn UnderWay>> = Vec::new();
        let mut inner = self.inner();
        loop {
            let (used, room) = match share {
                Share::Metrics => (inner.metrics + inner.api, self.total),
                Share::Api => (inner.api, self.total - self.kept),
            };
            if used + bytes <= room {
                *inner.of(share) += bytes;
                return Ok(());
            }
            let parcels = inner.answers.iter().filter_map(Weak::upgrade);
            let found = held.len();
            held.extend(parcels.filter(|parcel| share == Share::Metrics || parcel.share() == Share::Api));
            let oldest =
                held.get(found..).unwrap_or_default().iter().find(|parcel| parcel.age() >= self.grace);
            let Some(oldest) = oldest.cloned() else {
                self.refusals.count(Refusal::Memory);
                return Err(Exhausted);
            };
            let freed = oldest.revoke();
            inner.free(oldest.share(), freed);
            inner.answers.retain(|parcel| !std::ptr::addr_eq(parcel.as_ptr(), Arc::as_ptr(&oldest)));
            self.refusals.count(Refusal::Slow);
        }
    }

    pub(super) fn give_back(&self, share: Share, bytes: usize) {
        self.inner().free(share, bytes);
    }

    /// True once much was freed and little is in use.
    pub(super) fn has_freed_much(&self) -> bool {
        let mut inner = self.inner();
        let much = inner.freed >= MUCH && inner.metrics + inner.api <= QUIET;
        if much {
            inner.freed = 0;
        }
        much
    }

    /// Notes an answer that may be asked to make room.
    pub(super) fn note(&self, answer: &Arc<dyn UnderWay>) {
        let mut inner = self.inner();
        inner.answers.retain(|parcel| parcel.strong_count() > 0);
        inner.answers.push(Arc::downgrade(answer));
    }

    /// Bytes of all answers under way.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        let inner = self.inner();
        inner.metrics + inner.api
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{
        super::parcel::{Packer, Parcel},
        *,
    };

    const MIB: usize = 1 << 20;

    fn parcel(budget: &Arc<Budget>, share: Share, bytes: usize) -> Option<Arc<Parcel>> {
        let mut packer = Packer::new(budget, share);
        packer.write_all(&vec![1; bytes]).ok()?;
        Some(packer.finish())
    }

    #[test]
    fn answers_under_way_are_bounded_in_sum_and_give_it_all_back() {
        let budget = Arc::new(Budget::small(8 * MIB, 4 * MIB, Duration::from_secs(3_600)));
        let lists: Vec<_> = (0..9).filter_map(|_| parcel(&budget, Share::Api, MIB)).collect();
        assert_eq!((lists.len(), budget.used()), (4, 4 * MIB), "the rest is kept for metrics");
        let metrics: Vec<_> = (0..9).filter_map(|_| parcel(&budget, Share::Metrics, MIB)).collect();
        assert_eq!((metrics.len(), budget.used()), (4, 8 * MIB));
        // What could not be finished has left nothing.
        assert!(parcel(&budget, Share::Metrics, 1).is_none());
        drop(lists);
        assert_eq!(budget.used(), 4 * MIB);
        assert_eq!(parcel(&budget, Share::Metrics, 4 * MIB).unwrap().size(), 4 * MIB);
        assert!(!budget.has_freed_much(), "some of it is in use");
        drop(metrics);
        assert!(budget.has_freed_much() && !budget.has_freed_much(), "told once");
        assert_eq!((budget.used(), budget.refusals.of(Refusal::Slow)), (0, 0));
    }

    #[test]
    fn what_is_under_way_longest_makes_room() {
        let budget = Arc::new(Budget::small(4 * MIB, MIB, Duration::ZERO));
        let list = parcel(&budget, Share::Api, 2 * MIB).unwrap();
        let metrics = parcel(&budget, Share::Metrics, 2 * MIB).unwrap();
        // Lists take nothing from metrics.
        let other = parcel(&budget, Share::Api, 2 * MIB).unwrap();
        assert_eq!((budget.refusals.of(Refusal::Slow), list.revoke(), budget.used()), (1, 0, 4 * MIB));
        assert!(parcel(&budget, Share::Api, 4 * MIB).is_none(), "more than there is");
        assert_eq!(other.revoke(), 0);
        let newer = parcel(&budget, Share::Metrics, 3 * MIB).unwrap();
        assert_eq!((metrics.revoke(), budget.used()), (0, 3 * MIB));
        drop((list, other, metrics, newer));
        assert_eq!(budget.used(), 0);
    }
}
