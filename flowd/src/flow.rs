//! A flow as people and programs outside see it: wall-clock times, names, client and server.
//!
//! Its JSON form is the one schema of `flowd read`, `--flow-log` and the API: `null` where unknown, never
//! a made-up 0. Times are nanoseconds since the epoch inside and RFC 3339 in JSON; round-trip times are
//! microseconds in JSON.

mod enricher;
mod json;
mod snapshot;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod view;
pub mod words;

use std::sync::Arc;

pub use enricher::Ends;
pub use enricher::{Enricher, Enrichers};
pub use flow_common::end::EndReason;
pub use flowd_protocols::{
    party::{Endpoint, Party},
    time::{micros, rfc3339, rfc3339_option, time_text},
};
use serde::Serialize;
pub use snapshot::{Side, Snapshot};

/// One flow with all that is known of it so far.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Nanoseconds since the epoch.
    pub start: u64,
    /// Last packet, nanoseconds since the epoch.
    pub end: u64,
    pub iface: Arc<str>,
    /// VLAN ids from the outermost.
    pub vlans: Vec<u16>,
    pub ip_version: u8,
    /// IP protocol number.
    pub protocol: u8,
    /// Its name in lower case, `null` for protocols without a common one.
    pub transport: Option<&'static str>,
    pub client: Party,
    pub server: Party,
    pub role_by: &'static str,
    pub tunnel: Option<Tunnel>,
    /// The ports are unknown: the first fragment was not seen.
    pub fragment: bool,
    /// From client to server.
    pub sent: Traffic,
    /// From server to client.
    pub received: Traffic,
    pub tcp: Option<Tcp>,
    pub icmp: Option<Icmp>,
    /// `None` while the flow goes on.
    pub end_reason: Option<EndReason>,
    /// Application protocol, where its payload told.
    pub app: Option<&'static str>,
    /// Which way the conversation goes as seen from the zones that are ours.
    pub direction: Option<&'static str>,
    /// Name of the server's port, where an answer to a SYN proved it.
    pub service: Option<Arc<str>>,
    /// Not in JSON.
    pub seen_at: SeenAt,
}

/// Where packets of a flow passed; collectors of flows ask for it, JSON names the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenAt {
    /// Index of the interface; 0: unknown.
    pub ifindex: u32,
    /// The client's packets went out by it, and the server's; else they came in.
    pub client_egress: bool,
    pub server_egress: bool,
}

/// What an inner flow was wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tunnel {
    pub kind: &'static str,
    /// VNI, TEID or key; `null` for kinds without one.
    pub id: Option<u32>,
}

/// One direction's traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    pub packets: u64,
    pub skb_packets: u64,
    pub ip_bytes: u64,
    pub frame_bytes: u64,
    pub payload_bytes: u64,
    /// Union of the flags as letters `FSRPAUECN`; `null` for other protocols than TCP.
    pub tcp_flags: Option<String>,
    pub retransmits: u32,
    pub retransmitted_bytes: u64,
    pub out_of_order: u32,
    pub duplicate_acks: u32,
    pub zero_windows: u32,
    pub syn_retransmits: u32,
    pub resets: u32,
    pub ecn_ce: u32,
    /// DSCP values seen, ascending.
    pub dscp: Vec<u8>,
    /// Nanoseconds since the epoch; `null` where nothing was sent.
    #[serde(serialize_with = "rfc3339_option")]
    pub first: Option<u64>,
    #[serde(serialize_with = "rfc3339_option")]
    pub last: Option<u64>,
}

/// What TCP said about the connection.
#[derive(Clone, Debug, Serialize)]
pub struct Tcp {
    /// Zeek's connection state.
    pub state: &'static str,
    /// Zeek's history letters.
    pub history: String,
    pub handshake_server_rtt_us: Option<f64>,
    pub handshake_client_rtt_us: Option<f64>,
    pub server_rtt_us: Option<Rtt>,
    pub client_rtt_us: Option<Rtt>,
}

/// Round trips between the observation point and one endpoint, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rtt {
    pub count: u32,
    pub min: f64,
    pub mean: f64,
    pub max: f64,
}

/// The first ICMP message of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Icmp {
    #[serde(rename = "type")]
    pub kind: u8,
    pub code: u8,
    /// Echo identifier; `null` for other messages.
    pub identifier: Option<u16>,
}
