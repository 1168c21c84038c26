//! The thread of a sink: turns records into batches, and sends them.

use std::{
    io,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use tracing::{error, info};

use super::{
    backoff::Backoff,
    format::{Appended, Format},
    state::State,
    transport::{self, Transport},
};
use crate::{
    clock,
    record::Record,
    telemetry::{DropReason, ErrorReason},
};

/// How often an idle thread looks at what is due beside sending.
const LOOK: Duration = Duration::from_millis(250);
/// How often a thread that waits for its next attempt looks whether the end has come.
const GLANCE: Duration = Duration::from_millis(10);
/// How long nothing fails before an outage counts as over: a disk that is nearly full takes every small batch
/// between two large ones that it refuses.
const STEADY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    format: Box<dyn Format>,
    transport: Box<dyn Transport>,
    state: Arc<State>,
    backoff: Backoff,
    batch: Vec<u8>,
    /// Records in the batch.
    records: u64,
    connected: bool,
    /// Since that attempt, the last that failed, an outage lasts, and it was told.
    failing: Option<Instant>,
    /// The last attempt of all took its batch.
    works: bool,
    /// At the end the transport failed once more: what is left is dropped.
    given_up: bool,
}

impl Writer {
    pub(super) fn new(format: Box<dyn Format>, transport: Box<dyn Transport>, state: Arc<State>) -> Self {
        Self {
            format,
            transport,
            state,
            backoff: Backoff::new(),
            batch: Vec::new(),
            records: 0,
            connected: false,
            failing: None,
            works: true,
            given_up: false,
        }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(&mut self, queue: &Receiver<Record>) {
        let mut told = 0;
        loop {
            told = self.spent(told);
            let first = queue.recv_timeout(LOOK);
            self.tend();
            match first {
                Ok(first) => self.take(first, queue),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.recover(Duration::ZERO),
            }
            self.recover(STEADY);
        }
    }

    /// Adds the processor time of this thread beyond what was told already.
    fn spent(&self, told: u64) -> u64 {
        let spent = clock::thread().unwrap_or(told);
        self.state.counters.spend(spent.saturating_sub(told));
        spent
    }

    fn tend(&mut self) {
        if let Err(problem) = self.transport.tend() {
            self.state.counters.fail(transport::reason(&problem));
        }
    }

    /// Sends this record and those that are there behind it.
    fn take(&mut self, first: Record, queue: &Receiver<Record>) {
        let mut limit = self.transport.limit();
        for record in std::iter::once(first).chain(queue.try_iter()) {
            if self.append(&record, limit) == Some(Appended::Full) {
                self.flush();
                self.tend();
                limit = self.transport.limit();
                if self.append(&record, limit) == Some(Appended::Full) {
                    // Larger than any batch.
                    self.cannot_write();
                }
            }
        }
        self.flush();
    }

    /// `None` where the record was dropped.
    fn append(&mut self, record: &Record, limit: usize) -> Option<Appended> {
        let before = self.batch.len();
        match self.format.append(record, &mut self.batch, limit) {
            Ok(Appended::Taken) => {
                self.records += 1;
                Some(Appended::Taken)
            }
            Ok(Appended::Full) => Some(Appended::Full),
            Err(_) => {
                self.batch.truncate(before);
                self.cannot_write();
                None
            }
        }
    }

    fn cannot_write(&self) {
        self.state.counters.fail(ErrorReason::Format);
        self.dropped(DropReason::Format, 1);
    }

    fn dropped(&self, reason: DropReason, records: u64) {
        // What was given up from outside is counted there.
        if !self.state.abandoned.load(Ordering::Acquire) {
            self.state.counters.lose(reason, records);
            self.state.lost.fetch_add(records, Ordering::Relaxed);
            self.state.done.fetch_add(records, Ordering::Release);
        }
    }

    fn flush(&mut self) {
        let records = std::mem::take(&mut self.records);
        if records > 0 {
            self.format.finish(&mut self.batch);
            // Flows without packets are told by none.
            let sent = if self.batch.is_empty() { Ok(()) } else { self.send() };
            match sent {
                Ok(()) if self.state.abandoned.load(Ordering::Acquire) => {}
                Ok(()) => {
                    self.state.counters.write(records, self.batch.len() as u64);
                    self.state.done.fetch_add(records, Ordering::Release);
                }
                Err(reason) => self.dropped(reason, records),
            }
        }
        self.batch.clear();
    }

    /// Sends the batch, again and again where that may help.
    fn send(&mut self) -> Result<(), DropReason> {
        if self.given_up {
            return Err(DropReason::End);
        }
        loop {
            // At the end there is one more attempt.
            let is_last = self.state.is_ending();
            let Err(failure) = self.attempt() else {
                self.works = true;
                self.backoff.reset();
                return Ok(());
            };
            let (problem, again) = failure.into_parts();
            self.fails(&problem, again);
            if !again {
                return Err(DropReason::Write);
            }
            self.connected = false;
            if is_last {
                self.given_up = true;
                return Err(DropReason::End);
            }
            self.pause();
        }
    }

    fn attempt(&mut self) -> Result<(), transport::Failure> {
        if !self.connected {
            self.transport.connect().map_err(transport::Failure::Again)?;
            let mut greeting = Vec::new();
            self.format.greet(&mut greeting);
            if !greeting.is_empty() {
                self.transport.send(&greeting)?;
            }
            self.connected = true;
        }
        self.transport.send(&self.batch)
    }

    /// Waits for the next attempt, or for the end.
    fn pause(&mut self) {
        let until = Instant::now() + self.backoff.wait();
        while Instant::now() < until && !self.state.is_ending() {
            std::thread::sleep(GLANCE);
        }
    }

    /// Tells that an outage is over, once nothing failed for so long.
    fn recover(&mut self, steady: Duration) {
        if self.works && self.failing.is_some_and(|last| last.elapsed() >= steady) {
            self.failing = None;
            self.state.set_problem(None);
            info!("writing {} to {} works again", self.state.what, self.transport.peer());
        }
    }

    /// Tells it once per outage: a full disk must not fill the daemon's own log as well.
    fn fails(&mut self, problem: &io::Error, again: bool) {
        self.state.counters.fail(transport::reason(problem));
        self.works = false;
        if self.failing.replace(Instant::now()).is_none() {
            let what = if again { "records wait in the queue, and those beyond it" } else { "records" };
            error!(
                "writing {} to {} fails: {problem}; {what} are dropped until it works again",
                self.state.what,
                self.transport.peer()
            );
        }
        self.state.set_problem(Some(format!("{}: {problem}", self.transport.peer())));
    }
}
