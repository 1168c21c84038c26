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
