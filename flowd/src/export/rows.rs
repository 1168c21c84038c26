//! The rows of each family: from numbers to label values.

mod dns;
mod flow;
mod http;
mod interface;
mod itself;
mod tcp;
mod tls;

pub(super) use dns::*;
pub(super) use flow::*;
use flow_common::key::Direction;
pub(super) use http::*;
pub(super) use interface::*;
pub(super) use itself::*;
pub(super) use tcp::*;
pub(super) use tls::*;

use super::prometheus::{Rows, Scrape};
use crate::aggregate::{Sum, Table};

/// The value of labels in the catch-all series.
const OTHER: &str = "other";

const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

/// The interface in `slot`.
fn name(scrape: &Scrape, slot: u16) -> &str {
    let found = scrape.numbers.interfaces.iter().find(|interface| interface.watched.slot == slot);
    found.map_or("", |interface| &interface.watched.name)
}

/// Shows every series of a family: key and numbers, and for a catch-all key whose numbers are those of
/// series that have left, the label value instead of [`OTHER`].
fn each<K: Copy + Eq + std::hash::Hash, V: Sum>(table: &Table<K, V>, mut show: impl FnMut(&K, &str, &V)) {
    table.rows().for_each(|(key, value)| show(key, OTHER, value));
    table.retired().for_each(|(key, name, value)| show(key, &format!("retired-{name}"), value));
}
