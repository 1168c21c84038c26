use proptest::{collection::vec, prelude::*};

use super::*;

const CAPACITY: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Push { key: u8, time: u64 },
    Renew { key: u8, value: u64, time: u64 },
    Change { key: u8, time: u64 },
    Take { key: u8, even: bool },
    Pop { until: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (key, time) = (|| 0..3_u8, || 0..8_u64);
    prop_oneof![
        4 => (key(), time()).prop_map(|(key, time)| Step::Push { key, time }),
        1 => (key(), 0..20_u64, time()).prop_map(|(key, value, time)| Step::Renew { key, value, time }),
        1 => (key(), time()).prop_map(|(key, time)| Step::Change { key, time }),
        2 => (key(), any::<bool>()).prop_map(|(key, even)| Step::Take { key, even }),
        1 => time().prop_map(|until| Step::Pop { until }),
    ]
}

/// The same in the plainest way: key, time and value in the order of pushing; a value is its number.
#[derive(Default)]
struct Model(Vec<(u8, u64, u64)>);

impl Model {
    fn oldest(&self, until: u64) -> Option<usize> {
        let due = self.0.iter().enumerate().filter(|(_, (_, time, _))| *time <= until);
        due.min_by_key(|(_, (_, time, number))| (*time, *number)).map(|(at, _)| at)
    }

    fn pop(&mut self, until: u64) -> Option<(u8, u64, u64)> {
        self.oldest(until).map(|at| self.0.remove(at))
    }
}

fn plain(found: Option<(u8, Waiter<u64>)>) -> Option<(u8, u64, u64)> {
    found.map(|(key, waiter)| {
        assert_eq!(waiter.value, waiter.number);
        (key, waiter.time, waiter.value)
    })
}

proptest! {
    #[test]
    fn as_a_list_would_do_it(steps in vec(step(), 0..60)) {
        let (mut waiting, mut model, mut pushed) = (Waiting::new(CAPACITY), Model::default(), 0);
        for step in steps {
            match step {
                Step::Push { key, time } => {
                    pushed += 1;
                    let evicted = plain(waiting.push(key, time, pushed));
                    let expected = if model.0.len() == CAPACITY { model.pop(u64::MAX) } else { None };
                    prop_assert_eq!(evicted, expected);
                    model.0.push((key, time, pushed));
                }
                Step::Renew { key, value, time } => {
                    let found = waiting.renew(&key, time, |known| *known == value).map(|waiter| waiter.time);
                    let known = model.0.iter_mut().find(|(k, _, v)| (*k, *v) == (key, value));
                    let expected = known.map(|(_, since, _)| {
                        *since = time.max(*since);
                        *since
                    });
                    prop_assert_eq!(found, expected);
                }
                Step::Change { key, time } => {
                    let known = model.0.iter_mut().find(|(k, ..)| *k == key);
                    let expected = known.map(|(_, since, value)| {
                        *since = time.max(*since);
                        *value
                    });
                    prop_assert_eq!(waiting.change(&key, time, 0, |value| *value), expected);
                }
                Step::Take { key, even } => {
                    let wanted = |value: &u64| value.is_multiple_of(2) == even;
                    let found = waiting.take(&key, wanted).map(|waiter| (key, waiter));
                    let at = model.0.iter().position(|(k, _, v)| *k == key && wanted(v));
                    prop_assert_eq!(plain(found), at.map(|at| model.0.remove(at)));
                }
                Step::Pop { until } => prop_assert_eq!(plain(waiting.pop(until)), model.pop(until)),
            }
            prop_assert_eq!(waiting.len(), model.0.len());
            prop_assert_eq!(waiting.values().count(), model.0.len());
            prop_assert_eq!(waiting.is_full(), model.0.len() == CAPACITY);
            for key in 0..3 {
                let first = model.0.iter().find(|(k, ..)| *k == key).map(|(_, _, value)| *value);
                prop_assert_eq!(waiting.get(&key).map(|waiter| waiter.value), first);
            }
        }
        let rest: Vec<_> = waiting.drain().into_iter().map(|found| plain(Some(found)).unwrap()).collect();
        prop_assert_eq!(rest, model.0);
        prop_assert_eq!((waiting.len(), waiting.pop(u64::MAX).is_none()), (0, true));
    }
}

#[test]
fn there_is_room_for_one_at_least() {
    let mut waiting = Waiting::new(0);
    assert!(waiting.push('a', 1, ()).is_none());
    assert_eq!(waiting.push('b', 0, ()).map(|(key, _)| key), Some('a'));
    assert_eq!((waiting.len(), waiting.get(&'b').is_some()), (1, true));
}

#[test]
fn what_is_changed_is_weighed() {
    let mut waiting = Waiting::new(9).within(10_000, Vec::<u8>::capacity);
    waiting.push('a', 1, Vec::new());
    let place = waiting.held();
    assert_eq!(waiting.change(&'a', 2, 0, |bytes| bytes.reserve_exact(5_000)), Some(()));
    assert_eq!((waiting.held(), waiting.is_too_much()), (place + 5_000, false));
    waiting.change(&'a', 2, 0, |bytes| bytes.reserve_exact(20_000));
    assert!(waiting.is_too_much());
    waiting.change(&'a', 3, 0, |bytes| *bytes = Vec::new());
    assert_eq!((waiting.held(), waiting.change(&'b', 3, 0, |_| ())), (place, None));
}

#[test]
fn what_is_changed_often_is_put_in_order_now_and_then() {
    let mut waiting = Waiting::new(9);
    waiting.push('a', 100, ());
    let since = |waiting: &mut Waiting<char, ()>, time| {
        waiting.change(&'a', time, 10, |()| ());
        waiting.get(&'a').map(|waiter| waiter.time)
    };
    assert_eq!(
        [90, 109, 110, 119, 125].map(|time| since(&mut waiting, time)),
        [100, 100, 110, 110, 125].map(Some)
    );
    assert!(waiting.pop(124).is_none() && waiting.pop(125).is_some());
}
