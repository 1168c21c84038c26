//! The packet path's clock (CLOCK_MONOTONIC) and its distance to wall-clock time. Not CLOCK_BOOTTIME, which runs while
//! the machine sleeps: no packet passes then, so that time asleep is nobody's silence, and no flow times out by it.

/// Turns times of the packet path into times since the epoch. The distance between the two clocks moves
/// when someone sets the time, so the daemon measures it anew each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    /// Wall-clock minus monotonic time, ns.
    offset: i64,
}

impl WallClock {
    /// For captures, whose packets carry wall-clock time already.
    pub const CAPTURE: Self = Self { offset: 0 };

    /// Measures the distance now.
    ///
    /// # Errors
    /// Fails only where the kernel lacks one of the two clocks.
    pub fn measure() -> std::io::Result<Self> {
        // The monotonic clock on both sides of the other: half the difference is the error.
        let before = read(libc::CLOCK_MONOTONIC)?;
        let wall = read(libc::CLOCK_REALTIME)?;
        let after = read(libc::CLOCK_MONOTONIC)?;
        let middle = before + after.saturating_sub(before) / 2;
        Ok(Self { offset: (wall as i64).saturating_sub(middle as i64) })
    }

    /// The same where someone has set the wall clock ahead by `by` nanoseconds.
    #[must_use]
    pub const fn moved(self, by: i64) -> Self {
        Self { offset: self.offset.saturating_add(by) }
    }

    /// Nanoseconds since the epoch for `time`, ns of the packet's clock.
    #[must_use]
    pub const fn wall(&self, time: u64) -> u64 {
        time.saturating_add_signed(self.offset)
    }
}

/// CLOCK_MONOTONIC in nanoseconds, the clock of `bpf_ktime_get_ns`.
///
/// # Errors
/// Fails only where the kernel lacks the clock.
pub fn monotonic() -> std::io::Result<u64> {
    read(libc::CLOCK_MONOTONIC)
}

/// Processor time of all of this process's threads so far, in user space and in the kernel, nanoseconds.
///
/// # Errors
/// Fails only where the kernel lacks the clock.
pub fn processor() -> std::io::Result<u64> {
    read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Processor time of the calling thread so far, in user space and in the kernel, nanoseconds.
///
/// # Errors
/// Fails only where the kernel lacks the clock.
pub fn thread() -> std::io::Result<u64> {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Nanoseconds of the kernel's tick.
///
/// # Errors
/// Fails only where the kernel lacks the clock that counts them.
pub fn tick() -> std::io::Result<u64> {
    time_of(|time| {
        // SAFETY: a timespec that lives through the call, which writes nothing else.
        unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC_COARSE, time) }
    })
}

fn read(clock: libc::clockid_t) -> std::io::Result<u64> {
    time_of(|time| {
        // SAFETY: a timespec that lives through the call, which writes nothing else.
        unsafe { libc::clock_gettime(clock, time) }
    })
}

/// What a call of the C library writes into a timespec, as nanoseconds.
fn time_of(call: impl FnOnce(&mut libc::timespec) -> libc::c_int) -> std::io::Result<u64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    if call(&mut time) != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Ok(seconds.saturating_mul(1_000_000_000) + u64::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_wall_clock_is_the_systems() {
        let clock = WallClock::measure().unwrap();
        let wall = u128::from(clock.wall(monotonic().unwrap()));
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        assert!(wall.abs_diff(system) < 1_000_000_000, "{wall} against {system}");
    }

    #[test]
    fn a_clock_that_was_set_moves_every_time_alike() {
        let clock = WallClock::measure().unwrap();
        let (start, end) = (monotonic().unwrap(), monotonic().unwrap() + 1_000);
        for by in [7_200_000_000_000, -7_200_000_000_000] {
            let moved = clock.moved(by);
            assert_eq!(moved.wall(end) - moved.wall(start), end - start);
            assert_eq!(moved.wall(start).cast_signed() - clock.wall(start).cast_signed(), by);
        }
        // Set to before the epoch: no time is negative.
        assert_eq!(clock.moved(i64::MIN).wall(start), 0);
    }

    #[test]
    fn processor_time_is_that_of_all_threads() {
        let before = processor().unwrap();
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let spin =
            || while std::time::Instant::now() < limit && processor().unwrap() < before + 20_000_000 {};
        // This thread only waits.
        let own = thread().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(spin);
        });
        assert!(processor().unwrap() >= before + 20_000_000);
        assert!(thread().unwrap() - own < 10_000_000, "its own time is that of one thread");
    }

    #[test]
    fn a_capture_keeps_its_times() {
        assert_eq!(WallClock::CAPTURE.wall(1_700_000_000_000_000_123), 1_700_000_000_000_000_123);
    }
}
