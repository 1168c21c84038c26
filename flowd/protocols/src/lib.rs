//! Application protocols, followed from copies of payload alone: parsing, pairing, records. One folder per protocol.
//!
//! This crate gets bytes and times, and gives records. It opens no file and no socket, reads no clock, and has no
//! unsafe code: what strangers send is read here.
#![forbid(unsafe_code)]

mod assembly;
pub mod dns;
mod escape;
pub mod http;
pub mod numbers;
pub mod party;
mod privacy;
pub mod progress;
mod protocol;
pub mod record;
pub mod section;
#[cfg(test)]
mod testing;
pub mod time;
pub mod tls;
pub mod transport;
mod waiting;

pub use privacy::Query;
pub use protocol::{
    Found, Look, Numbers, Options, Protocol, ProtocolNumbers, Registered, Shown, Switch, Words,
};
pub use record::AppRecord;

/// Every protocol that flowd follows, in the order in which a copy is offered to them. `cargo xtask new protocol` makes
/// another.
pub static PROTOCOLS: &[Registered] = &[http::REGISTERED, dns::REGISTERED, tls::REGISTERED];
