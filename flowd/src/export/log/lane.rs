//! The way of lines to one output: a queue, a backlog for bursts, and the thread that writes.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tracing::error;

use super::{Format, outlet::Outlet, writer::Writer};
use crate::{
    telemetry::SinkCounters,
    threads::{self, Role},
};

/// Lines of a burst that may wait beside the queue, in lengths of the queue.
const BACKLOG: usize = 4;
/// At the end, an output that has taken nothing for so long is given up, so that the daemon ends within two
/// seconds of a signal also where one is a pipe that nobody reads, and another the flow log's, whose last lines
/// are waited for before.
const GIVE_UP: Duration = Duration::from_millis(700);
/// How often a full queue is looked at for a place then; a writer that works makes hundreds in that time.
const NUDGE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Lane<T> {
    queue: SyncSender<Arc<T>>,
    backlog: VecDeque<Arc<T>>,
    room: usize,
    counters: Arc<SinkCounters>,
    thread: JoinHandle<()>,
    /// The output was given up.
    stuck: bool,
}

impl<T: Send + Sync + 'static> Lane<T> {
    pub(super) fn start(
        outlet: Arc<Outlet>,
        format: Format<T>,
        queue: usize,
        counters: Arc<SinkCounters>,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let mut writer = Writer::new(outlet, format, Arc::clone(&counters));
        let thread = threads::start(Role::Log(counters.name), move || writer.run(&receiver))?;
        let (backlog, room) = (VecDeque::new(), queue.saturating_mul(BACKLOG));
        Ok(Self { queue: sender, backlog, room, counters, thread, stuck: false })
    }

    fn drop_line(&self) {
        self.counters.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Now or not at all.
    pub(super) fn offer(&self, line: Arc<T>) {
        if self.queue.try_send(line).is_err() {
            self.drop_line();
        }
    }

    /// Now, or behind those that wait.
    pub(super) fn push(&mut self, line: Arc<T>) {
        if self.settle() {
            self.wait(line);
            return;
        }
        match self.queue.try_send(line) {
            Ok(()) => {}
            Err(TrySendError::Full(line)) => self.wait(line),
            Err(TrySendError::Disconnected(_)) => self.drop_line(),
        }
    }

    fn wait(&mut self, line: Arc<T>) {
        if self.backlog.len() < self.room {
            self.backlog.push_back(line);
        } else {
            self.drop_line();
        }
    }

    /// True where lines still wait.
    pub(super) fn settle(&mut self) -> bool {
        while let Some(line) = self.backlog.pop_front() {
            match self.queue.try_send(line) {
                Ok(()) => {}
                Err(TrySendError::Full(line)) => {
                    self.backlog.push_front(line);
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => self.drop_line(),
            }
        }
        // A burst's memory goes back.
        self.backlog.shrink_to(0);
        false
    }

    pub(super) fn insist(&mut self, line: Arc<T>) {
        while let Some(earlier) = self.backlog.pop_front() {
            self.insist_on(earlier);
        }
        self.insist_on(line);
    }

    fn insist_on(&mut self, mut line: Arc<T>) {
        let mut since = None;
        while !self.stuck {
            line = match self.queue.try_send(line) {
                Ok(()) => return,
                Err(TrySendError::Full(line)) => line,
                Err(TrySendError::Disconnected(_)) => break,
            };
            self.stuck = since.get_or_insert_with(Instant::now).elapsed() > GIVE_UP;
            std::thread::sleep(NUDGE);
        }
        self.drop_line();
    }

    pub(super) fn close(mut self) {
        while let Some(line) = self.backlog.pop_front() {
            self.insist_on(line);
        }
        let Self { queue, counters, thread, stuck, .. } = self;
        drop(queue);
        let done = || {
            let [written, dropped] =
                [&counters.records, &counters.dropped].map(|count| count.load(Ordering::Relaxed));
            written + dropped
        };
        let (mut seen, mut since) = (done(), Instant::now());
        while !thread.is_finished() {
            if done() != seen {
                (seen, since) = (done(), Instant::now());
            }
            if stuck || since.elapsed() > GIVE_UP {
                error!("{}: an output takes no lines; ending without its last ones", counters.name);
                return;
            }
            std::thread::sleep(NUDGE);
        }
        if thread.join().is_err() {
            error!("the writer of {} failed", counters.name);
        }
    }
}
