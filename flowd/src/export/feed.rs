//! The latest lines for the API: some of them kept, each new one offered to the clients that follow.
//!
//! One feed per kind of line. It is written by the thread that reads from the kernel, so nothing here waits: a
//! client that reads too slowly loses lines, is told how many, and they are counted.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

use crate::telemetry::{DropReason, SinkCounters};

/// Lines that wait for one client at most.
const QUEUE: usize = 1_024;

/// Which lines a client wants.
pub type Wanted<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

/// Lines of one kind.
pub struct Feed<T> {
    counters: Arc<SinkCounters>,
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    keep: usize,
    clients: usize,
    latest: VecDeque<Arc<T>>,
    followers: Vec<Follower<T>>,
    closed: bool,
}

struct Follower<T> {
    wanted: Wanted<T>,
    queue: Sender<Arc<T>>,
    lost: Arc<AtomicU64>,
}

/// What one client gets: some lines of the past, then each new one.
pub struct Follow<T> {
    past: VecDeque<Arc<T>>,
    queue: Receiver<Arc<T>>,
    lost: Arc<AtomicU64>,
}

/// What a client that follows is sent.
#[derive(Debug)]
pub enum News<T> {
    Line(Arc<T>),
    /// So many lines found its queue full since the last time.
    Lost(u64),
}

/// As many clients follow as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} clients follow already: end one of them, or raise api.streams")]
pub struct Crowded {
    pub limit: usize,
}

impl<T> Feed<T> {
    /// Keeps the latest `keep` lines, for at most `clients` that follow. The counters are of lines sent to
    /// clients.
    #[must_use]
    pub fn new(keep: usize, clients: usize, counters: Arc<SinkCounters>) -> Self {
        let (latest, followers) = (VecDeque::new(), Vec::new());
        Self { counters, inner: Mutex::new(Inner { keep, clients, latest, followers, closed: false }) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps so many lines, for so many clients, from now on; clients that follow already are not sent away.
    pub fn resize(&self, keep: usize, clients: usize) {
        let mut inner = self.inner();
        (inner.keep, inner.clients) = (keep, clients);
        let surplus = inner.latest.len().saturating_sub(keep);
        inner.latest.drain(..surplus);
    }

    /// Forgets the lines that are kept.
    pub fn forget(&self) {
        self.inner().latest.clear();
    }

    /// Takes a new line.
    pub fn push(&self, line: &Arc<T>) {
        let mut inner = self.inner();
        if inner.keep > 0 {
            if inner.latest.len() >= inner.keep {
                inner.latest.pop_front();
            }
            inner.latest.push_back(Arc::clone(line));
        }
        inner.followers.retain(|follower| {
            if !(follower.wanted)(line) {
                return !follower.queue.is_closed();
            }
            match follower.queue.try_send(Arc::clone(line)) {
                Ok(()) => {
                    self.counters.write(1, 0);
                    true
                }
                Err(TrySendError::Full(_)) => {
                    follower.lost.fetch_add(1, Ordering::Relaxed);
                    self.counters.lose(DropReason::Queue, 1);
                    true
                }
                Err(TrySendError::Closed(_)) => false,
            }
        });
    }

    /// The latest `count` lines that are wanted, the youngest last.
    #[must_use]
    pub fn latest(&self, count: usize, wanted: &dyn Fn(&T) -> bool) -> Vec<Arc<T>> {
        latest(&self.inner().latest, count, wanted)
    }

    /// From the latest `past` of the lines wanted on, each new one.
    ///
    /// # Errors
    /// Refuses where as many clients follow as may.
    pub fn follow(&self, past: usize, wanted: Wanted<T>) -> Result<Follow<T>, Crowded> {
        let (queue, receiver) = channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let mut inner = self.inner();
        inner.followers.retain(|follower| !follower.queue.is_closed());
        if inner.followers.len() >= inner.clients {
            return Err(Crowded { limit: inner.clients });
        }
        let past = latest(&inner.latest, past, &*wanted).into();
        // After the end a new client gets the past only.
        if !inner.closed {
            inner.followers.push(Follower { wanted, queue, lost: Arc::clone(&lost) });
        }
        Ok(Follow { past, queue: receiver, lost })
    }

    /// Ends every stream when it has sent what is queued.
    pub fn close(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        inner.followers.clear();
    }
}

fn latest<T>(lines: &VecDeque<Arc<T>>, count: usize, wanted: &dyn Fn(&T) -> bool) -> Vec<Arc<T>> {
    let mut found: Vec<_> = lines.iter().rev().filter(|line| wanted(line)).take(count).cloned().collect();
    found.reverse();
    found
}

impl<T> Follow<T> {
    /// The next news; `None` at the end.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<News<T>>> {
        if let Some(line) = self.past.pop_front() {
            return Poll::Ready(Some(News::Line(line)));
        }
        match self.lost.swap(0, Ordering::Relaxed) {
            0 => self.queue.poll_recv(context).map(|line| line.map(News::Line)),
            lost => Poll::Ready(Some(News::Lost(lost))),
        }
    }
}

impl<T> std::fmt::Debug for Feed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn feed(keep: usize, clients: usize) -> (Feed<u32>, Arc<SinkCounters>) {
        let counters = SinkCounters::new("test");
        (Feed::new(keep, clients, Arc::clone(&counters)), counters)
    }

    fn push(feed: &Feed<u32>, numbers: impl IntoIterator<Item = u32>) {
        numbers.into_iter().for_each(|number| feed.push(&Arc::new(number)));
    }

    /// What can be had at once: lines, those lost, and whether it has ended.
    fn read(follow: &mut Follow<u32>) -> (Vec<u32>, u64, bool) {
        let (mut lines, mut all) = (Vec::new(), 0);
        loop {
            match follow.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(News::Line(line))) => lines.push(*line),
                Poll::Ready(Some(News::Lost(lost))) => all += lost,
                Poll::Ready(None) => return (lines, all, true),
                Poll::Pending => return (lines, all, false),
            }
        }
    }

    #[test]
    fn the_latest_are_kept_and_no_more() {
        let (feed, _) = feed(3, 1);
        push(&feed, 0..10);
        let all = |_: &u32| true;
        assert_eq!(feed.latest(10, &all), [7, 8, 9].map(Arc::new));
        assert_eq!(feed.latest(1, &all), [Arc::new(9)]);
        assert_eq!(feed.latest(10, &|number| number % 2 == 0), [Arc::new(8)]);
        let (none, _) = self::feed(0, 1);
        push(&none, 0..10);
        assert!(none.latest(10, &all).is_empty());
    }

    #[test]
    fn a_client_gets_the_past_and_then_what_it_wants() {
        let (feed, counters) = feed(10, 1);
        push(&feed, 0..10);
        let mut follow = feed.follow(2, Box::new(|number| number % 2 == 1)).unwrap();
        push(&feed, 10..14);
        assert_eq!(read(&mut follow), (vec![7, 9, 11, 13], 0, false));
        assert_eq!(counters.records(), 2);
        feed.close();
        assert_eq!(read(&mut follow), (vec![], 0, true));
    }

    #[test]
    fn a_slow_client_is_told_what_it_lost() {
        let (feed, counters) = feed(0, 1);
        let mut follow = feed.follow(0, Box::new(|_| true)).unwrap();
        push(&feed, 0..QUEUE as u32 + 5);
        let (lines, lost, _) = read(&mut follow);
        assert_eq!((lines.len(), lost), (QUEUE, 5));
        assert_eq!(counters.dropped(), 5);
        push(&feed, [7]);
        assert_eq!(read(&mut follow), (vec![7], 0, false));
    }

    #[test]
    fn other_sizes_are_taken_over() {
        let (feed, _) = feed(4, 2);
        push(&feed, 0..4);
        let mut follow = feed.follow(0, Box::new(|_| true)).unwrap();
        feed.resize(2, 1);
        let all = |_: &u32| true;
        assert_eq!(feed.latest(10, &all), [2, 3].map(Arc::new));
        assert!(feed.follow(0, Box::new(|_| true)).is_err(), "one follows already");
        push(&feed, 4..9);
        assert_eq!(feed.latest(10, &all), [7, 8].map(Arc::new));
        assert_eq!(read(&mut follow), (vec![4, 5, 6, 7, 8], 0, false));
        feed.resize(3, 2);
        push(&feed, [9]);
        assert_eq!(feed.latest(10, &all).len(), 3);
        feed.forget();
        assert!(feed.latest(10, &all).is_empty());
    }

    #[test]
    fn clients_are_bounded_and_leave_room_when_they_go() {
        let (feed, _) = feed(0, 1);
        let follow = feed.follow(0, Box::new(|_| true)).unwrap();
        let refused = feed.follow(0, Box::new(|_| true)).err().unwrap().to_string();
        assert!(refused.contains("api.streams"), "{refused}");
        drop(follow);
        assert!(feed.follow(0, Box::new(|_| true)).is_ok());
    }
}
