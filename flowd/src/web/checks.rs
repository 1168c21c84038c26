//! Checks of passwords, which are dear on purpose: one at a time, a few that wait, and within a share of one core.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Mutex,
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

use crate::clock;

/// Checks that wait at most.
const WAITING: usize = 8;
/// After a check, none for so many times as long as it took: a fifth of a core at most.
const REST: u32 = 4;

#[derive(Debug, Default)]
pub(super) struct Checks {
    waiting: AtomicUsize,
    /// When the next one may begin.
    next: Mutex<Option<Instant>>,
}

/// As many checks wait as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crowded;

/// One that waits or is under way.
struct Waiting(Arc<Checks>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Checks {
    /// What `check` says, once it is its turn. It goes on to its end where nobody waits for that any more: else clients
    /// that leave could have many under way.
    pub(super) async fn run(
        self: &Arc<Self>,
        check: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<bool, Crowded> {
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let waiting = Waiting(Arc::clone(self));
        if before > WAITING {
            return Err(Crowded);
        }
        let checked = tokio::spawn(async move {
            let mut next = waiting.0.next.lock().await;
            if let Some(next) = *next {
                sleep_until(next).await;
            }
            let timed = move || {
                let before = clock::thread().unwrap_or_default();
                let right = check();
                (right, clock::thread().unwrap_or_default().saturating_sub(before))
            };
            let (right, spent) = spawn_blocking(timed).await.unwrap_or_default();
            *next = Some(Instant::now() + Duration::from_nanos(spent) * REST);
            right
        });
        Ok(checked.await.unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_few_that_wait() {
        let checks = Arc::new(Checks::default());
        let busy = Arc::new(AtomicBool::new(false));
        let (mut tasks, mut crowded) = (Vec::new(), 0);
        for _ in 0..3 * WAITING {
            let (checks, busy) = (Arc::clone(&checks), Arc::clone(&busy));
            let check = move || {
                assert!(!busy.swap(true, Ordering::AcqRel), "two at a time");
                std::thread::sleep(Duration::from_millis(5));
                busy.store(false, Ordering::Release);
                true
            };
            tasks.push(tokio::spawn(async move { checks.run(check).await }));
        }
        for task in tasks {
            match task.await.unwrap() {
                Ok(right) => assert!(right),
                Err(Crowded) => crowded += 1,
            }
        }
        assert!(crowded >= WAITING - 1, "{crowded} were sent away");
        assert_eq!(checks.waiting.load(Ordering::Acquire), 0);
    }

    #[tokio::test]
    async fn clients_that_leave_have_no_more_under_way() {
        let checks = Arc::new(Checks::default());
        let busy = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        for _ in 0..20 {
            let (busy, most) = (Arc::clone(&busy), Arc::clone(&most));
            let check = move || {
                most.fetch_max(busy.fetch_add(1, Ordering::AcqRel) + 1, Ordering::AcqRel);
                std::thread::sleep(Duration::from_millis(20));
                busy.fetch_sub(1, Ordering::AcqRel);
                false
            };
            // Gone before the answer.
            let _ = tokio::time::timeout(Duration::from_millis(2), checks.run(check)).await;
        }
        while checks.waiting.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(most.load(Ordering::Acquire), 1);
    }

    #[tokio::test]
    async fn they_take_a_fifth_of_a_core() {
        let checks = Arc::new(Checks::default());
        let spin = || {
            let start = clock::thread().unwrap();
            while clock::thread().unwrap() - start < 10_000_000 {}
            true
        };
        let start = Instant::now();
        for _ in 0..4 {
            checks.run(spin).await.unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(4 * 10 + 3 * 40), "{:?}", start.elapsed());
    }
}
