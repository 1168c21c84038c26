//! A metric family: its name, unit, labels and meaning, declared once, and what fills its rows.

use std::hash::Hash;

use crate::{Sum, Table};

/// The value of labels in the catch-all series.
pub const OTHER: &str = "other";

/// Label names; rows give their values in the same order.
pub type Labels = &'static [&'static str];

/// What a reader has to know of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Without `_total`, with the unit.
    pub name: &'static str,
    pub kind: Kind,
    pub labels: Labels,
    pub class: Class,
    pub help: &'static str,
}

/// What Prometheus does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// How many series a family can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A number known in advance.
    Fixed,
    /// Grows with the watched interfaces only.
    Interface,
    /// Grows with traffic, up to the series limit.
    Budget,
}

impl Meta {
    /// The name of its counters or of its only series.
    #[must_use]
    pub fn full_name(&self) -> String {
        let suffix = if self.kind == Kind::Counter { "_total" } else { "" };
        format!("{}{suffix}", self.name)
    }

    /// `bytes`, `seconds`, or nothing for plain numbers.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        let ends = |unit: &&str| self.name.strip_suffix(*unit).is_some_and(|rest| rest.ends_with('_'));
        ["bytes", "seconds"].into_iter().find(ends)
    }
}

/// Takes the rows of one family; label values stand in the order of its labels.
pub trait Rows {
    fn counter(&mut self, values: &[&str], value: u64);

    /// A counter of seconds.
    fn seconds(&mut self, values: &[&str], value: f64);

    fn gauge(&mut self, values: &[&str], value: f64);

    /// `buckets` holds the count of each bucket; `bounds` their upper bounds in nanoseconds, but for the last, which has
    /// none; `sum` is in seconds.
    fn histogram(&mut self, values: &[&str], sum: f64, bounds: &[u64], buckets: &[u64]);

    /// Series so far, this family's included.
    fn series(&self) -> u64;
}

/// Takes families one after the other.
pub trait Exposition {
    /// One family with the names of its labels as configured; `fill` writes its rows.
    fn family(&mut self, meta: &Meta, labels: &[&'static str], fill: &mut dyn FnMut(&mut dyn Rows));
}

/// A family of the numbers in an `N`.
#[derive(Debug)]
pub struct Family<N: 'static> {
    pub meta: Meta,
    pub fill: fn(&N, &mut dyn Rows),
}

/// A family that only grows.
#[must_use]
pub const fn counter<N>(
    name: &'static str,
    labels: Labels,
    class: Class,
    help: &'static str,
    fill: fn(&N, &mut dyn Rows),
) -> Family<N> {
    Family { meta: Meta { name, kind: Kind::Counter, labels, class, help }, fill }
}

/// A family that goes up and down.
#[must_use]
pub const fn gauge<N>(
    name: &'static str,
    labels: Labels,
    class: Class,
    help: &'static str,
    fill: fn(&N, &mut dyn Rows),
) -> Family<N> {
    Family { meta: Meta { name, kind: Kind::Gauge, labels, class, help }, fill }
}

/// A family of distributions.
#[must_use]
pub const fn histogram<N>(
    name: &'static str,
    labels: Labels,
    class: Class,
    help: &'static str,
    fill: fn(&N, &mut dyn Rows),
) -> Family<N> {
    Family { meta: Meta { name, kind: Kind::Histogram, labels, class, help }, fill }
}

/// Shows `families` of `numbers`; `labels` gives the names of a family's labels as configured.
pub fn show<N>(
    families: &[Family<N>],
    numbers: &N,
    labels: impl Fn(&Meta) -> Vec<&'static str>,
    to: &mut dyn Exposition,
) {
    for family in families {
        to.family(&family.meta, &labels(&family.meta), &mut |rows| (family.fill)(numbers, rows));
    }
}

/// Shows every series of a table: key and numbers, and for a catch-all key whose numbers are those of series that have
/// left, the label value instead of [`OTHER`].
pub fn each<K: Copy + Eq + Hash, V: Sum>(table: &Table<K, V>, mut show: impl FnMut(&K, &str, &V)) {
    table.rows().for_each(|(key, value)| show(key, OTHER, value));
    table.retired().for_each(|(key, name, value)| show(key, &format!("retired-{name}"), value));
}
