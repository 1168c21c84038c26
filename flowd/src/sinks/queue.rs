//! What waits for the thread of a sink: a queue, and a backlog for bursts.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{SyncSender, TrySendError},
    },
    time::{Duration, Instant},
};

use super::state::State;
use crate::{record::Record, telemetry::DropReason};

/// Records of a burst that may wait beside the queue, in lengths of the queue.
pub const BACKLOG: usize = 4;
/// How often a full queue is looked at for a place; a writer that works makes hundreds in that time.
pub(super) const NUDGE: Duration = Duration::from_millis(1);

/// The sending half.
#[derive(Debug)]
pub(super) struct Queue {
    sender: SyncSender<Record>,
    backlog: VecDeque<Record>,
    room: usize,
    state: Arc<State>,
    /// How long a place is waited for at the end.
    patience: Duration,
    /// None was made in that time.
    stuck: bool,
}

impl Queue {
    pub(super) fn new(
        sender: SyncSender<Record>,
        length: usize,
        state: Arc<State>,
        patience: Duration,
    ) -> Self {
        let room = length.saturating_mul(BACKLOG);
        Self { sender, backlog: VecDeque::new(), room, state, patience, stuck: false }
    }

    fn drop_record(&self, reason: DropReason) {
        self.state.counters.lose(reason, 1);
        self.state.lost.fetch_add(1, Ordering::Relaxed);
    }

    fn sent(&self) {
        self.state.queued.fetch_add(1, Ordering::Relaxed);
    }

    /// Now or not at all.
    pub(super) fn offer(&self, record: Record) {
        self.state.counters.offer();
        match self.sender.try_send(record) {
            Ok(()) => self.sent(),
            Err(_) => self.drop_record(DropReason::Queue),
        }
    }

    /// Now, or behind those that wait.
    pub(super) fn push(&mut self, record: Record) {
        self.state.counters.offer();
        if self.settle() {
            self.wait(record);
            return;
        }
        match self.sender.try_send(record) {
            Ok(()) => self.sent(),
            Err(TrySendError::Full(record)) => self.wait(record),
            Err(TrySendError::Disconnected(_)) => self.drop_record(DropReason::Queue),
        }
    }

    fn wait(&mut self, record: Record) {
        if self.backlog.len() < self.room {
            self.backlog.push_back(record);
        } else {
            self.drop_record(DropReason::Queue);
        }
    }

    /// Moves what waits into places that have become free; true where some still wait.
    pub(super) fn settle(&mut self) -> bool {
        while let Some(record) = self.backlog.pop_front() {
            match self.sender.try_send(record) {
                Ok(()) => self.sent(),
                Err(TrySendError::Full(record)) => {
                    self.backlog.push_front(record);
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => self.drop_record(DropReason::Queue),
            }
        }
        // A burst's memory goes back.
        self.backlog.shrink_to(0);
        false
    }

    /// Waits for a place as long as the transport takes records at all.
    pub(super) fn insist(&mut self, record: Record) {
        self.state.counters.offer();
        self.insist_on_backlog();
        self.insist_on(record);
    }

    /// The same for all that waits.
    pub(super) fn insist_on_backlog(&mut self) {
        while let Some(earlier) = self.backlog.pop_front() {
            self.insist_on(earlier);
        }
    }

    fn insist_on(&mut self, mut record: Record) {
        let mut since = None;
        while !self.stuck {
            record = match self.sender.try_send(record) {
                Ok(()) => return self.sent(),
                Err(TrySendError::Full(record)) => record,
                Err(TrySendError::Disconnected(_)) => break,
            };
            self.stuck = since.get_or_insert_with(Instant::now).elapsed() > self.patience;
            std::thread::sleep(NUDGE);
        }
        self.drop_record(DropReason::End);
    }

    /// Whether the transport took nothing for too long.
    pub(super) const fn is_stuck(&self) -> bool {
        self.stuck
    }
}
