//! What a line says of the path that its packets took, from the flow's record and the configuration.

use std::sync::Arc;

use serde::Serialize;

/// Fields that the daemon fills in; a tracker leaves them unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Network {
    pub iface: Option<Arc<str>>,
    /// Mean round trip from the interface to the server and back, microseconds.
    pub server_rtt_us: Option<f64>,
    /// The same to the client, microseconds.
    pub client_rtt_us: Option<f64>,
    /// Of the flow so far, both directions; `None` for protocols that do not retransmit by themselves.
    pub retransmits: Option<u32>,
    pub client_zone: Option<Arc<str>>,
    pub server_zone: Option<Arc<str>>,
}
