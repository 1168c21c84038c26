//! From the units of a pcapng interface to nanoseconds since the epoch.

const NANOSECONDS_PER_SECOND: i64 = 1_000_000_000;

/// How an interface counts time: `if_tsresol` and `if_tsoffset` (draft-ietf-opsawg-pcapng, section 4.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    unit: Unit,
    /// Nanoseconds to add to every time.
    offset: i128,
}

/// The unit of a timestamp against one nanosecond.
#[derive(Debug, Clone, Copy)]
enum Unit {
    /// So many nanoseconds.
    Times(u64),
    /// A nanosecond has so many, never 0.
    Part(u64),
    /// A second has two to the power of so many, at most 127.
    Binary(u8),
}

impl Clock {
    /// `resolution` is the value of `if_tsresol`: the negative power of 10, or with the upper bit set of 2;
    /// without the option it is 6. `offset` is `if_tsoffset` in seconds, 0 without.
    pub(super) fn new(resolution: u8, offset: i64) -> Self {
        let exponent = u32::from(resolution & 0x7F);
        let unit = if resolution & 0x80 != 0 {
            Unit::Binary(resolution & 0x7F)
        } else if exponent <= 9 {
            Unit::Times(10_u64.pow(9 - exponent))
        } else {
            // Where the divisor is beyond 64 bits, no timestamp of 64 bits reaches a nanosecond.
            10_u64.checked_pow(exponent - 9).map_or(Unit::Times(0), Unit::Part)
        };
        Self { unit, offset: i128::from(offset) * i128::from(NANOSECONDS_PER_SECOND) }
    }

    /// A timestamp in nanoseconds since the epoch, at the ends of the range the nearest that there is.
    #[inline]
    pub(super) fn nanoseconds(&self, ticks: u64) -> u64 {
        // 128 bits hold every product: 64 bits of ticks, 30 of nanoseconds, 94 of offset.
        let wide = i128::from(ticks);
        let time = match self.unit {
            Unit::Times(factor) => wide * i128::from(factor),
            Unit::Part(divisor) => i128::from(ticks / divisor),
            Unit::Binary(exponent) => (wide * i128::from(NANOSECONDS_PER_SECOND)) >> exponent,
        } + self.offset;
        u64::try_from(time.max(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten() {
        assert_eq!(Clock::new(6, 0).nanoseconds(1_234_567), 1_234_567_000);
        assert_eq!(Clock::new(9, 0).nanoseconds(1_234_567), 1_234_567);
        assert_eq!(Clock::new(0, 0).nanoseconds(3), 3_000_000_000);
        assert_eq!(Clock::new(12, 0).nanoseconds(1_234_567), 1_234);
        assert_eq!(Clock::new(28, 0).nanoseconds(u64::MAX), 1);
        assert_eq!(Clock::new(29, 0).nanoseconds(u64::MAX), 0);
    }

    #[test]
    fn powers_of_two() {
        assert_eq!(Clock::new(0x80, 0).nanoseconds(3), 3_000_000_000);
        assert_eq!(Clock::new(0x81, 0).nanoseconds(3), 1_500_000_000);
        assert_eq!(Clock::new(0xA0, 0).nanoseconds((5 << 32) + (1 << 31)), 5_500_000_000);
        assert_eq!(Clock::new(0xFF, 0).nanoseconds(u64::MAX), 0);
    }

    #[test]
    fn offsets_move_and_saturate() {
        assert_eq!(Clock::new(6, 10).nanoseconds(1), 10_000_001_000);
        assert_eq!(Clock::new(6, -10).nanoseconds(11_000_000), 1_000_000_000);
        assert_eq!(Clock::new(6, -10).nanoseconds(1), 0);
        assert_eq!(Clock::new(0, i64::MIN).nanoseconds(u64::MAX), u64::MAX);
        assert_eq!(Clock::new(0, i64::MIN).nanoseconds(0), 0);
    }

    #[test]
    fn no_resolution_and_no_offset_overflows() {
        for resolution in 0..=u8::MAX {
            for offset in [i64::MIN, -1, 0, 1, i64::MAX] {
                let clock = Clock::new(resolution, offset);
                assert!(clock.nanoseconds(0) <= clock.nanoseconds(u64::MAX));
            }
        }
    }
}
