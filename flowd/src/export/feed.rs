//! The latest lines for the API: some of them kept, each new one offered to the clients that follow.
//!
//! It is written by the thread that reads from the kernel, so nothing here waits: a client that reads too slowly loses
//! lines, is told how many, and they are counted.

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

/// What is kept apart, so that much of one does not drive out the other; each has an API of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Lines of HTTP.
    Http,
    /// Lines of every other protocol.
    Requests,
}

impl Group {
    /// In the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Http, Self::Requests];

    /// The sink under which lines count that its API streams.
    #[must_use]
    pub const fn stream(self) -> &'static str {
        match self {
            Self::Http => "http_stream",
            Self::Requests => "request_stream",
        }
    }
}

/// What a feed may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Lines that are kept of each group.
    pub keep: [usize; Group::ALL.len()],
    /// Clients that follow at once, whatever the API.
    pub clients: usize,
}

/// Lines, in the order in which they came.
pub struct Feed<T> {
    /// Of lines sent to clients, by the API that they asked.
    counters: [Arc<SinkCounters>; Group::ALL.len()],
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    clients: usize,
    rings: [Ring<T>; Group::ALL.len()],
    /// Lines that came so far.
    count: u64,
    followers: Vec<Follower<T>>,
    closed: bool,
}

/// The latest lines of a group, each with its number.
struct Ring<T> {
    keep: usize,
    latest: VecDeque<(u64, T)>,
}

struct Follower<T> {
    wanted: Wanted<T>,
    queue: Sender<T>,
    lost: Arc<AtomicU64>,
    counters: Arc<SinkCounters>,
}

/// What one client gets: some lines of the past, then each new one.
pub struct Follow<T> {
    past: VecDeque<T>,
    queue: Receiver<T>,
    lost: Arc<AtomicU64>,
}

/// What a client that follows is sent.
#[derive(Debug)]
pub enum News<T> {
    Line(T),
    /// So many lines found its queue full since the last time.
    Lost(u64),
}

/// As many clients follow as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} clients follow already: end one of them, or raise api.streams")]
pub struct Crowded {
    pub limit: usize,
}

impl<T: Clone> Feed<T> {
    /// Holds as much as `bounds` say; `counters` gives those of a sink by its name.
    #[must_use]
    pub fn new(bounds: Bounds, counters: impl Fn(&'static str) -> Arc<SinkCounters>) -> Self {
        let rings = bounds.keep.map(|keep| Ring { keep, latest: VecDeque::new() });
        let inner = Inner { clients: bounds.clients, rings, count: 0, followers: Vec::new(), closed: false };
        Self { counters: Group::ALL.map(|group| counters(group.stream())), inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds as much as `bounds` say from now on; clients that follow already are not sent away.
    pub fn resize(&self, bounds: Bounds) {
        let mut inner = self.inner();
        inner.clients = bounds.clients;
        for (ring, keep) in inner.rings.iter_mut().zip(bounds.keep) {
            ring.keep = keep;
            let surplus = ring.latest.len().saturating_sub(keep);
            ring.latest.drain(..surplus);
        }
    }

    /// Forgets the lines that are kept.
    pub fn forget(&self) {
        self.inner().rings.iter_mut().for_each(|ring| ring.latest.clear());
    }

    /// Takes a new line.
    pub fn push(&self, group: Group, line: &T) {
        let mut inner = self.inner();
        let Inner { rings: [http, requests], count, followers, .. } = &mut *inner;
        *count += 1;
        let ring = match group {
            Group::Http => http,
            Group::Requests => requests,
        };
        if ring.keep > 0 {
            if ring.latest.len() >= ring.keep {
                ring.latest.pop_front();
            }
            ring.latest.push_back((*count, line.clone()));
        }
        followers.retain(|follower| {
            if !(follower.wanted)(line) {
                return !follower.queue.is_closed();
            }
            match follower.queue.try_send(line.clone()) {
                Ok(()) => {
                    follower.counters.write(1, 0);
                    true
                }
                Err(TrySendError::Full(_)) => {
                    follower.lost.fetch_add(1, Ordering::Relaxed);
                    follower.counters.lose(DropReason::Queue, 1);
                    true
                }
                Err(TrySendError::Closed(_)) => false,
            }
        });
    }

    /// The latest `count` lines that are wanted, of all groups, the youngest last.
    #[must_use]
    pub fn latest(&self, count: usize, wanted: &dyn Fn(&T) -> bool) -> Vec<T> {
        self.inner().latest(count, wanted)
    }

    /// From the latest `past` of the lines wanted on, each new one, for a client of the API of `group`.
    ///
    /// # Errors
    /// Refuses where as many clients follow as may.
    pub fn follow(&self, group: Group, past: usize, wanted: Wanted<T>) -> Result<Follow<T>, Crowded> {
        let (queue, receiver) = channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let mut inner = self.inner();
        inner.followers.retain(|follower| !follower.queue.is_closed());
        if inner.followers.len() >= inner.clients {
            return Err(Crowded { limit: inner.clients });
        }
        let past = inner.latest(past, &*wanted).into();
        // After the end a new client gets the past only.
        if !inner.closed {
            let [http, requests] = &self.counters;
            let counters = Arc::clone(match group {
                Group::Http => http,
                Group::Requests => requests,
            });
            inner.followers.push(Follower { wanted, queue, lost: Arc::clone(&lost), counters });
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

impl<T: Clone> Inner<T> {
    fn latest(&self, count: usize, wanted: &dyn Fn(&T) -> bool) -> Vec<T> {
        let mut found = Vec::new();
        for ring in &self.rings {
            let lines = ring.latest.iter().rev().filter(|(_, line)| wanted(line));
            found.extend(lines.take(count));
        }
        found.sort_unstable_by_key(|(number, _)| *number);
        let surplus = found.len().saturating_sub(count);
        found.into_iter().skip(surplus).map(|(_, line)| line.clone()).collect()
    }
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

    const fn bounds(keep: usize, clients: usize) -> Bounds {
        Bounds { keep: [keep; 2], clients }
    }

    /// A feed with the counters of HTTP's stream.
    fn feed(keep: usize, clients: usize) -> (Feed<u32>, Arc<SinkCounters>) {
        let feed = Feed::new(bounds(keep, clients), SinkCounters::new);
        let counters = Arc::clone(&feed.counters[0]);
        (feed, counters)
    }

    fn push(feed: &Feed<u32>, numbers: impl IntoIterator<Item = u32>) {
        numbers.into_iter().for_each(|number| feed.push(Group::Http, &number));
    }

    /// What can be had at once: lines, those lost, and whether it has ended.
    fn read(follow: &mut Follow<u32>) -> (Vec<u32>, u64, bool) {
        let (mut lines, mut all) = (Vec::new(), 0);
        loop {
            match follow.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(Some(News::Line(line))) => lines.push(line),
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
        assert_eq!(feed.latest(10, &all), [7, 8, 9]);
        assert_eq!(feed.latest(1, &all), [9]);
        assert_eq!(feed.latest(10, &|number| number % 2 == 0), [8]);
        let (none, _) = self::feed(0, 1);
        push(&none, 0..10);
        assert!(none.latest(10, &all).is_empty());
    }

    #[test]
    fn a_client_gets_the_past_and_then_what_it_wants() {
        let (feed, counters) = feed(10, 1);
        push(&feed, 0..10);
        let mut follow = feed.follow(Group::Http, 2, Box::new(|number| number % 2 == 1)).unwrap();
        push(&feed, 10..14);
        assert_eq!(read(&mut follow), (vec![7, 9, 11, 13], 0, false));
        assert_eq!(counters.records(), 2);
        feed.close();
        assert_eq!(read(&mut follow), (vec![], 0, true));
    }

    #[test]
    fn a_slow_client_is_told_what_it_lost() {
        let (feed, counters) = feed(0, 1);
        let mut follow = feed.follow(Group::Http, 0, Box::new(|_| true)).unwrap();
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
        let mut follow = feed.follow(Group::Http, 0, Box::new(|_| true)).unwrap();
        feed.resize(bounds(2, 1));
        let all = |_: &u32| true;
        assert_eq!(feed.latest(10, &all), [2, 3]);
        assert!(feed.follow(Group::Http, 0, Box::new(|_| true)).is_err(), "one follows already");
        push(&feed, 4..9);
        assert_eq!(feed.latest(10, &all), [7, 8]);
        assert_eq!(read(&mut follow), (vec![4, 5, 6, 7, 8], 0, false));
        feed.resize(bounds(3, 2));
        push(&feed, [9]);
        assert_eq!(feed.latest(10, &all).len(), 3);
        feed.forget();
        assert!(feed.latest(10, &all).is_empty());
    }

    #[test]
    fn clients_are_bounded_and_leave_room_when_they_go() {
        let (feed, _) = feed(0, 1);
        let follow = feed.follow(Group::Http, 0, Box::new(|_| true)).unwrap();
        let refused = feed.follow(Group::Http, 0, Box::new(|_| true)).err().unwrap().to_string();
        assert!(refused.contains("api.streams"), "{refused}");
        drop(follow);
        assert!(feed.follow(Group::Http, 0, Box::new(|_| true)).is_ok());
    }

    /// Many lines of one group do not drive out those of the other, and both come in their order.
    #[test]
    fn groups_are_kept_apart_and_shown_in_order() {
        let (feed, http) = feed(2, 1);
        let mut follow = feed.follow(Group::Requests, 0, Box::new(|number| number % 2 == 0)).unwrap();
        feed.push(Group::Requests, &100);
        push(&feed, 0..5);
        feed.push(Group::Requests, &101);
        let all = |_: &u32| true;
        assert_eq!(feed.latest(10, &all), [100, 3, 4, 101]);
        assert_eq!(feed.latest(3, &all), [3, 4, 101]);
        assert_eq!(feed.latest(2, &|number| *number >= 100), [100, 101]);
        assert_eq!(read(&mut follow).0, [100, 0, 2, 4]);
        assert_eq!([http.records(), feed.counters[1].records()], [0, 4], "by the API that was asked");
    }
}
