//! Lines to files and standard output, each output by a thread of its own: a slow disk or pipe fills its own
//! queue and nobody waits for it. A burst that is longer than the queue, as when many flows end at once, waits
//! in a bounded backlog; what finds no room there is dropped and counted.

pub mod access;
mod lane;
mod outlet;
mod rotation;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
};

use lane::Lane;
pub use outlet::Outlets;
pub use rotation::Rotation;
use serde::Serialize;
use tracing::{debug, error};

use crate::{
    telemetry::SinkCounters,
    threads::{self, Role},
};

/// Appends a line, without its end, to a batch.
pub type Format<T> = fn(&T, &mut Vec<u8>) -> io::Result<()>;

/// A line as a JSON object.
///
/// # Errors
/// Fails where the line cannot be written as JSON.
pub fn json<T: Serialize>(line: &T, batch: &mut Vec<u8>) -> io::Result<()> {
    Ok(serde_json::to_writer(batch, line)?)
}

/// A log cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("cannot write {name} to {}: {source}; make the folder, or name a path this user may write, or - for standard output", path.display())]
    Open { name: &'static str, path: PathBuf, source: io::Error },
    #[error("cannot start the writer of {name}: {source}")]
    Thread { name: &'static str, source: io::Error },
}

/// A log of lines of type `T`.
#[derive(Debug)]
pub struct LogSink<T> {
    lanes: Vec<Lane<T>>,
    counters: Arc<SinkCounters>,
}

impl<T: Send + Sync + 'static> LogSink<T> {
    /// Opens every path (`-` is standard output) for appending; at most `queue` lines wait for each. The
    /// counters are sums over the paths.
    ///
    /// # Errors
    /// Names the path and the remedy where one cannot be written.
    pub fn open(
        outlets: &mut Outlets,
        paths: &[String],
        format: Format<T>,
        queue: usize,
        counters: Arc<SinkCounters>,
    ) -> Result<Self, LogError> {
        let name = counters.name;
        let mut lanes = Vec::new();
        for path in paths {
            let open = |source| LogError::Open { name, path: PathBuf::from(path), source };
            let outlet = outlets.open(path).map_err(open)?;
            let lane = Lane::start(outlet, format, queue, Arc::clone(&counters));
            lanes.push(lane.map_err(|source| LogError::Thread { name, source })?);
        }
        Ok(Self { lanes, counters })
    }

    /// Queues a line; drops and counts it where a queue is full.
    pub fn write(&self, line: impl Into<Arc<T>>) {
        let line = line.into();
        self.lanes.iter().for_each(|lane| lane.offer(Arc::clone(&line)));
    }

    /// Queues a line of a burst; where a queue is full, the line waits for the next [`Self::settle`].
    pub fn write_burst(&mut self, line: impl Into<Arc<T>>) {
        let line = line.into();
        self.lanes.iter_mut().for_each(|lane| lane.push(Arc::clone(&line)));
    }

    /// Moves lines that wait into queues that have room again; true where some still wait.
    pub fn settle(&mut self) -> bool {
        // Every lane, not only up to the first that waits.
        self.lanes.iter_mut().filter_map(|lane| lane.settle().then_some(())).count() > 0
    }

    /// Queues one of the last lines, and waits for a place as long as the output takes lines at all: at the
    /// end there is nothing to hold up.
    pub fn write_last(&mut self, line: impl Into<Arc<T>>) {
        let line = line.into();
        self.lanes.iter_mut().for_each(|lane| lane.insist(Arc::clone(&line)));
    }

    /// Writes what is queued and ends; gives up on outputs that take nothing any more.
    pub fn close(self) {
        // At once, as each that is stuck takes its time to be given up.
        let mut lanes = self.lanes.into_iter();
        let last = lanes.next_back();
        let name = self.counters.name;
        let closing: Vec<_> = lanes.map(|lane| threads::start(Role::Log(name), || lane.close())).collect();
        last.into_iter().for_each(Lane::close);
        for closing in closing {
            match closing {
                Ok(closing) => Closing(closing).join(),
                Err(problem) => error!("{name}: {problem}; its last lines may be lost"),
            }
        }
        let [written, dropped] =
            [&self.counters.records, &self.counters.dropped].map(|count| count.load(Ordering::Relaxed));
        debug!("{}: {written} lines written, {dropped} dropped", self.counters.name);
    }
}

/// A log that ends while others go on.
#[derive(Debug)]
pub struct Closing(JoinHandle<()>);

impl Closing {
    /// True once it has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits until it has ended.
    pub fn join(self) {
        if self.0.join().is_err() {
            error!("a log was not written to its end");
        }
    }
}

impl<T: Send + Sync + 'static> LogSink<T> {
    /// Closes it without keeping this thread waiting.
    ///
    /// # Errors
    /// No thread can be started; its writers then write what is queued, and nobody waits for them.
    pub fn close_aside(self) -> Result<Closing, LogError> {
        let name = self.counters.name;
        let thread = threads::start(Role::Log(name), || self.close());
        thread.map(Closing).map_err(|source| LogError::Thread { name, source })
    }
}

/// Writes all of `lines` and says how much was written where that fails.
fn write_all(mut out: impl Write, lines: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    while let Some(rest) = lines.get(done..).filter(|rest| !rest.is_empty()) {
        match out.write(rest) {
            Ok(0) => return Err((done, io::ErrorKind::WriteZero.into())),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((done, error)),
        }
    }
    out.flush().map_err(|error| (done, error))
}
