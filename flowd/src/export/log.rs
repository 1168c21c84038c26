//! JSON lines to a file or standard output, by a thread of their own: a slow disk makes the queue drop and
//! count. A burst that is longer than the queue, as when many flows end at once, may make the drain wait for
//! the writer, but only for the share of its interval that [`Patience`] grants.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde::Serialize;
use tracing::{error, info};

use crate::telemetry::SinkCounters;

/// Bytes that are written at once at most, so that a burst does not pile up in memory.
const BATCH: usize = 256 * 1024;
/// How often an idle thread looks whether it is to reopen its file.
const LOOK: Duration = Duration::from_millis(250);

/// How often a full queue is looked at for a place; a writer that works makes hundreds of places in that time.
const NUDGE: Duration = Duration::from_millis(1);

/// How long the lines of one drain may wait for places, all together.
#[derive(Debug)]
pub struct Patience(Duration);

impl Patience {
    /// A fifth of the interval: what is read in time stays in time, with a stuck disk too.
    #[must_use]
    pub fn of_interval(interval: Duration) -> Self {
        Self(interval / 5)
    }
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
    queue: Option<SyncSender<T>>,
    counters: Arc<SinkCounters>,
    reopen: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Asks a sink to open its path again, as after a rotation.
#[derive(Clone, Debug)]
pub struct Reopen(Arc<AtomicBool>);

enum Target {
    Stdout,
    File { path: PathBuf, file: File },
}

impl<T: Serialize + Send + 'static> LogSink<T> {
    /// Opens `path` (`-` is standard output) for appending; at most `queue` lines wait for it.
    ///
    /// # Errors
    /// Names the path and the remedy where it cannot be written.
    pub fn open(path: &str, queue: usize, counters: Arc<SinkCounters>) -> Result<Self, LogError> {
        let name = counters.name;
        let target = Target::open(path).map_err(|source| LogError::Open {
            name,
            path: PathBuf::from(path),
            source,
        })?;
        let (sender, receiver) = sync_channel(queue);
        let reopen = Arc::new(AtomicBool::new(false));
        let mut writer =
            Writer { target, counters: Arc::clone(&counters), reopen: Arc::clone(&reopen), failing: false };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|source| LogError::Thread { name, source })?;
        Ok(Self { queue: Some(sender), counters, reopen, thread: Some(thread) })
    }

    /// Queues a line; drops and counts it where the queue is full.
    pub fn write(&self, line: T) {
        let Some(queue) = &self.queue else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send(line) {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Queues a line; where the queue is full, waits for a place while there is patience left.
    pub fn write_patiently(&self, line: T, patience: &mut Patience) {
        let Some(queue) = &self.queue else { return };
        let mut line = line;
        let mut since = None;
        loop {
            line = match queue.try_send(line) {
                Ok(()) => break,
                Err(TrySendError::Full(line)) => line,
                Err(TrySendError::Disconnected(_)) => {
                    self.counters.dropped.fetch_add(1, Ordering::Relaxed);
                    break;
                }
            };
            let waited = since.get_or_insert_with(Instant::now).elapsed();
            let left = patience.0.saturating_sub(waited);
            if left.is_zero() {
                self.counters.dropped.fetch_add(1, Ordering::Relaxed);
                break;
            }
            std::thread::sleep(left.min(NUDGE));
        }
        if let Some(since) = since {
            patience.0 = patience.0.saturating_sub(since.elapsed());
        }
    }

    /// Queues one of the last lines, and waits for a place: at the end there is no drain to hold up.
    pub fn write_last(&self, line: T) {
        let Some(queue) = &self.queue else { return };
        if queue.send(line).is_err() {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A handle for signals.
    #[must_use]
    pub fn reopener(&self) -> Reopen {
        Reopen(Arc::clone(&self.reopen))
    }

    /// Writes what is queued and ends.
    pub fn close(mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the writer of {} failed", self.counters.name);
        }
    }
}

impl Reopen {
    /// Opens the path again before the next line.
    pub fn reopen(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Target {
    fn open(path: &str) -> io::Result<Self> {
        if path == "-" {
            return Ok(Self::Stdout);
        }
        let path = Path::new(path).to_owned();
        Ok(Self::File { file: append(&path)?, path })
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            // Whole batches under the lock, so that two logs on one output do not mix their lines.
            Self::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(lines)?;
                out.flush()
            }
            Self::File { file, .. } => file.write_all(lines),
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

struct Writer {
    target: Target,
    counters: Arc<SinkCounters>,
    reopen: Arc<AtomicBool>,
    /// The last write failed and was reported.
    failing: bool,
}

impl Writer {
    fn run<T: Serialize>(&mut self, queue: &Receiver<T>) {
        let mut batch = Vec::new();
        loop {
            let first = queue.recv_timeout(LOOK);
            self.follow_rotation();
            let first = match first {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut lines = 0;
            for line in std::iter::once(first).chain(queue.try_iter()) {
                let before = batch.len();
                match serde_json::to_writer(&mut batch, &line) {
                    Ok(()) => {
                        batch.push(b'\n');
                        lines += 1;
                    }
                    Err(_) => {
                        batch.truncate(before);
                        self.counters.errors.fetch_add(1, Ordering::Relaxed);
                    }
                }
                if batch.len() >= BATCH {
                    break;
                }
            }
            self.write(&batch, lines);
            batch.clear();
        }
    }

    fn write(&mut self, batch: &[u8], lines: u64) {
        match self.target.write(batch) {
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
                        "writing {} fails: {problem}; lines are dropped until it works again",
                        self.counters.name
                    );
                }
                self.failing = true;
            }
        }
    }

    fn follow_rotation(&mut self) {
        if !self.reopen.swap(false, Ordering::AcqRel) {
            return;
        }
        if let Target::File { path, file } = &mut self.target {
            match append(path) {
                Ok(opened) => {
                    *file = opened;
                    info!("{} opened again", path.display());
                }
                Err(problem) => {
                    self.counters.errors.fetch_add(1, Ordering::Relaxed);
                    error!("cannot open {} again: {problem}; the old file stays in use", path.display());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(until: impl Fn() -> bool) {
        for _ in 0..500 {
            if until() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("nothing happened for 5 s");
    }

    #[test]
    fn lines_are_whole_and_closing_writes_them_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let counters = SinkCounters::new("test");
        let sink = LogSink::open(path.to_str().unwrap(), 4_096, Arc::clone(&counters)).unwrap();
        for number in 0..1_000 {
            sink.write(serde_json::json!({ "number": number }));
        }
        sink.close();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1_000);
        assert_eq!(text.lines().next_back(), Some("{\"number\":999}"));
        assert_eq!(counters.records.load(Ordering::Relaxed), 1_000);
    }

    #[test]
    fn the_last_lines_wait_for_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let counters = SinkCounters::new("test");
        let sink = LogSink::open(path.to_str().unwrap(), 1, Arc::clone(&counters)).unwrap();
        for number in 0..10_000 {
            sink.write_last(number);
        }
        sink.close();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 10_000);
        assert_eq!(counters.dropped.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_rotated_file_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
        let sink = LogSink::open(path.to_str().unwrap(), 16, SinkCounters::new("test")).unwrap();
        sink.write(1);
        wait(|| std::fs::read_to_string(&path).is_ok_and(|text| text == "1\n"));
        std::fs::rename(&path, &old).unwrap();
        sink.reopener().reopen();
        wait(|| path.exists());
        sink.write(2);
        sink.close();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "2\n");
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "1\n");
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let counters = SinkCounters::new("test");
        // A disk that is full from the start.
        let sink = LogSink::open("/dev/full", 1, Arc::clone(&counters)).unwrap();
        for number in 0..10_000 {
            sink.write(number);
        }
        sink.close();
        assert_eq!(counters.dropped.load(Ordering::Relaxed), 10_000);
        assert_eq!(counters.records.load(Ordering::Relaxed), 0);
        assert!(counters.errors.load(Ordering::Relaxed) > 0);
    }

    /// A line that takes a while to write, or waits until it is let go.
    struct Slow(Duration, Option<Arc<AtomicBool>>);

    impl Serialize for Slow {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            std::thread::sleep(self.0);
            while self.1.as_ref().is_some_and(|stuck| stuck.load(Ordering::Acquire)) {
                std::thread::sleep(NUDGE);
            }
            serializer.serialize_u8(1)
        }
    }

    #[test]
    fn a_burst_waits_for_a_slow_writer() {
        let counters = SinkCounters::new("test");
        let sink = LogSink::open("/dev/null", 8, Arc::clone(&counters)).unwrap();
        let mut patience = Patience::of_interval(Duration::from_secs(100));
        for _ in 0..100 {
            sink.write_patiently(Slow(Duration::from_millis(1), None), &mut patience);
        }
        sink.close();
        assert_eq!(counters.records.load(Ordering::Relaxed), 100);
        assert_eq!(counters.dropped.load(Ordering::Relaxed), 0);
        assert!(patience.0 < Duration::from_secs(20), "nothing waited");
    }

    #[test]
    fn patience_with_a_stuck_writer_is_for_the_whole_burst() {
        let counters = SinkCounters::new("test");
        let sink = LogSink::open("/dev/null", 8, Arc::clone(&counters)).unwrap();
        let stuck = Arc::new(AtomicBool::new(true));
        let mut patience = Patience::of_interval(Duration::from_secs(1));
        let start = Instant::now();
        for _ in 0..10_000 {
            sink.write_patiently(Slow(Duration::ZERO, Some(Arc::clone(&stuck))), &mut patience);
        }
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(5), "{took:?}");
        stuck.store(false, Ordering::Release);
        sink.close();
        let [written, dropped] =
            [&counters.records, &counters.dropped].map(|count| count.load(Ordering::Relaxed));
        // The queue, and those that the writer held.
        assert!((8..=17).contains(&written), "{written}");
        assert_eq!(written + dropped, 10_000);
    }

    #[test]
    fn an_unwritable_path_is_named_with_a_remedy() {
        let sink = LogSink::<u8>::open("/nonexistent/http.log", 1, SinkCounters::new("http_log"));
        let error = sink.unwrap_err().to_string();
        assert!(error.contains("/nonexistent/http.log") && error.contains("standard output"), "{error}");
    }
}
