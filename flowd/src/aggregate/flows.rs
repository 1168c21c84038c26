//! Live flows: the table of them, what their numbers are told apart by, and which interface speaks for each.

pub(super) mod labels;
pub(super) mod live;
mod observed;

pub use labels::{Dscp, FlowLabels, Group, Point, Service};
pub use live::{Filter, LiveFlow, LiveFlows};
pub use observed::Observed;
