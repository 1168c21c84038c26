//! The windows of one direction of one interface.

use std::collections::VecDeque;

/// The label value of each window and its length, ms.
pub const WINDOWS: [(&str, u64); 3] = [("1ms", 1), ("10ms", 10), ("100ms", 100)];

/// Milliseconds that windows look back: a power of two above the longest.
const PAST: usize = 128;
/// Five minutes, ms: the sample of the 95th-percentile rule.
const SAMPLE: u64 = 300_000;
/// Of these at least this much must have been seen, as the wall clock may have been set meanwhile.
const SEEN: u64 = SAMPLE * 99 / 100;

/// What the windows of one direction are judged by.
pub(super) struct Terms {
    /// How long a peak is shown, ms.
    pub(super) hold: u64,
    pub(super) burst_share: f64,
    /// Bytes per second.
    pub(super) speed: Option<u64>,
}

impl Terms {
    /// Bytes over which a window of `len` ms is a burst.
    fn limit(&self, len: u64) -> u64 {
        let limit = |speed: u64| (speed as f64 * self.burst_share * len as f64 / 1e3) as u64;
        self.speed.map_or(u64::MAX, limit)
    }
}

/// What is known of one direction of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CapacityNumbers {
    /// Bytes in the largest of [`WINDOWS`] in the time that peaks are held.
    pub peaks: [u64; WINDOWS.len()],
    /// Windows over the share of line rate, none of which overlap; `None` where the link's speed is not known.
    pub bursts: Option<[u64; WINDOWS.len()]>,
    /// Bytes per second in the last whole five minutes of the wall clock.
    pub sample: Option<f64>,
    /// Milliseconds that were overwritten before they were read.
    pub missed: u64,
}

pub(super) struct Place {
    windows: [Window; WINDOWS.len()],
    /// Bytes of the last milliseconds, each at its number modulo [`PAST`].
    past: [u64; PAST],
    hold: u64,
    has_speed: bool,
    sample: Sample,
    missed: u64,
}

/// A sliding window.
#[derive(Default)]
struct Window {
    len: u64,
    /// Bytes in the window that ends with the last millisecond.
    sum: u64,
    /// Bytes over which it is a burst.
    limit: u64,
    bursts: u64,
    /// End of the first window that does not overlap the last burst, ms.
    free: u64,
    /// When and how large: later ones are smaller.
    peaks: VecDeque<(u64, u64)>,
}

/// The five minutes under way.
#[derive(Default)]
struct Sample {
    /// Number of the five minutes since the epoch.
    number: u64,
    bytes: u64,
    /// Milliseconds of it that were seen.
    seen: u64,
    last: Option<f64>,
}

impl Place {
    pub(super) fn new(terms: &Terms) -> Self {
        Self {
            windows: WINDOWS.map(|(_, len)| Window { len, limit: terms.limit(len), ..Window::default() }),
            past: [0; PAST],
            hold: terms.hold,
            has_speed: terms.speed.is_some(),
            sample: Sample::default(),
            missed: 0,
        }
    }

    /// Goes on by other terms: peaks and bursts so far stay.
    pub(super) fn judge_by(&mut self, terms: &Terms) {
        for window in &mut self.windows {
            window.limit = terms.limit(window.len);
        }
        (self.hold, self.has_speed) = (terms.hold, terms.speed.is_some());
    }

    pub(super) const fn hold(&mut self, hold: u64) {
        self.hold = hold;
    }

    /// Takes in the bytes of consecutive milliseconds, `from` the first in the packets' clock and `wall` in that of
    /// the day. Of the first `missed` nothing certain is known.
    pub(super) fn feed(&mut self, from: u64, wall: u64, bytes: &[u64], missed: u64) {
        let len = bytes.len() as u64;
        self.missed += missed;
        self.sample.feed(wall + missed, bytes.get(missed as usize..).unwrap_or_default());
        let Self { windows, past, hold, .. } = self;
        for window in windows {
            let oldest = (from + len).saturating_sub(*hold);
            window.slide(from, past, bytes);
            while window.peaks.front().is_some_and(|(at, _)| *at < oldest) {
                window.peaks.pop_front();
            }
        }
        for (millisecond, bytes) in (from..).zip(bytes) {
            if let Some(place) = past.get_mut(millisecond as usize & (PAST - 1)) {
                *place = *bytes;
            }
        }
    }

    /// Nothing passed for `len` ms, which is longer than the windows look back.
    pub(super) fn silence(&mut self, wall: u64, len: u64) {
        self.sample.pass(wall, len, |_| 0);
        self.past = [0; PAST];
        self.windows.iter_mut().for_each(|window| window.sum = 0);
    }

    pub(super) fn numbers(&self) -> CapacityNumbers {
        CapacityNumbers {
            peaks: self.windows.each_ref().map(|window| window.peaks.front().map_or(0, |(_, most)| *most)),
            bursts: self.has_speed.then(|| self.windows.each_ref().map(|window| window.bursts)),
            sample: self.sample.last,
            missed: self.missed,
        }
    }
}

impl Window {
    /// Goes on over `bytes`, before which stands `past`.
    fn slide(&mut self, from: u64, past: &[u64; PAST], bytes: &[u64]) {
        if self.sum == 0 && bytes.iter().all(|bytes| *bytes == 0) {
            return;
        }
        let mut most = 0;
        for (index, entering) in bytes.iter().enumerate() {
            let millisecond = from + index as u64;
            let leaving = match index.checked_sub(self.len as usize) {
                Some(inside) => bytes.get(inside),
                None => past.get(millisecond.wrapping_sub(self.len) as usize & (PAST - 1)),
            };
            self.sum = (self.sum + entering).saturating_sub(leaving.copied().unwrap_or_default());
            most = most.max(self.sum);
            if self.sum > self.limit && millisecond >= self.free {
                self.bursts += 1;
                self.free = millisecond + self.len;
            }
        }
        while self.peaks.back().is_some_and(|(_, before)| *before <= most) {
            self.peaks.pop_back();
        }
        self.peaks.push_back((from + bytes.len() as u64, most));
    }
}

impl Sample {
    fn feed(&mut self, wall: u64, bytes: &[u64]) {
        self.pass(wall, bytes.len() as u64, |range: std::ops::Range<u64>| {
            bytes.get(range.start as usize..range.end as usize).unwrap_or_default().iter().sum()
        });
    }

    /// Goes on over `len` ms from `wall` on; `bytes` gives the sum of a range of them.
    fn pass(&mut self, wall: u64, len: u64, bytes: impl Fn(std::ops::Range<u64>) -> u64) {
        let mut done = 0;
        while done < len {
            let number = (wall + done) / SAMPLE;
            if number != self.number {
                let whole = number == self.number + 1 && self.seen >= SEEN;
                let average = || self.bytes as f64 * 1e3 / self.seen as f64;
                *self = Self { number, bytes: 0, seen: 0, last: whole.then(average) };
            }
            let end = len.min((number + 1) * SAMPLE - wall);
            self.bytes += bytes(done..end);
            self.seen += end - done;
            done = end;
        }
    }
}
