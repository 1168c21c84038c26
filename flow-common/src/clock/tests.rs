//! Packets at a pace, their times, and how far these are from the truth.

use super::{BUSY, Clock, GAP, Pace, REUSED, Time, WINDOW, tick_of};

const MICROSECOND: u64 = 1_000;

/// A clock whose kernel ticks every 4.2 ms.
#[derive(Clone, Copy)]
struct At(u64);

impl Clock for At {
    fn read(self) -> u64 {
        self.0
    }

    fn tick(self) -> u64 {
        tick_of(self.0)
    }
}

/// Lets `packets` come `step` ns apart from `from` on; what each one's time lacks.
fn pass(pace: &mut Pace, from: u64, step: u64, packets: u32) -> Vec<u64> {
    (0..u64::from(packets))
        .map(|number| {
            let now = from + number * step;
            pace.next(At(now), true);
            now - pace.now()
        })
        .collect()
}

#[test]
fn below_64_packets_in_a_millisecond_each_time_is_exact() {
    let mut pace = Pace::NEW;
    let late = pass(&mut pace, 5_000_000, BUSY / u64::from(WINDOW - 1), 10_000);
    assert_eq!(late.iter().max(), Some(&0));
    assert_eq!((pace.reuse.packets, pace.reuse.with_tick(1 << 22).error), (0, 0));
}

#[test]
fn two_packets_at_once_every_millisecond_are_no_busy_cpu() {
    let mut pace = Pace::NEW;
    for number in 0..10_000 {
        let late = pass(&mut pace, 5_000_000 + number * 1_000 * MICROSECOND, MICROSECOND, 2);
        assert_eq!(late, [0, 0]);
    }
}

#[test]
fn a_busy_cpu_reads_for_one_packet_of_eight() {
    let mut pace = Pace::NEW;
    let late = pass(&mut pace, 5_000_000, MICROSECOND, 100_000);
    let exact = late.iter().filter(|late| **late == 0).count();
    assert!((12_500..12_700).contains(&exact), "{exact}");
    assert_eq!(late.iter().max(), Some(&(u64::from(REUSED) * MICROSECOND)));
    assert!(pace.reuse.packets >= 87_000, "{}", pace.reuse.packets);
    assert_eq!(pace.reuse.with_tick(1 << 22).error, u64::from(REUSED + 1) * MICROSECOND);
}

#[test]
fn a_pause_after_a_burst_leaves_seven_packets_too_early_by_less_than_a_tick() {
    for pause in [200 * MICROSECOND, 3_000 * MICROSECOND, 20_000 * MICROSECOND] {
        let mut pace = Pace::NEW;
        // In the middle of what may be reused.
        let burst = pass(&mut pace, 5 << 22, MICROSECOND, 2 * WINDOW + 3);
        assert!(burst.last().is_some_and(|late| *late != 0));
        let at = (5 << 22) + u64::from(2 * WINDOW + 2) * MICROSECOND + pause;
        let late = pass(&mut pace, at, GAP, 1_000);
        let wrong = late.iter().filter(|late| **late != 0).count();
        assert!(wrong <= REUSED as usize, "{wrong} after {pause}");
        assert!(late.iter().all(|late| *late < 1 << 22), "{late:?}");
        assert!(
            late.iter().all(|late| *late <= pace.reuse.with_tick(1 << 22).error),
            "{} after {pause}",
            pace.reuse.with_tick(1 << 22).error
        );
    }
}

#[test]
fn what_measures_reads_on_demand_and_begins_nothing() {
    let mut pace = Pace::NEW;
    pass(&mut pace, 5_000_000, MICROSECOND, 2 * WINDOW + 3);
    let now = 5_000_000 + u64::from(2 * WINDOW + 3) * MICROSECOND;
    pace.next(At(now), true);
    let mut time = Time { pace: &mut pace, clock: At(now) };
    assert!(time.now() < now && !time.is_due());
    assert_eq!((time.exact(), time.now(), time.is_due()), (now, now, false));
    pace.next(At(now), false);
    assert!(Time { pace: &mut pace, clock: At(now) }.is_due(), "without reuse each packet is due");
}
