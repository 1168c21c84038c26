//! One sink: its queue, its thread, and how it ends.

use std::{
    sync::{Arc, atomic::Ordering, mpsc::sync_channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tracing::error;

use super::{
    SinkError,
    format::Format,
    queue::{NUDGE, Queue},
    spec::Spec,
    state::State,
    transport::Transport,
    writer::Writer,
};
use crate::{
    record::Record,
    telemetry::{DropReason, SinkCounters},
    threads::{self, Role},
};

/// How a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Up,
    /// Its transport does not work, and why.
    Down(String),
}

/// How a sink ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub label: Arc<str>,
    /// Records that were dropped, from its first to its last.
    pub lost: u64,
    /// Why its transport did not work in the end.
    pub problem: Option<String>,
}

/// A sink in use.
#[derive(Debug)]
pub struct Sink {
    spec: Spec,
    queue: Queue,
    state: Arc<State>,
    thread: JoinHandle<()>,
    patience: Duration,
}

impl Sink {
    /// Starts the thread of a sink. At the end, a transport that takes nothing for as long as `patience` is given up.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(
        spec: Spec,
        format: Box<dyn Format>,
        transport: Box<dyn Transport>,
        counters: Arc<SinkCounters>,
        patience: Duration,
    ) -> Result<Self, SinkError> {
        let state = Arc::new(State::new(spec.what(), counters));
        let (sender, receiver) = sync_channel(spec.queue);
        let mut writer = Writer::new(format, transport, Arc::clone(&state));
        let thread = threads::start(Role::Log(spec.thread), move || writer.run(&receiver));
        let thread = thread.map_err(|source| SinkError::Thread { what: spec.what(), source })?;
        state.counters.opened();
        let queue = Queue::new(sender, spec.queue, Arc::clone(&state), patience);
        Ok(Self { spec, queue, state, thread, patience })
    }

    /// What it was asked to be.
    #[must_use]
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether it wants records of this kind.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.spec.wants(kind)
    }

    /// How it is.
    #[must_use]
    pub fn health(&self) -> Health {
        self.state.problem().map_or(Health::Up, Health::Down)
    }

    /// Queues a record; drops and counts it where the queue is full.
    pub fn offer(&self, record: &Record) {
        self.queue.offer(record.clone());
    }

    /// Queues a record of a burst; where the queue is full, it waits for the next [`Self::settle`].
    pub fn offer_burst(&mut self, record: &Record) {
        self.queue.push(record.clone());
    }

    /// Moves records that wait into places that have become free; true where some still wait.
    pub fn settle(&mut self) -> bool {
        self.queue.settle()
    }

    /// Queues a record, and waits for a place as long as the transport takes records at all: for where nobody is held
    /// up.
    pub fn offer_last(&mut self, record: &Record) {
        self.queue.insist(record.clone());
    }

    /// Says that the end is near: a transport that fails has one more attempt, at once.
    pub fn begin_end(&self) {
        self.state.ending.store(true, Ordering::Release);
    }

    /// Writes what is queued and ends. A transport that takes nothing any more is given up, and what is left counts as
    /// dropped.
    pub fn close(self) -> Outcome {
        let Self { spec, mut queue, state, thread, patience } = self;
        state.ending.store(true, Ordering::Release);
        queue.insist_on_backlog();
        let stuck = queue.is_stuck();
        drop(queue);
        let done = || state.done.load(Ordering::Acquire);
        let (mut seen, mut since) = (done(), Instant::now());
        while !thread.is_finished() && !stuck && since.elapsed() <= patience {
            if done() != seen {
                (seen, since) = (done(), Instant::now());
            }
            std::thread::sleep(NUDGE);
        }
        if !thread.is_finished() {
            state.abandoned.store(true, Ordering::Release);
            let left = state.queued.load(Ordering::Relaxed).saturating_sub(done());
            state.counters.lose(DropReason::End, left);
            state.lost.fetch_add(left, Ordering::Relaxed);
            error!("{}: its output takes nothing; ending without its last {left} records", state.what);
        } else if thread.join().is_err() {
            error!("the writer of {} failed", state.what);
        }
        let (problem, lost) = (state.problem(), state.lost.load(Ordering::Relaxed));
        // Its transport is no one's concern any more.
        state.set_problem(None);
        state.counters.closed();
        let counters = &state.counters;
        tracing::debug!(
            "{}: {} records written, {} dropped",
            spec.label,
            counters.records(),
            counters.dropped()
        );
        Outcome { label: spec.label, lost, problem }
    }
}
