//! What both halves of a sink know: who offers records, and the thread that writes them.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::telemetry::SinkCounters;

/// What both halves of a sink know.
#[derive(Debug)]
pub(super) struct State {
    /// What it writes, as in messages.
    pub(super) what: Arc<str>,
    pub(super) counters: Arc<SinkCounters>,
    /// Records that found a place in the queue, and those of them that the writer is done with.
    pub(super) queued: AtomicU64,
    pub(super) done: AtomicU64,
    /// Records that were dropped.
    pub(super) lost: AtomicU64,
    /// Nothing more comes.
    pub(super) ending: AtomicBool,
    /// The writer was given up; what it still does is not counted.
    pub(super) abandoned: AtomicBool,
    /// Why the transport does not work.
    problem: Mutex<Option<String>>,
}

impl State {
    pub(super) fn new(what: Arc<str>, counters: Arc<SinkCounters>) -> Self {
        let zero = AtomicU64::default;
        Self {
            what,
            counters,
            queued: zero(),
            done: zero(),
            lost: zero(),
            ending: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            problem: Mutex::new(None),
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Sets whether the transport works.
    pub(super) fn set_problem(&self, problem: Option<String>) {
        let mut current = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if problem.is_some() && self.abandoned.load(Ordering::Acquire) {
            return;
        }
        match (&*current, &problem) {
            (None, Some(_)) => self.counters.went_down(),
            (Some(_), None) => self.counters.came_up(),
            _ => {}
        }
        *current = problem;
    }

    pub(super) fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
