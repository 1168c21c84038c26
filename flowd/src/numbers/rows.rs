//! The rows of each family: from numbers to label values.

mod flow;
mod interface;
mod itself;
mod tcp;

pub(super) use flow::*;
use flow_common::key::Direction;
pub(super) use interface::*;
pub(super) use itself::*;
pub(super) use tcp::*;

use super::moment::Moment;

const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    }
}

/// The interface in `slot`.
fn name(moment: &Moment, slot: u16) -> &str {
    let found = moment.numbers.interfaces.iter().find(|interface| interface.watched.slot == slot);
    found.map_or("", |interface| &interface.watched.name)
}
