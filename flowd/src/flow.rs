//! A flow as people and programs outside see it: wall-clock times, names, client and server.
//!
//! Its JSON form is the one schema of `flowd read`, `--flow-log` and the API: `null` where unknown, never
//! a made-up 0. Times are nanoseconds since the epoch inside and RFC 3339 in JSON; round-trip times are
//! microseconds in JSON.

mod end;
mod snapshot;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod view;
pub mod words;

use std::{net::IpAddr, sync::Arc};

pub use end::{Rest, shortest_timeout};
use serde::{Serialize, Serializer};
pub use snapshot::{Side, Snapshot};
pub use view::micros;

/// One flow with all that is known of it so far.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "flow")]
pub struct Flow {
    /// Nanoseconds since the epoch.
    #[serde(serialize_with = "rfc3339")]
    pub start: u64,
    /// Last packet, nanoseconds since the epoch.
    #[serde(serialize_with = "rfc3339")]
    pub end: u64,
    pub iface: Arc<str>,
    /// VLAN ids from the outermost.
    pub vlans: Vec<u16>,
    pub ip_version: u8,
    /// IP protocol number.
    pub protocol: u8,
    /// Its name in lower case, `null` for protocols without a common one.
    pub transport: Option<&'static str>,
    pub client: Endpoint,
    pub server: Endpoint,
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
    /// `null` while the flow goes on.
    pub end_reason: Option<EndReason>,
    /// Application protocol, where its payload told.
    pub app: Option<&'static str>,
    /// Zones of either end, and which way the conversation goes as seen from the zones that are ours.
    pub client_zone: Option<Arc<str>>,
    pub server_zone: Option<Arc<str>>,
    pub direction: Option<&'static str>,
    /// Name of the server's port, where an answer to a SYN proved it.
    pub service: Option<Arc<str>>,
}

/// Address and port; port 0 for protocols without ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Endpoint {
    pub address: IpAddr,
    pub port: u16,
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

/// Why a flow record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EndReason {
    Fin,
    Rst,
    Idle,
    Active,
    Evicted,
    Shutdown,
    Eof,
}

impl EndReason {
    /// Every reason, for metrics that exist from the start.
    pub const ALL: [Self; 7] =
        [Self::Fin, Self::Rst, Self::Idle, Self::Active, Self::Evicted, Self::Shutdown, Self::Eof];

    /// The word in records and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Idle => "idle",
            Self::Active => "active",
            Self::Evicted => "evicted",
            Self::Shutdown => "shutdown",
            Self::Eof => "eof",
        }
    }
}

/// Nanoseconds since the epoch as RFC 3339 with nine digits, in UTC.
#[must_use]
pub fn time_text(nanoseconds: u64) -> String {
    let Ok(time) = jiff::Timestamp::from_nanosecond(i128::from(nanoseconds)) else {
        return String::new();
    };
    format!("{time:.9}")
}

/// For serde: a time in nanoseconds since the epoch as RFC 3339.
pub fn rfc3339<S: Serializer>(nanoseconds: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time_text(*nanoseconds))
}

/// For serde: the same, `null` where unknown.
pub fn rfc3339_option<S: Serializer>(nanoseconds: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match nanoseconds {
        Some(nanoseconds) => rfc3339(nanoseconds, serializer),
        None => serializer.serialize_none(),
    }
}
