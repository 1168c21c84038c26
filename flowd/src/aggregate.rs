//! From drained records to numbers: differences per interval, live flows, log lines of flows, and who
//! speaks for a conversation that several interfaces see.

mod dns;
mod histogram;
mod http;
mod interface;
mod labels;
mod ledger;
mod live;
mod numbers;
mod observed;
mod table;
mod tls;
mod zone;

pub use dns::{DNS_BOUNDS, DnsLabels, DnsNumbers};
pub use histogram::Histogram;
pub use http::{BOUNDS as HTTP_BOUNDS, HttpDurations, HttpLabels, HttpNumbers, Method};
pub use interface::{Counted, InterfaceNumbers, Watched, passage};
pub use labels::{FlowLabels, Group, Nets, Point, Service, nets};
pub use ledger::{Ledger, LedgerOptions, Lines};
pub use live::{Filter, LiveFlow, LiveFlows};
pub use numbers::{
    ConnectionNumbers, FlowNumbers, Numbers, QualityLabels, QualityNumbers, RttKind, RttLabels, RttSide,
};
pub use observed::Observed;
pub use table::Table;
pub use tls::TlsNumbers;
pub use zone::Zone;
