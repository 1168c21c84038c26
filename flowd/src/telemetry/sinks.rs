//! What sinks did: one set of counters per label value, kept over reloads.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// Why a transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorReason {
    /// Nobody listens there, or the connection was closed.
    Refused,
    /// No route, no such host.
    Unreachable,
    /// Permissions.
    Denied,
    /// No space, a quota, or a bound on a file's size.
    Full,
    TimedOut,
    /// A record could not be written in the sink's format.
    Format,
    Other,
}

impl ErrorReason {
    /// In the order of the counters.
    pub const ALL: [Self; 7] = [
        Self::Refused,
        Self::Unreachable,
        Self::Denied,
        Self::Full,
        Self::TimedOut,
        Self::Format,
        Self::Other,
    ];

    /// The label value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Denied => "denied",
            Self::Full => "full",
            Self::TimedOut => "timed_out",
            Self::Format => "format",
            Self::Other => "other",
        }
    }
}

/// Why a record was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The queue was full.
    Queue,
    /// Writing failed, and what had been tried is not tried again.
    Write,
    /// It could not be written in the sink's format.
    Format,
    /// The sink was closed before its transport took the record.
    End,
}

impl DropReason {
    /// In the order of the counters.
    pub const ALL: [Self; 4] = [Self::Queue, Self::Write, Self::Format, Self::End];

    /// The label value.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Write => "write",
            Self::Format => "format",
            Self::End => "end",
        }
    }
}

/// What one sink did, or several with one label value. Every record that is offered ends up in `records` or in
/// `dropped`; those in between wait.
#[derive(Debug)]
pub struct SinkCounters {
    /// The label value.
    pub name: Arc<str>,
    offered: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
    errors: [AtomicU64; ErrorReason::ALL.len()],
    dropped: [AtomicU64; DropReason::ALL.len()],
    /// Processor time of its threads, nanoseconds.
    spent: AtomicU64,
    /// Sinks that are open, and those of them whose transport does not work.
    open: AtomicU64,
    down: AtomicU64,
}

fn sum(counts: &[AtomicU64]) -> u64 {
    counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
}

fn add(counts: &[AtomicU64], at: usize, count: u64) {
    if let Some(place) = counts.get(at) {
        place.fetch_add(count, Ordering::Relaxed);
    }
}

impl SinkCounters {
    /// Zeros.
    #[must_use]
    pub fn new(name: &str) -> Arc<Self> {
        let zero = AtomicU64::default;
        Arc::new(Self {
            name: Arc::from(name),
            offered: zero(),
            records: zero(),
            bytes: zero(),
            errors: Default::default(),
            dropped: Default::default(),
            spent: zero(),
            open: zero(),
            down: zero(),
        })
    }

    /// Counts one record that came.
    pub fn offer(&self) {
        self.offered.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts records that the transport took, in this many bytes.
    pub fn write(&self, records: u64, bytes: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a failure.
    pub fn fail(&self, reason: ErrorReason) {
        add(&self.errors, reason as usize, 1);
    }

    /// Counts records that are lost.
    pub fn lose(&self, reason: DropReason, records: u64) {
        add(&self.dropped, reason as usize, records);
    }

    /// Adds processor time, nanoseconds.
    pub fn spend(&self, nanoseconds: u64) {
        self.spent.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Processor time of its threads, nanoseconds.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    /// Counts a sink that opens.
    pub fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a sink that ends, whose transport works.
    pub fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts a transport that works no more.
    pub fn went_down(&self) {
        self.down.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a transport that works again.
    pub fn came_up(&self) {
        self.down.fetch_sub(1, Ordering::Relaxed);
    }

    /// Records written.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Bytes written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Failures of all reasons.
    #[must_use]
    pub fn errors(&self) -> u64 {
        sum(&self.errors)
    }

    /// Failures by reason.
    pub fn errors_by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ErrorReason::ALL
            .into_iter()
            .zip(&self.errors)
            .map(|(reason, count)| (reason.name(), count.load(Ordering::Relaxed)))
    }

    /// Records lost for all reasons.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        sum(&self.dropped)
    }

    /// Records lost by reason.
    pub fn dropped_by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> {
        DropReason::ALL
            .into_iter()
            .zip(&self.dropped)
            .map(|(reason, count)| (reason.name(), count.load(Ordering::Relaxed)))
    }

    /// Records that wait.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        // Read last, as it is counted first.
        let done = self.records() + self.dropped();
        self.offered.load(Ordering::Relaxed).saturating_sub(done)
    }

    /// Whether all of its transports work; `None` while no sink with this name is open.
    #[must_use]
    pub fn is_up(&self) -> Option<bool> {
        (self.open.load(Ordering::Relaxed) > 0).then(|| self.down.load(Ordering::Relaxed) == 0)
    }
}

/// The counters of every sink that there is or was, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct SinkList(Arc<Mutex<Vec<Arc<SinkCounters>>>>);

impl SinkList {
    /// The counters with this name; new ones where there are none yet.
    #[must_use]
    pub fn get(&self, name: &str) -> Arc<SinkCounters> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = list.iter().find(|counters| &*counters.name == name) {
            return Arc::clone(found);
        }
        let new = SinkCounters::new(name);
        list.push(Arc::clone(&new));
        new
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<SinkCounters>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl From<Vec<Arc<SinkCounters>>> for SinkList {
    fn from(list: Vec<Arc<SinkCounters>>) -> Self {
        Self(Arc::new(Mutex::new(list)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_are_in_the_order_of_their_counters() {
        assert!(ErrorReason::ALL.iter().enumerate().all(|(at, reason)| *reason as usize == at));
        assert!(DropReason::ALL.iter().enumerate().all(|(at, reason)| *reason as usize == at));
    }

    #[test]
    fn one_name_has_one_set_of_counters() {
        let list = SinkList::default();
        list.get("a").write(3, 100);
        list.get("b").lose(DropReason::Queue, 1);
        assert_eq!((list.get("a").records(), list.get("a").bytes(), list.all().len()), (3, 100, 2));
        assert_eq!(list.get("a").is_up(), None);
        list.get("a").opened();
        assert_eq!(list.get("a").is_up(), Some(true));
        list.get("a").went_down();
        assert_eq!(list.get("a").is_up(), Some(false));
    }
}
