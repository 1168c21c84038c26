//! flowd about itself: its own log on standard error, and counters of its own work.

mod refusals;
mod sinks;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use flow_common::clock::Reuse;
pub use refusals::{Refusal, Refusals};
pub use sinks::{DropReason, ErrorReason, SinkCounters, SinkList};
use tracing_subscriber::EnvFilter;

/// Environment variable with the log's filter, as in `flowd=debug`.
pub const LOG_VARIABLE: &str = "FLOWD_LOG";

/// Upper bounds of the drain's durations in nanoseconds.
pub const DRAIN_BOUNDS: [u64; 8] =
    [1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000, 300_000_000, 1_000_000_000, 3_000_000_000];

/// Starts the log on standard error. Without [`LOG_VARIABLE`], information and worse are shown.
pub fn init() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process, as in tests, keeps the first log.
    let _ = log.with_ansi(terminal).with_target(false).try_init();
}

/// What must go on for the daemon to be of any use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Reads from the kernel.
    Pump,
    /// Answers requests.
    Web,
}

impl Part {
    /// In the order of [`Telemetry::beats`].
    pub const ALL: [Self; 2] = [Self::Pump, Self::Web];
    /// Each says so this often at least.
    pub const BEAT: Duration = Duration::from_millis(500);

    /// In messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pump => "the thread that reads the flow table",
            Self::Web => "the web server",
        }
    }
}

/// What the governor did.
#[derive(Debug, Default)]
pub struct GovernorCounters {
    level: AtomicU64,
    ups: AtomicU64,
    downs: AtomicU64,
}

impl GovernorCounters {
    /// Counts a step to `level`, up or down.
    pub fn changed(&self, level: u8, up: bool) {
        self.level.store(u64::from(level), Ordering::Relaxed);
        let count = if up { &self.ups } else { &self.downs };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// The step.
    #[must_use]
    pub fn level(&self) -> u64 {
        self.level.load(Ordering::Relaxed)
    }

    /// Steps up and down so far.
    #[must_use]
    pub fn changes(&self) -> [(&'static str, u64); 2] {
        [("up", &self.ups), ("down", &self.downs)].map(|(name, count)| (name, count.load(Ordering::Relaxed)))
    }
}

/// What drains of the flow table did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drains {
    /// Drains by [`DRAIN_BOUNDS`], the last bucket unbounded.
    pub buckets: [u64; DRAIN_BOUNDS.len() + 1],
    /// Time spent, seconds.
    pub seconds: f64,
    /// Flows in the kernel's table, and how many fit.
    pub entries: u64,
    pub capacity: u64,
}

/// Watched interfaces that are there no more.
#[derive(Debug, Default)]
struct Lost {
    names: Vec<Arc<str>>,
    all: bool,
}

/// Whether packets are watched as they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Not yet, or no more.
    NotAttached,
    Ready,
    /// Without these interfaces, which have gone.
    Degraded(Vec<Arc<str>>),
    /// Every interface has gone.
    Lost(Vec<Arc<str>>),
}

/// Counters of the daemon's own work.
#[derive(Debug)]
pub struct Telemetry {
    drains: Mutex<Drains>,
    ready: AtomicBool,
    lost: Mutex<Lost>,
    /// Those of logs that are off included: a reload may switch them on.
    pub sinks: SinkList,
    run_times: Mutex<Vec<(String, Duration)>>,
    reuse: Mutex<Reuse>,
    beats: [AtomicU64; Part::ALL.len()],
    pub governor: GovernorCounters,
    /// Processor time of the thread that reads from the kernel, nanoseconds.
    pub reader_spent: AtomicU64,
    /// Of the web server.
    pub refusals: Arc<Refusals>,
}

impl Telemetry {
    /// Zeros for a daemon with these sinks.
    #[must_use]
    pub fn new(sinks: impl Into<SinkList>) -> Self {
        Self {
            drains: Mutex::default(),
            ready: AtomicBool::new(false),
            lost: Mutex::default(),
            sinks: sinks.into(),
            run_times: Mutex::default(),
            reuse: Mutex::default(),
            beats: Default::default(),
            governor: GovernorCounters::default(),
            reader_spent: AtomicU64::new(0),
            refusals: Arc::default(),
        }
    }

    /// Processor time that packets and lines have cost so far, nanoseconds: of the thread that reads them, and of those
    /// that write logs. No client of the web server can add to it.
    #[must_use]
    pub fn spent(&self) -> [(&'static str, u64); 2] {
        let logs = self.sinks.all().iter().map(|sink| sink.spent()).sum();
        [("reader", self.reader_spent.load(Ordering::Relaxed)), ("logs", logs)]
    }

    /// Says that `part` goes on.
    pub fn beat(&self, part: Part) {
        let [pump, web] = &self.beats;
        let beats = match part {
            Part::Pump => pump,
            Part::Web => web,
        };
        beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often each part has said so.
    #[must_use]
    pub fn beats(&self) -> [u64; Part::ALL.len()] {
        self.beats.each_ref().map(|beats| beats.load(Ordering::Relaxed))
    }

    /// Sets how long each program has run in the kernel.
    pub fn ran(&self, programs: Vec<(String, Duration)>) {
        *self.run_times.lock().unwrap_or_else(PoisonError::into_inner) = programs;
    }

    /// How long each program had run at the last drain; nothing where the kernel does not measure it.
    #[must_use]
    pub fn run_times(&self) -> Vec<(String, Duration)> {
        self.run_times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how packets had their times up to this drain.
    pub fn reused(&self, reuse: Reuse) {
        *self.reuse.lock().unwrap_or_else(PoisonError::into_inner) = reuse;
    }

    /// How packets had their times up to the last drain.
    #[must_use]
    pub fn reuse(&self) -> Reuse {
        *self.reuse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a drain that took `duration`.
    pub fn drained(&self, duration: Duration, entries: u64, capacity: u64) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = DRAIN_BOUNDS.iter().position(|bound| ns <= *bound).unwrap_or(DRAIN_BOUNDS.len());
        let mut drains = self.drains.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = drains.buckets.get_mut(bucket) {
            *count += 1;
        }
        drains.seconds += duration.as_secs_f64();
        (drains.entries, drains.capacity) = (entries, capacity);
    }

    /// Drains so far.
    #[must_use]
    pub fn drains(&self) -> Drains {
        *self.drains.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether the programs are attached.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    /// Sets which of the watched interfaces are there no more, and whether any other is.
    pub fn set_lost(&self, names: Vec<Arc<str>>, all: bool) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Lost { names, all };
    }

    /// Whether packets are watched as they should be.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        if !self.ready.load(Ordering::Acquire) {
            return Readiness::NotAttached;
        }
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match &*lost {
            Lost { names, .. } if names.is_empty() => Readiness::Ready,
            Lost { names, all: false } => Readiness::Degraded(names.clone()),
            Lost { names, all: true } => Readiness::Lost(names.clone()),
        }
    }
}
