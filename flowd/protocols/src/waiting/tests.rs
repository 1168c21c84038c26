use proptest::{collection::vec, prelude::*};

use super::*;

const CAPACITY: usize = 5;

#[derive(Clone, Debug)]
enum Step {
    Push { key: u8, time: u64 },
    Renew { key: u8, value: u64, time: u64 },
    Take { key: u8, even: bool },
    Pop { until: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (key, time) = (|| 0..3_u8, || 0..8_u64);
    prop_oneof![
        4 => (key(), time()).prop_map(|(key, time)| Step::Push { key, time }),
        1 => (key(), 0..20_u64, time()).prop_map(|(key, value, time)| Step::Renew { key, value, time }),
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
