//! Keeps the daemon within its share of the processor: a ladder of what it leaves out, one step at a time.
//!
//! No step touches what must be exact: bytes, packets, flows, retransmits. A step down is a trial, as what the
//! step before would cost now cannot be measured: where a trial fails, the next one waits twice as long. So a
//! steady load meets ever fewer trials, and what is logged never flickers.

use std::fmt;

use flow_common::settings::Omissions;

/// What is left out; each step leaves out what those before it do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Nothing.
    #[default]
    Full = 0,
    /// Copies of payload, and with them HTTP, DNS and TLS.
    NoCopies = 1,
    /// Most round-trip samples.
    FewSamples = 2,
    /// Every second reading of the flow table.
    HalfReadings = 3,
    /// Three of four readings.
    QuarterReadings = 4,
}

/// Readings over the budget after which more is left out.
const OVER: u32 = 3;
/// Readings under half of it after which less is left out, for a trial.
const UNDER: u32 = 6;
/// The longest that a trial waits, readings.
const PATIENCE: u32 = UNDER << 5;
/// Shorter intervals are read together, ns: the clock of a process moves in steps.
const SHORTEST: u64 = 500_000_000;
/// With few samples, one segment of so many and one is timed.
const UNTIMED: u8 = 7;

impl Level {
    const ALL: [Self; 5] =
        [Self::Full, Self::NoCopies, Self::FewSamples, Self::HalfReadings, Self::QuarterReadings];

    fn at(step: usize) -> Option<Self> {
        Self::ALL.get(step).copied()
    }

    /// What the packet path leaves out.
    #[must_use]
    pub const fn omissions(self) -> Omissions {
        Omissions {
            no_copies: (self as u8 >= Self::NoCopies as u8) as u8,
            untimed: if self as u8 >= Self::FewSamples as u8 { UNTIMED } else { 0 },
        }
    }

    /// How many intervals lie between two readings of a table with so many flows and so much room. Flows that have
    /// ended stay in it until they are read, so that it must have twice the room for what a longer time brings.
    #[must_use]
    pub const fn stretch(self, live: u32, capacity: u32) -> u32 {
        let mut stretch = match self {
            Self::QuarterReadings => 4,
            Self::HalfReadings => 2,
            Self::Full | Self::NoCopies | Self::FewSamples => 1,
        };
        while stretch > 1 && live as u64 * stretch as u64 * 2 > capacity as u64 {
            stretch /= 2;
        }
        stretch
    }

    /// What this step, beside those before it, makes less exact.
    const fn leaves_out(self) -> &'static str {
        match self {
            Self::Full => "nothing is left out",
            Self::NoCopies => {
                "payload is not copied: HTTP, DNS and TLS lines and counts lack what flowd_events_skipped_total counts"
            }
            Self::FewSamples => "one TCP segment of 8 is timed for round trips, and every handshake",
            Self::HalfReadings => "flows are read at every second interval",
            Self::QuarterReadings => "flows are read at every fourth interval",
        }
    }

    /// What is as it was once this step is taken back.
    const fn takes_up(self) -> &'static str {
        match self {
            Self::Full => "nothing was left out",
            Self::NoCopies => "payload is copied again",
            Self::FewSamples => "every TCP segment may be timed again",
            Self::HalfReadings => "flows are read at every interval again",
            Self::QuarterReadings => "flows are read at every second interval again",
        }
    }
}

/// A step and why it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    pub from: Level,
    pub to: Level,
    /// Of one core, in the last reading.
    pub share: f64,
    pub budget: f64,
}

impl Change {
    /// More is left out than before.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.to > self.from
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (share, budget) = (self.share * 100.0, self.budget * 100.0);
        let step = self.to as u8;
        if self.is_up() {
            let what = self.to.leaves_out();
            write!(
                f,
                "flowd takes {share:.2}% of a core, over [governor] cpu = \"{budget}%\": step {step}, {what}"
            )
        } else {
            let again = self.from.takes_up();
            write!(
                f,
                "flowd takes {share:.2}% of a core, under half of [governor] cpu = \"{budget}%\": back to step {step}, \
                 {again}"
            )
        }
    }
}

/// Chooses the step by what was used.
#[derive(Clone, Debug)]
pub struct Governor {
    /// Share of one core.
    budget: f64,
    level: Level,
    /// The reading before: both clocks, ns.
    last: Option<(u64, u64)>,
    /// Readings in a row over the budget, and under half of it.
    over: u32,
    under: u32,
    /// Readings that the next trial waits for.
    patience: u32,
    /// Readings since the last trial began.
    trial: Option<u32>,
}

impl Governor {
    /// Nothing is left out yet; `budget` is a share of one core.
    #[must_use]
    pub const fn new(budget: f64) -> Self {
        Self { budget, level: Level::Full, last: None, over: 0, under: 0, patience: UNDER, trial: None }
    }

    /// What is left out.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Takes a reading at `now`: `spent` is the processor time so far of what it governs. Both in ns, of clocks that never go back.
    pub fn read(&mut self, now: u64, spent: u64) -> Option<Change> {
        let (before, spent_before) = *self.last.get_or_insert((now, spent));
        let passed = now.saturating_sub(before);
        if passed < SHORTEST {
            return None;
        }
        self.last = Some((now, spent));
        let share = spent.saturating_sub(spent_before) as f64 / passed as f64;
        self.over = if share > self.budget { self.over + 1 } else { 0 };
        self.under = if share < self.budget / 2.0 { self.under + 1 } else { 0 };
        self.trial = self.trial.map(|readings| readings.saturating_add(1));
        let from = self.level;
        if self.over >= OVER {
            self.over = 0;
            self.level = Level::at(from as usize + 1)?;
            self.failed();
        } else if self.under >= self.patience {
            self.under = 0;
            self.level = Level::at((from as usize).checked_sub(1)?)?;
            self.trial = Some(0);
        } else {
            return None;
        }
        Some(Change { from, to: self.level, share, budget: self.budget })
    }

    /// After a step up: one soon after a trial began says that the trial has failed.
    fn failed(&mut self) {
        if let Some(readings) = self.trial.take() {
            let soon = readings <= self.patience;
            self.patience = if soon { (self.patience * 2).min(PATIENCE) } else { UNDER };
        }
    }
}

#[cfg(test)]
mod tests;
