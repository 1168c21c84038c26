//! How far a long capture has been read, on a terminal.

use std::{
    io::{IsTerminal as _, Write as _, stderr},
    time::{Duration, Instant},
};

pub(super) struct Progress {
    /// Bytes of the file; `None` where nobody looks or nobody knows.
    size: Option<u64>,
    packets: u64,
    next: Instant,
    shown: bool,
}

const EVERY: Duration = Duration::from_millis(500);
/// Packets between two looks at the clock.
const STRIDE: u64 = 1 << 14;

impl Progress {
    pub(super) fn new(size: Option<u64>) -> Self {
        let size = size.filter(|size| *size > 0 && stderr().is_terminal());
        Self { size, packets: 0, next: Instant::now() + EVERY, shown: false }
    }

    /// One packet further; `offset` bytes of the file are read.
    pub(super) fn show(&mut self, offset: u64) {
        self.packets += 1;
        let Some(size) = self.size else { return };
        if !self.packets.is_multiple_of(STRIDE) || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + EVERY;
        self.shown = true;
        let percent = offset.saturating_mul(100) / size;
        // A terminal that has gone is no reason to stop reading.
        let _ = write!(stderr(), "\r{percent:3} %  {} packets", self.packets);
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
