//! What a protocol reports: one line of a log, whichever protocol it is of.

use std::{any::Any, fmt::Debug, sync::Arc};

use flow_common::{
    app::App,
    key::{FlowKey, Sender},
};
use serde::Serialize;

use crate::party::Party;

/// What every record of an application begins with. A tracker knows the flow and the time; the pipeline fills in the
/// rest.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub key: FlowKey,
    /// Slot of the flow's record.
    pub slot: u32,
    /// The endpoint of the key that is the client.
    pub client_end: Sender,
    /// Nanoseconds of the packet clock as it leaves the tracker; nanoseconds since the epoch from the pipeline on.
    pub time: u64,
    pub client: Party,
    pub server: Party,
    /// The observation point's name.
    pub iface: Option<Arc<str>>,
    /// Mean round trip from the interface to the server and back, microseconds.
    pub server_rtt_us: Option<f64>,
    /// The same to the client, microseconds.
    pub client_rtt_us: Option<f64>,
    /// Of the flow so far, both directions; `None` for protocols that do not retransmit by themselves.
    pub retransmits: Option<u32>,
}

impl Head {
    /// A record of the flow in `slot`, whose client is `client_end`, at `time` nanoseconds of the packet clock.
    #[must_use]
    pub fn new(key: FlowKey, slot: u32, client_end: Sender, time: u64) -> Self {
        Self {
            key,
            slot,
            client_end,
            time,
            client: Party::of(&key, client_end),
            server: Party::of(&key, client_end.other()),
            iface: None,
            server_rtt_us: None,
            client_rtt_us: None,
            retransmits: None,
        }
    }

    /// What JSON lines say of the path.
    #[must_use]
    pub fn path(&self) -> Path<'_> {
        Path {
            iface: self.iface.as_deref(),
            server_rtt_us: self.server_rtt_us,
            client_rtt_us: self.client_rtt_us,
            retransmits: self.retransmits,
            client_zone: self.client.zone.as_deref(),
            server_zone: self.server.zone.as_deref(),
        }
    }
}

/// The last fields of a JSON line.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Path<'a> {
    iface: Option<&'a str>,
    server_rtt_us: Option<f64>,
    client_rtt_us: Option<f64>,
    retransmits: Option<u32>,
    client_zone: Option<&'a str>,
    server_zone: Option<&'a str>,
}

/// When a request passed and when its response did, nanoseconds of the packet clock: from these and the round trip
/// follows how long the server thought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Last byte of the request.
    pub asked: Option<u64>,
    /// The server's acknowledgement of it, where that came before the response.
    pub acknowledged: Option<u64>,
    /// First byte of the response.
    pub answered: Option<u64>,
    /// Of the exchange itself, both directions.
    pub retransmits: u32,
}

/// A request of any protocol, with what came of it: what shared numbers count and the API chooses by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What was asked for, in the protocol's words.
    pub operation: &'a str,
    /// What the response says, [`OK`] or [`ERROR`]; `None` where none was seen.
    pub status: Option<&'a str>,
    /// From the first byte of the request to the first byte of its response, nanoseconds.
    pub duration: Option<u64>,
}

/// The status of a request whose response says that it succeeded.
pub const OK: &str = "ok";
/// The status of a request whose response says that it failed.
pub const ERROR: &str = "error";

/// A record of an application protocol.
pub trait AppRecord: Any + Debug + Send + Sync + erased_serde::Serialize {
    /// The protocol; its name is the record's `type`.
    fn app(&self) -> App;

    fn head(&self) -> &Head;

    fn head_mut(&mut self) -> &mut Head;

    /// Of a request with its response; `None` for other records.
    fn timing(&self) -> Option<Timing> {
        None
    }

    /// What was asked for and what came of it; `None` for records without a request.
    fn request(&self) -> Option<Request<'_>> {
        None
    }

    /// Takes how long the server thought, nanoseconds.
    fn set_think_time(&mut self, _nanoseconds: u64) {}
}

erased_serde::serialize_trait_object!(AppRecord);

impl dyn AppRecord {
    /// The record as what it is, where it is a `T`.
    #[must_use]
    pub fn get<T: AppRecord>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// Records that have come up.
pub type Found = Vec<Box<dyn AppRecord>>;
