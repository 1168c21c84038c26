//! From drained records to numbers: differences per interval, live flows, log lines of flows, and who
//! speaks for a conversation that several interfaces see.

mod flows;
mod interface;
mod ledger;
mod numbers;
mod policy;
mod zones;

pub use flows::{Dscp, Filter, FlowLabels, Group, LiveFlow, LiveFlows, Observed, Point, Service};
pub use interface::{
    Capacity, CapacityNumbers, CapacityOptions, Counted, InterfaceNumbers, KernelReading, Passed, Presence,
    WINDOWS, Watched, passage,
};
pub use ledger::{Ledger, LedgerOptions, Lines};
pub use numbers::{
    ConnectionNumbers, FlowNumbers, Numbers, QualityLabels, QualityNumbers, RttKind, RttLabels, RttSide,
};
pub use policy::Policy;
pub use zones::{Nets, Way, Zone, Zones};
