//! From drained records to numbers: differences per interval, live flows, log lines of flows, and who
//! speaks for a conversation that several interfaces see.

mod accounting;
mod capacity;
mod interface;
mod labels;
mod ledger;
mod live;
mod numbers;
mod observed;
mod policy;
mod ranges;
mod services;
mod zone;

pub use capacity::{Capacity, CapacityNumbers, CapacityOptions, Passed, WINDOWS};
pub use interface::{Counted, InterfaceNumbers, KernelReading, Presence, Watched, passage};
pub use labels::{Dscp, FlowLabels, Group, Point, Service};
pub use ledger::{Ledger, LedgerOptions, Lines};
pub use live::{Filter, LiveFlow, LiveFlows};
pub use numbers::{
    ConnectionNumbers, FlowNumbers, Numbers, QualityLabels, QualityNumbers, RttKind, RttLabels, RttSide,
};
pub use observed::Observed;
pub use policy::Policy;
pub use zone::{Nets, Way, Zone, Zones};
