//! What the configuration says of label values and budgets, as far as numbers need it.

use std::{fmt::Debug, hash::Hash, net::IpAddr};

use crate::{Sum, Table};

/// Label values by the configuration. Numbers of zones and hosts keep their meaning over a reload.
pub trait LabelPolicy: Debug + Send + Sync {
    /// The zone of `address`, by number.
    fn zone(&self, address: IpAddr) -> u16;

    /// The label value of a zone.
    fn zone_name(&self, zone: u16) -> &str;

    /// The number of `host` in the allow list, counted from 1; 0 for any other.
    fn host(&self, host: Option<&str>) -> u16;

    /// The label value of a host of the allow list.
    fn host_name(&self, host: u16) -> Option<&str>;

    /// Whether families of requests have a label `host`.
    fn has_hosts(&self) -> bool;

    /// Series that the budget named `budget` allows.
    fn limit(&self, budget: &str) -> usize;
}

/// How far a budget is used up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overflow {
    /// The budget's name in the configuration and in labels.
    pub budget: &'static str,
    /// Look-ups of label values that had no series of their own.
    pub overflows: u64,
    /// Share of the sum that is in no series of its own.
    pub other_share: f64,
}

impl Overflow {
    /// That of `table`, whose keys for which `is_other` holds are catch-alls.
    pub fn of<K: Copy + Eq + Hash, V: Sum>(
        budget: &'static str,
        table: &Table<K, V>,
        is_other: fn(&K) -> bool,
    ) -> Self {
        Self { budget, overflows: table.overflows(), other_share: other_share(table, is_other) }
    }
}

/// How much of all that was ever counted lies in catch-alls and retired sums; 0 where there is nothing.
pub fn other_share<K: Copy + Eq + Hash, V: Sum>(table: &Table<K, V>, is_other: fn(&K) -> bool) -> f64 {
    let (mut other, mut all) = (0, 0);
    for (key, value) in table.rows() {
        other += if is_other(key) { value.weight() } else { 0 };
        all += value.weight();
    }
    let retired: u64 = table.retired().map(|(_, _, value)| value.weight()).sum();
    let (other, all) = (other + retired, all + retired);
    if all == 0 { 0.0 } else { other as f64 / all as f64 }
}
