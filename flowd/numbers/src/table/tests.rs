use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

type Keys = Table<Option<u32>, u64>;

fn add(table: &mut Keys, key: u32, amount: u64) {
    *table.at(Some(key), None).unwrap() += amount;
}

fn sum(table: &Keys) -> u64 {
    let rows: u64 = table.rows().map(|(_, value)| value).sum();
    rows + table.retired().map(|(_, _, value)| value).sum::<u64>()
}

fn keys(table: &Keys) -> Vec<u32> {
    let mut keys: Vec<u32> = table.rows().filter_map(|(key, _)| *key).collect();
    keys.sort_unstable();
    keys
}

fn value(table: &Keys, key: Option<u32>) -> Option<u64> {
    table.rows().find(|(other, _)| **other == key).map(|(_, value)| *value)
}

#[test]
fn what_does_not_fit_is_in_the_catch_all() {
    let mut table = Keys::new(3);
    table.reserve(None);
    for key in 0..10 {
        add(&mut table, key, u64::from(key));
    }
    assert_eq!((table.len(), table.overflows()), (4, 7));
    assert_eq!(sum(&table), 45);
    assert_eq!(value(&table, Some(2)), Some(2));
}

#[test]
fn a_catch_all_is_made_when_first_needed() {
    let mut table = Keys::new(0);
    add(&mut table, 1, 5);
    assert_eq!(table.rows().next(), Some((&None, &5)));
}

#[test]
fn the_heavy_take_the_place_of_the_light_and_keep_it() {
    let mut table = Keys::new(2);
    for (key, amount) in [(1, 10), (2, 100), (3, 150), (4, 19)] {
        add(&mut table, key, amount);
    }
    table.settle(SECOND, 1);
    // 4 is heavier than 1, but 1 has gone for 3 already, and 2 is too heavy for 4.
    assert_eq!(keys(&table), [2, 3]);
    assert_eq!(value(&table, Some(3)), Some(0), "what it counted before stays in other");
    assert_eq!(value(&table, None), Some(179), "and what 1 counted was never shown");
    assert_eq!(table.retired().count(), 0);
    add(&mut table, 4, 170);
    table.settle(SECOND, 2);
    assert_eq!(keys(&table), [2, 3], "not heavy enough by the lead");
    add(&mut table, 4, 100);
    add(&mut table, 2, 1);
    table.settle(SECOND, 3);
    assert_eq!(keys(&table), [3, 4]);
    assert_eq!(table.retired().collect::<Vec<_>>(), [(&None, 3, &100)]);
    assert_eq!((value(&table, None), sum(&table)), (Some(179 + 170 + 100 + 1), 550));
}

#[test]
fn an_idle_row_leaves_and_comes_back_with_its_value() {
    let mut table = Keys::new(2);
    table.announce(Some(9), None);
    add(&mut table, 1, 70);
    table.settle(SECOND, 1);
    table.settle(SECOND + IDLE, 601);
    assert_eq!(keys(&table), [9], "an announced row stays");
    assert_eq!(table.retired().collect::<Vec<_>>(), [(&None, 601, &70)]);
    add(&mut table, 1, 5);
    table.settle(2 * IDLE, 1_200);
    assert_eq!((value(&table, Some(1)), value(&table, None)), (Some(75), Some(0)));
    assert_eq!(table.retired().count(), 0);
    table.settle(4 * IDLE, 2_400);
    table.settle(3 * IDLE + KEEP, 6_000);
    assert!(!table.knows(&Some(1)));
    add(&mut table, 1, 1);
    assert_eq!((value(&table, Some(1)), sum(&table)), (Some(1), 76));
}

#[test]
fn a_retired_sum_that_changes_has_a_new_name() {
    let mut table = Keys::new(1);
    add(&mut table, 1, 1);
    table.settle(SECOND, 1);
    let mut names = Vec::new();
    for (key, amount) in [(2, 10), (3, 100), (4, 1_000)] {
        add(&mut table, key, amount);
        table.settle(SECOND, 7);
        names.extend(table.retired().map(|(_, name, _)| name));
        add(&mut table, key, 1);
        table.settle(SECOND, 7);
    }
    assert_eq!(names, [7, 8, 9]);
}

#[test]
fn a_scan_does_not_drive_out_what_counts() {
    let mut table = Keys::new(50);
    for key in 0..50 {
        add(&mut table, key, 10);
    }
    for drain in 1..=20_u64 {
        add(&mut table, 1_000, 5_000);
        for port in 0..5_000 {
            add(&mut table, 2_000 + port, 60);
        }
        for port in 0..5_000 {
            add(&mut table, 10_000 + port + 5_000 * drain as u32, 60);
        }
        table.settle(drain * 10 * SECOND, drain);
        assert_eq!(table.rows().count(), 51);
        assert!(table.entries.len() <= 1 + 50 + WATCHED, "{}", table.entries.len());
    }
    assert!(table.shows(&Some(1_000)), "{:?}", keys(&table));
    assert_eq!(sum(&table), 20 * (5_000 + 600_000) + 500);
}

#[test]
fn a_row_that_was_forgotten_is_no_row() {
    let mut table = Keys::new(0);
    let row = table.find(Some(0), None);
    for key in 1..=2 * WATCHED as u32 {
        table.find(Some(key), None);
    }
    assert!(table.row(row).is_none());
}

/// Prometheus: increases by the name of each series.
#[derive(Default)]
struct Observer {
    last: BTreeMap<(Option<u32>, u64), u64>,
    increase: u64,
}

impl Observer {
    /// A key that the table has forgotten begins anew, as any new series does.
    fn forget(&mut self, table: &Keys) {
        self.last.retain(|(key, retired), _| *retired != 0 || table.knows(key));
    }

    fn scrape(&mut self, table: &Keys) {
        for (key, value) in table.rows() {
            let before = self.last.insert((*key, 0), *value).unwrap_or_default();
            assert!(before <= *value, "{key:?} went back from {before} to {value}");
            self.increase += value - before;
        }
        for (key, name, value) in table.retired() {
            // The first value of a new series is no increase.
            let before = self.last.insert((*key, name), *value).unwrap_or(*value);
            assert_eq!(before, *value, "a retired sum moved under its name");
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Count(u32, u64),
    Settle(u64),
    Limit(usize),
    RetireAll,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![0..8_u32, 0..40_u32, 0..2_000_u32];
    let count =
        (key, prop_oneof![1..10_u64, 1..10_000_u64]).prop_map(|(key, amount)| Step::Count(key, amount));
    let settle = prop_oneof![4 => Just(10), 1 => Just(700), 1 => Just(4_000)].prop_map(Step::Settle);
    let limit = (0..20_usize).prop_map(Step::Limit);
    prop::collection::vec(
        prop_oneof![30 => count, 4 => settle, 1 => limit, 1 => Just(Step::RetireAll)],
        1..600,
    )
}

proptest! {
    #[test]
    fn the_sum_is_conserved_whatever_happens(steps in steps(), limit in 0..12_usize) {
        let mut table = Keys::new(limit);
        table.reserve(None);
        let (mut counted, mut seconds, mut observer) = (0, 1_000, Observer::default());
        for step in steps {
            match step {
                Step::Count(key, amount) => {
                    add(&mut table, key, amount);
                    counted += amount;
                }
                Step::Limit(limit) => table.set_limit(limit),
                Step::RetireAll => table.retire_all(),
                Step::Settle(after) => {
                    seconds += after;
                    table.settle(seconds * SECOND, seconds);
                    prop_assert!(table.rows().count() <= table.limit() + 1);
                    prop_assert!(table.hidden.len() <= table.limit().max(WATCHED));
                    let published = table.published();
                    prop_assert_eq!(sum(&published), counted);
                    observer.scrape(&table);
                    prop_assert_eq!(observer.increase, counted);
                }
            }
            prop_assert_eq!(sum(&table), counted);
            observer.forget(&table);
        }
    }
}

/// A part of the keys: a catch-all by tens, and what counts there.
#[test]
fn a_part_goes_with_all_that_it_counted_and_nothing_else() {
    let mut table = Table::<u32, u64>::new(3);
    let other = |key: u32| key / 10 * 10;
    // 12 leaves for 13, 24 has no row.
    for (key, amount) in [(11, 5), (12, 6), (21, 7), (24, 8)] {
        *table.at(key, other(key)).unwrap() += amount;
    }
    table.settle(SECOND, 1);
    *table.at(13, 10).unwrap() += 1_000;
    table.settle(2 * SECOND, 2);
    *table.at(13, 10).unwrap() += 1_000;
    table.settle(3 * SECOND, 3);
    let row = table.find(21, 20);
    let all: u64 = table.rows().map(|(_, value)| *value).sum::<u64>()
        + table.retired().map(|(_, _, value)| *value).sum::<u64>();
    assert_eq!(all, 5 + 6 + 7 + 8 + 2_000);
    assert!(table.retired().any(|(key, ..)| *key == 10));
    table.remove(|key| key / 10 == 1);
    assert!(table.retired().next().is_none());
    let mut left: Vec<(u32, u64)> = table.rows().map(|(key, value)| (*key, *value)).collect();
    left.sort_unstable();
    assert_eq!(left, [(20, 8), (21, 7)]);
    assert_eq!(table.row(row), Some(&mut 7), "others keep their places");
    *table.at(11, 10).unwrap() += 3;
    assert_eq!(table.rows().find(|(key, _)| **key == 11), Some((&11, &3)), "from 0 again");
}
