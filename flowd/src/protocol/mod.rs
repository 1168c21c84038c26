//! What payload copies tell about the applications: one file per protocol.

use flow_common::key::{FlowKey, Sender};

use crate::flow::{Endpoint, words};

mod assembly;
pub mod dns;
mod escape;
pub mod http;
pub mod network;
pub mod tls;

/// The address and port that `sender` has in `key`.
#[must_use]
pub fn endpoint(key: &FlowKey, sender: Sender) -> Endpoint {
    Endpoint { address: words::address(key, sender), port: words::port(key, sender) }
}
