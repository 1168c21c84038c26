//! Bytes of one interface and direction, millisecond by millisecond, as one CPU saw them: what peaks over short
//! windows are found from.
//!
//! The ring of bins has one writer, so that it needs no atomic additions, and a reader who comes often enough to find
//! each bin before the ring comes round.

use crate::shared::Relaxed;

/// Milliseconds that a ring remembers. A power of two.
pub const COUNT: usize = 1024;
/// Nanoseconds of a bin.
pub const MILLISECOND: u64 = 1_000_000;

/// The lower bits of a bin count bytes, 64 GiB of them; those above tell its millisecond from the ones that share
/// the bin, up to three days away.
const BYTE_BITS: u32 = 36;
const BYTES: u64 = (1 << BYTE_BITS) - 1;

/// Words of a ring before its bins.
const AHEAD: usize = 2;
/// Word that holds [`Bins::millisecond`].
const LAST: usize = 1;

#[repr(C)]
pub struct Bins {
    /// When the present millisecond began, ns.
    start: Relaxed<u64>,
    /// The present millisecond, counted from the clock's origin.
    millisecond: Relaxed<u64>,
    bins: [Relaxed<u64>; COUNT],
}

const _: () = assert!(size_of::<Bins>() == (AHEAD + COUNT) * size_of::<u64>() && COUNT.is_power_of_two());

impl Default for Bins {
    fn default() -> Self {
        Self::new()
    }
}

impl Bins {
    /// Words of a ring.
    pub const WORDS: usize = AHEAD + COUNT;

    /// One in which nothing has passed.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            start: Relaxed::new(0),
            millisecond: Relaxed::new(0),
            bins: [const { Relaxed::new(0) }; COUNT],
        }
    }

    /// Counts `bytes` that passed at `now` ns.
    #[inline(always)]
    pub fn add(&self, now: u64, bytes: u64) {
        // A division costs as much as all the rest, and most packets come in their predecessor's millisecond.
        let begins = now.saturating_sub(self.start.get()) >= MILLISECOND;
        if begins {
            let millisecond = now / MILLISECOND;
            self.millisecond.set(millisecond);
            self.start.set(millisecond * MILLISECOND);
        }
        let millisecond = self.millisecond.get();
        // Always there: the verifier sees it by the mask.
        if let Some(bin) = self.bins.get(millisecond as usize & (COUNT - 1)) {
            bin.set(if begins { millisecond << BYTE_BITS } else { bin.get() } + bytes);
        }
    }

    /// [`read`] of a ring in this process's own memory.
    pub fn read(&self, from: u64, sums: &mut [u64]) -> u64 {
        let word = |index: usize| match index {
            LAST => self.millisecond.get(),
            _ => self.bins.get(index.wrapping_sub(AHEAD)).map_or(0, Relaxed::get),
        };
        read(word, from, sums)
    }
}

/// Adds the bytes of each millisecond from `from` on to `sums`, one by one; `word` loads one of the ring's
/// [`Bins::WORDS`], to which its writer may be adding. Returns how many of these milliseconds the ring may no
/// longer have had.
pub fn read(word: impl Fn(usize) -> u64, from: u64, sums: &mut [u64]) -> u64 {
    let last = word(LAST);
    for (millisecond, sum) in (from..=last).zip(sums.iter_mut()) {
        let bin = word(AHEAD + (millisecond as usize & (COUNT - 1)));
        if bin >> BYTE_BITS == millisecond << BYTE_BITS >> BYTE_BITS {
            *sum += bin & BYTES;
        }
    }
    // Once more, as the writer may have come round meanwhile.
    let oldest = (word(LAST) + 1).saturating_sub(COUNT as u64);
    oldest.saturating_sub(from).min(sums.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: u64 = 77_777;

    fn bins(packets: &[(u64, u64)]) -> Bins {
        let bins = Bins::new();
        for (now, bytes) in packets {
            bins.add(*now, *bytes);
        }
        bins
    }

    #[test]
    fn bytes_count_in_their_millisecond() {
        let at = |millisecond, ns| (BEGIN + millisecond) * MILLISECOND + ns;
        let bins =
            bins(&[(at(0, 999_999), 5), (at(1, 0), 6), (at(1, 999_999), 7), (at(4, 1), 8), (at(3, 1), 9)]);
        let mut sums = [0; 6];
        assert_eq!(bins.read(BEGIN, &mut sums), 0);
        // A clock that goes back, as two captures in one may have it, makes no new millisecond.
        assert_eq!(sums, [5, 13, 0, 0, 17, 0]);
        assert_eq!(bins.read(BEGIN + 5, &mut sums), 0);
        assert_eq!(sums, [5, 13, 0, 0, 17, 0]);
    }

    #[test]
    fn what_the_ring_overwrote_is_said() {
        let count = COUNT as u64;
        let bins = bins(&[(BEGIN * MILLISECOND, 5), ((BEGIN + count + 1) * MILLISECOND, 6)]);
        let mut sums = [0; 4];
        assert_eq!(bins.read(BEGIN, &mut sums), 2);
        assert_eq!(sums[0], 5, "no other millisecond took this bin");
        assert_eq!(bins.read(BEGIN + 2, &mut sums), 0);
        let mut sums = [0; 4];
        assert_eq!(bins.read(BEGIN + 1, &mut sums), 1);
        assert_eq!(sums, [0; 4], "the bin is another millisecond's by now");
        assert_eq!(Bins::new().read(BEGIN, &mut sums), 0);
    }

    #[test]
    fn the_greatest_millisecond_leaves_its_number_alone() {
        let bins = bins(&[(BEGIN * MILLISECOND, BYTES)]);
        let mut sums = [0];
        bins.read(BEGIN, &mut sums);
        assert_eq!(sums, [BYTES]);
        bins.add((BEGIN + 1) * MILLISECOND, 1);
        bins.read(BEGIN + 1, &mut sums);
        assert_eq!(sums, [BYTES + 1]);
    }
}
