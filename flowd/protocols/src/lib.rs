//! Application protocols, followed from copies of payload alone: parsing, pairing, records. One folder per protocol.
//!
//! This crate gets bytes and times, and gives records. It opens no file and no socket, reads no clock, and has no
//! unsafe code: what strangers send is read here.
#![forbid(unsafe_code)]

mod amqp;
mod assembly;
pub mod conversation;
mod cursor;
pub mod dns;
mod escape;
pub mod http;
mod http2;
mod kafka;
mod memcached;
mod mongodb;
mod mqtt;
mod mysql;
mod nats;
pub mod numbers;
mod options;
pub mod party;
mod postgresql;
mod privacy;
pub mod progress;
mod protocol;
pub mod quic;
pub mod record;
mod redis;
pub mod section;
mod smtp;
#[cfg(test)]
mod testing;
pub mod time;
pub mod tls;
pub mod transport;
mod waiting;

pub use options::Options;
pub use privacy::{Query, Statements};
pub use progress::Look;
pub use protocol::{Follow, Numbers, Protocol, ProtocolNumbers, Registered, Shown, Switch, Words};
pub use record::{AppRecord, Found};

/// Every protocol that flowd follows, in the order in which a copy is offered to them. `cargo xtask new protocol` makes
/// another.
pub static PROTOCOLS: &[Registered] = &[
    http::REGISTERED,
    dns::REGISTERED,
    tls::REGISTERED,
    quic::REGISTERED,
    http2::REGISTERED,
    postgresql::REGISTERED,
    mysql::REGISTERED,
    redis::REGISTERED,
    kafka::REGISTERED,
    mongodb::REGISTERED,
    memcached::REGISTERED,
    mqtt::REGISTERED,
    amqp::REGISTERED,
    nats::REGISTERED,
    smtp::REGISTERED,
];
