//! From drained records to numbers: differences per interval, live flows, log lines of flows, and who
//! speaks for a conversation that several interfaces see.

mod accounting;
mod capacity;
mod dns;
mod histogram;
mod http;
mod interface;
mod labels;
mod ledger;
mod live;
mod numbers;
mod observed;
mod policy;
mod ranges;
mod services;
mod sum;
mod table;
mod tls;
mod zone;

pub use capacity::{Capacity, CapacityNumbers, CapacityOptions, Passed, WINDOWS};
pub use dns::{DNS_BOUNDS, DnsLabels, DnsNumbers};
pub use histogram::Histogram;
pub use http::{BOUNDS as HTTP_BOUNDS, HttpDurations, HttpLabels, HttpNumbers, HttpSeen, Method};
pub use interface::{Counted, InterfaceNumbers, KernelReading, Presence, Watched, passage};
pub use labels::{Dscp, FlowLabels, Group, Nets, Point, Service};
pub use ledger::{Ledger, LedgerOptions, Lines};
pub use live::{Filter, LiveFlow, LiveFlows};
pub use numbers::{
    ConnectionNumbers, FlowNumbers, Numbers, QualityLabels, QualityNumbers, RttKind, RttLabels, RttSide,
};
pub use observed::Observed;
pub use policy::Policy;
pub use sum::Sum;
pub use table::{Row, Table};
pub use tls::TlsNumbers;
pub use zone::{Way, Zone, Zones};
