//! Reads the flow table before its time where it fills so fast that it would be full before. Flows that are over, or
//! that nobody answers, make room then; metrics and records of what goes on keep their interval.

use std::time::{Duration, Instant};

use crate::kernel::Room;

/// Between the end of one reading and an early one.
const LEAST: Duration = Duration::from_secs(1);
/// An early reading comes only after so many times as long as the last reading took: a twentieth of one core at most.
const REST: u32 = 19;
/// An early reading makes room for this share of the table, or would not pay. So much is to stay free as well.
const SHARE: f64 = 8.0;

/// What the last reading left.
pub(super) struct Early {
    /// When it ended, and how long it took.
    ended: Instant,
    took: Duration,
    /// Slots that were free then; `None` before the first reading, when all were.
    free: Option<u32>,
}

impl Early {
    pub(super) const fn new(now: Instant) -> Self {
        Self { ended: now, took: Duration::ZERO, free: None }
    }

    /// Whether so much time has passed that it is worth to look how full the table is.
    pub(super) fn may_come(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.ended) >= LEAST.max(self.took.saturating_mul(REST))
    }

    /// Whether the table is to be read now, as it would be full before `next`.
    pub(super) fn is_due(&self, now: Instant, next: Instant, room: Room) -> bool {
        let since = now.saturating_duration_since(self.ended);
        // A table that has room is patient for ever.
        let patience = Duration::from_nanos(room.patience());
        let Some(old) = since.checked_sub(patience).filter(|_| self.may_come(now)) else { return false };
        let (slots, free) = (f64::from(room.slots), f64::from(room.free));
        let taken = f64::from(self.free.unwrap_or(room.slots).saturating_sub(room.free));
        // They came one like the other since the last reading, and will go on so.
        let goes = taken * old.div_duration_f64(since);
        let comes = taken * next.saturating_duration_since(now).div_duration_f64(since);
        goes * SHARE >= slots && free < comes + slots / SHARE
    }

    /// A reading that began at `begun` is over and left so many slots free.
    pub(super) fn read(&mut self, begun: Instant, now: Instant, room: Option<Room>) {
        *self =
            Self { ended: now, took: now.saturating_duration_since(begun), free: room.map(|room| room.free) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: u32 = 262_144;
    const INTERVAL: Duration = Duration::from_secs(10);

    /// Seconds at which the table is read within two intervals where so many flows come in a second that nobody answers,
    /// beside `steady` ones that live on; each reading takes `took`. Says whether it was ever full.
    fn readings(rate: u32, steady: u32, took: Duration) -> (Vec<f64>, bool) {
        let start = Instant::now();
        let mut early = Early::new(start);
        let (mut next, mut now) = (start + INTERVAL, start);
        let step = Duration::from_millis(100);
        // Flows of the flood by the time of their coming.
        let mut waiting: Vec<(Instant, u32)> = Vec::new();
        let (mut read, mut full) = (Vec::new(), false);
        early.read(start, start, Some(Room { free: SLOTS - steady, slots: SLOTS }));
        while now < start + 2 * INTERVAL {
            now += step;
            let taken = |waiting: &[(Instant, u32)]| {
                (steady + waiting.iter().map(|(_, count)| count).sum::<u32>()).min(SLOTS)
            };
            let coming = (rate / 10).min(SLOTS - taken(&waiting));
            full |= coming < rate / 10;
            waiting.push((now, coming));
            let room = Room { free: SLOTS - taken(&waiting), slots: SLOTS };
            if now >= next || early.is_due(now, next, room) {
                let patience = room.patience();
                waiting.retain(|(came, _)| (now - *came).as_nanos() < u128::from(patience));
                read.push((now - start).as_secs_f64());
                if now >= next {
                    next += INTERVAL;
                }
                early.read(now, now + took, Some(Room { free: SLOTS - taken(&waiting), slots: SLOTS }));
            }
        }
        (read, full)
    }

    #[test]
    fn a_flood_is_read_before_the_table_is_full() {
        let quick = Duration::from_millis(60);
        for rate in [26_000, 40_000, 60_000] {
            let (read, full) = readings(rate, 20_000, quick);
            assert!(!full && read.len() > 2, "{rate}/s: {read:?}");
            let early = read.windows(2).filter(|pair| pair[1] % 10.0 != 0.0);
            assert!(early.into_iter().all(|pair| pair[1] - pair[0] >= 1.0), "{rate}/s: {read:?}");
        }
    }

    #[test]
    fn nothing_is_read_early_where_there_is_no_need() {
        for (rate, steady) in [(0, 0), (5_000, 0), (10_000, 60_000), (1_000, 200_000), (1_000, 250_000)] {
            let (read, _) = readings(rate, steady, Duration::from_millis(60));
            assert_eq!(read.len(), 2, "{rate}/s beside {steady}: {read:?}");
        }
    }

    #[test]
    fn early_readings_take_a_twentieth_of_a_core() {
        let long = Duration::from_millis(300);
        let (read, full) = readings(200_000, 0, long);
        assert!(full, "{read:?}");
        let early = read.iter().zip(read.iter().skip(1)).filter(|(_, at)| **at % 10.0 != 0.0);
        for (before, at) in early {
            assert!(at - before >= 20.0 * 0.3 - 0.05, "{read:?}");
        }
    }
}
