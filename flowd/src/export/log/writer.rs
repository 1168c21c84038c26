//! The thread that turns the lines of one log into bytes of one output.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use tracing::error;

use super::{Format, outlet::Outlet};
use crate::{clock, telemetry::SinkCounters};

/// How often an idle thread looks whether it is to reopen its file.
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct Writer<T> {
    outlet: Arc<Outlet>,
    format: Format<T>,
    counters: Arc<SinkCounters>,
    /// The last write failed and was reported.
    failing: bool,
}

impl<T> Writer<T> {
    pub(super) const fn new(outlet: Arc<Outlet>, format: Format<T>, counters: Arc<SinkCounters>) -> Self {
        Self { outlet, format, counters, failing: false }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(&mut self, queue: &Receiver<Arc<T>>) {
        let mut batch = Vec::new();
        let mut told = 0;
        loop {
            told = self.spent(told);
            let first = queue.recv_timeout(LOOK);
            if self.outlet.follow().is_err() {
                self.counters.errors.fetch_add(1, Ordering::Relaxed);
            }
            let first = match first {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut lines = 0;
            for line in std::iter::once(first).chain(queue.try_iter()) {
                let before = batch.len();
                if (self.format)(&line, &mut batch).is_ok() {
                    batch.push(b'\n');
                    lines += 1;
                } else {
                    batch.truncate(before);
                    self.counters.errors.fetch_add(1, Ordering::Relaxed);
                    self.counters.dropped.fetch_add(1, Ordering::Relaxed);
                }
                if batch.len() >= self.outlet.batch() {
                    break;
                }
            }
            self.write(&batch, lines);
            batch.clear();
        }
    }

    /// Adds the processor time of this thread beyond what was told already.
    fn spent(&self, told: u64) -> u64 {
        let spent = clock::thread().unwrap_or(told);
        self.counters.spent.fetch_add(spent.saturating_sub(told), Ordering::Relaxed);
        spent
    }

    fn write(&mut self, batch: &[u8], lines: u64) {
        match self.outlet.write(batch) {
            Ok(()) => {
                self.counters.records.fetch_add(lines, Ordering::Relaxed);
                self.failing = false;
            }
            Err(problem) => {
                self.counters.errors.fetch_add(1, Ordering::Relaxed);
                self.counters.dropped.fetch_add(lines, Ordering::Relaxed);
                // Once per outage: a full disk must not fill the daemon's own log as well.
                if !self.failing {
                    error!(
                        "writing {} to {} fails: {problem}; lines are dropped until it works again",
                        self.counters.name,
                        self.outlet.name()
                    );
                }
                self.failing = true;
            }
        }
    }
}
