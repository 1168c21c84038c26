//! How full a link is at its fullest: peaks over short windows, bursts, and averages of five minutes, from bytes
//! by the millisecond.

mod place;

use flow_common::{
    bins::{COUNT as BINS, MILLISECOND},
    key::Direction,
};

pub use self::place::{CapacityNumbers, WINDOWS};
use self::place::{Place, Terms};
use crate::clock::WallClock;

/// A packet is in its bin this long after its time stamp, ms, but where its CPU was stopped meanwhile.
const LAG: u64 = 10;

/// What is asked of the windows.
#[derive(Clone, Copy, Debug)]
pub struct CapacityOptions {
    /// How long a peak is shown, ms.
    pub hold: u64,
    /// Share of the line rate over which a window is a burst.
    pub burst_share: f64,
    /// The packets come from a file: there is nothing to wait for, and no end to the pauses between them.
    pub replay: bool,
}

/// Gives, for an interface slot and a direction, the bytes of the milliseconds from the third argument on; returns
/// how many of these it no longer had.
pub type Passed<'a> = &'a mut dyn FnMut(u16, Direction, u64, &mut [u64]) -> u64;

/// The windows of all watched interfaces.
pub struct Capacity {
    options: CapacityOptions,
    places: Vec<(u16, Direction, Place)>,
    /// First millisecond that has not been read; `None` before the first look.
    next: Option<u64>,
    sums: Vec<u64>,
}

impl Capacity {
    /// Longest time between two looks, ms, in which no bin is lost.
    pub const LONGEST_LOOK: u64 = BINS as u64 / 4;

    #[must_use]
    pub const fn new(options: CapacityOptions) -> Self {
        Self { options, places: Vec::new(), next: None, sums: Vec::new() }
    }

    /// Watches one direction of the interface in `slot`, whose link takes `speed` bytes per second.
    pub fn watch(&mut self, slot: u16, direction: Direction, speed: Option<u64>) {
        let terms = Terms { hold: self.options.hold, burst_share: self.options.burst_share, speed };
        self.places.push((slot, direction, Place::new(&terms)));
    }

    /// Goes on to watch a slot whose link takes `speed` bytes per second by now; peaks and bursts so far stay.
    pub fn set_speed(&mut self, slot: u16, speed: Option<u64>) {
        let terms = Terms { hold: self.options.hold, burst_share: self.options.burst_share, speed };
        let places = self.places.iter_mut().filter(|(of, ..)| *of == slot);
        places.for_each(|(.., place)| place.judge_by(&terms));
    }

    /// True if the interface in `slot` is watched.
    #[must_use]
    pub fn watches(&self, slot: u16) -> bool {
        self.places.iter().any(|(of, ..)| *of == slot)
    }

    /// Ends the watching of a slot.
    pub fn forget(&mut self, slot: u16) {
        self.places.retain(|(of, ..)| *of != slot);
    }

    /// Takes over other options; `speed` gives that of the link of a slot, bytes per second.
    pub fn reconfigure(&mut self, options: CapacityOptions, speed: impl Fn(u16) -> Option<u64>) {
        self.options = options;
        for (slot, _, place) in &mut self.places {
            let (hold, burst_share) = (options.hold, options.burst_share);
            place.judge_by(&Terms { hold, burst_share, speed: speed(*slot) });
        }
    }

    /// Says that packets are counted from `now` on, ns of their clock; else the first look says so.
    pub const fn begin(&mut self, now: u64) {
        self.next = Some(now / MILLISECOND);
    }

    /// Shows peaks for `more` ms longer than was asked for, as where they are looked at less often.
    pub fn hold_longer(&mut self, more: u64) {
        for (_, _, place) in &mut self.places {
            place.hold(self.options.hold.saturating_add(more));
        }
    }

    /// Reads what has passed until `now`, ns of the packets' clock.
    pub fn look(&mut self, now: u64, clock: &WallClock, passed: Passed<'_>) {
        let until = (now / MILLISECOND).saturating_sub(if self.options.replay { 0 } else { LAG });
        let next = self.next.get_or_insert(until);
        while *next < until {
            let (from, len) = (*next, (until - *next).min(BINS as u64));
            let wall = |millisecond: u64| clock.wall(millisecond * MILLISECOND) / MILLISECOND;
            for (slot, direction, place) in &mut self.places {
                self.sums.clear();
                self.sums.resize(len as usize, 0);
                let missed = passed(*slot, *direction, from, &mut self.sums);
                place.feed(from, wall(from), &self.sums, missed);
            }
            *next += len;
            if self.options.replay && until - *next > BINS as u64 {
                for (_, _, place) in &mut self.places {
                    place.silence(wall(*next), until - *next);
                }
                *next = until;
            }
        }
    }

    /// True if packets of `now` must not be counted before a look: bins would be lost.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        self.next.is_none_or(|next| now / MILLISECOND >= next + Self::LONGEST_LOOK)
    }

    /// What is known of the interface in `slot`, by direction; `None` where it is not watched.
    #[must_use]
    pub fn numbers(&self, slot: u16) -> Option<[CapacityNumbers; 2]> {
        let mut numbers = None;
        for (_, direction, place) in self.places.iter().filter(|(of, ..)| *of == slot) {
            let both = numbers.get_or_insert([CapacityNumbers::default(); 2]);
            if let Some(one) = both.get_mut(*direction as usize) {
                *one = place.numbers();
            }
        }
        numbers
    }
}

#[cfg(test)]
mod tests;
