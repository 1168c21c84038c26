//! Stretches of sequence space that later segments jumped over: a bounded list, the newest win.

use super::sequence::before;
use crate::{
    record::{HOLES, Hole},
    shared::Relaxed,
};

/// Whether the whole of `start..end` is missing.
#[inline(always)]
#[must_use]
pub fn covers(holes: &[Relaxed<Hole>; HOLES], start: u32, end: u32) -> bool {
    let mut found = false;
    for hole in holes {
        let hole = hole.get();
        found |= hole.start != hole.end && !before(start, hole.start) && !before(hole.end, end);
    }
    found
}

/// Notes that `start..end` was jumped over.
#[inline(always)]
pub fn open(holes: &[Relaxed<Hole>; HOLES], start: u32, end: u32) {
    // The newest stands in front and pushes the oldest out: its repair will then count as a repeat, which it
    // nearly always is when more than HOLES losses are open at once.
    let mut moved = Hole { start, end };
    for hole in holes {
        let before = hole.get();
        hole.set(moved);
        if closed(before) {
            break;
        }
        moved = before;
    }
}

#[inline(always)]
const fn closed(hole: Hole) -> bool {
    hole.start == hole.end
}

/// Takes `start..end` out of the stretches.
#[inline(always)]
pub fn fill(holes: &[Relaxed<Hole>; HOLES], start: u32, end: u32) {
    let mut front = Hole::default();
    for place in holes {
        let mut hole = place.get();
        if closed(hole) || !before(start, hole.end) || !before(hole.start, end) {
            continue;
        }
        let tail = before(end, hole.end);
        if !before(hole.start, start) {
            // Covers the front, or all.
            hole.start = if tail { end } else { hole.end };
        } else if tail {
            // Out of the middle: two stretches are left.
            front = Hole { start: hole.start, end: start };
            hole.start = end;
        } else {
            hole.end = start;
        }
        place.set(hole);
    }
    if !closed(front) {
        open(holes, front.start, front.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn none() -> [Relaxed<Hole>; HOLES] {
        [const { Relaxed::new(Hole { start: 0, end: 0 }) }; HOLES]
    }

    #[test]
    fn a_gap_is_missing_until_filled() {
        let holes = none();
        assert!(!covers(&holes, 0, 0));
        open(&holes, 100, 300);
        assert!(covers(&holes, 100, 300));
        assert!(covers(&holes, 150, 200));
        assert!(!covers(&holes, 50, 150));
        fill(&holes, 100, 200);
        assert!(!covers(&holes, 100, 200));
        assert!(covers(&holes, 200, 300));
        fill(&holes, 250, 400);
        assert!(covers(&holes, 200, 250));
        fill(&holes, 220, 230);
        assert!(covers(&holes, 200, 220) && covers(&holes, 230, 250) && !covers(&holes, 220, 230));
        fill(&holes, 0, 1000);
        assert_eq!(holes.map(|hole| closed(hole.get())), [true; HOLES]);
    }

    #[test]
    fn a_gap_may_straddle_the_wrap() {
        let holes = none();
        open(&holes, u32::MAX - 10, 20);
        assert!(covers(&holes, u32::MAX, 5));
        fill(&holes, u32::MAX - 10, 0);
        assert!(covers(&holes, 0, 20));
        assert!(!covers(&holes, u32::MAX, 5));
    }

    #[test]
    fn the_newest_gaps_are_kept() {
        let holes = none();
        for index in 0..6_u32 {
            open(&holes, index * 100, index * 100 + 50);
        }
        assert!(!covers(&holes, 100, 150));
        for index in 2..6 {
            assert!(covers(&holes, index * 100, index * 100 + 50), "{index}");
        }
    }
}
