use proptest::prelude::*;

use super::*;

const SPEED: u64 = 1_000_000;
const HOLD: u64 = 700;

fn place(speed: Option<u64>) -> Place {
    Place::new(&Terms { hold: HOLD, burst_share: 0.9, speed })
}

/// The largest sum of `len` consecutive values that ends at or after `since`.
fn largest(bytes: &[u64], len: usize, since: usize) -> u64 {
    let ends = since..bytes.len();
    ends.map(|end| bytes[(end + 1).saturating_sub(len)..=end].iter().sum()).max().unwrap_or_default()
}

/// Windows over the limit, each begun only after the one before.
fn over(bytes: &[u64], len: usize) -> u64 {
    let limit = SPEED as f64 * 0.9 * len as f64 / 1e3;
    let (mut count, mut end) = (0, 0);
    while end < bytes.len() {
        let sum: u64 = bytes[(end + 1).saturating_sub(len)..=end].iter().sum();
        let is_over = sum as f64 > limit;
        count += u64::from(is_over);
        end += if is_over { len } else { 1 };
    }
    count
}

proptest! {
    /// However the milliseconds are cut into looks, and wherever they begin.
    #[test]
    fn windows_are_what_they_are_by_definition(
        begin in 1_000_u64..10_000_000,
        bytes in prop::collection::vec(prop_oneof![3 => Just(0), 2 => 0_u64..1_200, 1 => 0_u64..90_000], 1..1_500),
        cuts in prop::collection::vec(1_usize..260, 1..40),
    ) {
        let mut place = place(Some(SPEED));
        let (mut done, mut looks) = (0, Vec::new());
        for cut in cuts.iter().cycle() {
            if done == bytes.len() {
                break;
            }
            let end = (done + cut).min(bytes.len());
            place.feed(begin + done as u64, 0, &bytes[done..end], 0);
            looks.push((done, end));
            done = end;
        }
        let numbers = place.numbers();
        // Peaks leave by whole looks: those whose end is in the time that they are held.
        let oldest = bytes.len().saturating_sub(HOLD as usize);
        let since = looks.iter().find(|(_, end)| *end >= oldest).unwrap().0;
        for (index, (_, len)) in WINDOWS.into_iter().enumerate() {
            prop_assert_eq!(numbers.peaks[index], largest(&bytes, len as usize, since), "{} ms", len);
            prop_assert_eq!(numbers.bursts.unwrap()[index], over(&bytes, len as usize), "{} ms", len);
        }
    }
}

#[test]
fn without_a_speed_there_are_no_bursts() {
    let mut place = place(None);
    place.feed(1_000, 0, &[u64::from(u32::MAX); 200], 0);
    assert_eq!(place.numbers().bursts, None);
    assert_eq!(place.numbers().peaks[2], 100 * u64::from(u32::MAX));
}

/// Five minutes count once they were seen from beginning to end.
#[test]
fn samples_are_whole_five_minutes() {
    let mut place = place(None);
    let second = |place: &mut Place, seconds: std::ops::Range<u64>, bytes: u64| {
        for second in seconds {
            place.feed(second * 1_000, second * 1_000, &[bytes; 1_000], 0);
        }
    };
    second(&mut place, 450..600, 7);
    assert_eq!(place.numbers().sample, None);
    second(&mut place, 600..900, 3);
    assert_eq!(place.numbers().sample, None, "the first was seen from its middle on");
    second(&mut place, 900..1_000, 5);
    assert_eq!(place.numbers().sample, Some(3_000.0));
    // The clock is set forward: what is left of these five minutes is no sample.
    second(&mut place, 1_150..1_210, 5);
    assert_eq!(place.numbers().sample, None);
    place.silence(1_210_000, 600_000);
    assert_eq!(place.numbers().sample, Some(0.0));
}

/// Peaks are by the packets' clock, samples by that of the day: where it is set back, no sample is made up.
#[test]
fn a_clock_set_back_makes_up_no_sample() {
    let mut place = place(None);
    let mut feed = |from: u64, wall: u64, seconds: u64| {
        for second in 0..seconds {
            place.feed((from + second) * 1_000, (wall + second) * 1_000, &[4; 1_000], 0);
        }
        (place.numbers().sample, place.numbers().peaks)
    };
    let peaks = [4, 40, 400];
    assert_eq!(feed(100, 3_600, 200), (None, peaks));
    // By a minute and more, within the same five: the average is still of what passed.
    assert_eq!(feed(300, 3_700, 200), (None, peaks));
    assert_eq!(feed(500, 3_900, 10), (Some(4_000.0), peaks));
    // By an hour, in the middle of five minutes, and then five whole ones.
    assert_eq!(feed(510, 400, 200), (None, peaks));
    assert_eq!(feed(710, 600, 300), (None, peaks));
    assert_eq!(feed(1_010, 900, 1), (Some(4_000.0), peaks));
}

#[test]
fn looks_read_each_millisecond_once_and_say_what_they_missed() {
    let options = CapacityOptions { hold: 60_000, burst_share: 0.9, replay: false };
    let mut capacity = Capacity::new(options);
    capacity.watch(3, Direction::Egress, Some(SPEED));
    let mut read = Vec::new();
    for now in [5_000_u64, 5_100, 5_101, 8_000] {
        capacity.look(now * MILLISECOND, &WallClock::CAPTURE, &mut |slot, direction, from, sums| {
            assert_eq!((slot, direction), (3, Direction::Egress));
            read.extend(from..from + sums.len() as u64);
            sums.fill(1);
            u64::from(from > 6_000) * 2
        });
    }
    assert_eq!(read, (4_990..7_990).collect::<Vec<_>>());
    let [ingress, egress] = capacity.numbers(3).unwrap();
    assert_eq!(ingress, CapacityNumbers::default());
    assert_eq!((egress.peaks, egress.missed), ([1, 10, 100], 4));
    assert_eq!(capacity.numbers(2), None);
}
