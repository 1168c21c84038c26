//! What sinks get: a flow, or what an application said.

use std::sync::Arc;

use flowd_protocols::{AppRecord, http::HttpExchange};
use serde::Serialize;

use crate::flow::Flow;

/// One record, in its typed form: each sink writes it in its own, in its own thread. Shared, as several may want it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Record {
    Flow(Arc<Flow>),
    App(Arc<dyn AppRecord>),
}

impl Record {
    /// What sinks choose by: `flow`, or the name of the protocol.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Flow(_) => "flow",
            Self::App(record) => record.app().name(),
        }
    }

    /// The record as an HTTP exchange, where it is one.
    #[must_use]
    pub fn http(&self) -> Option<&HttpExchange> {
        match self {
            Self::Flow(_) => None,
            Self::App(record) => record.get(),
        }
    }
}

impl From<Flow> for Record {
    fn from(flow: Flow) -> Self {
        Self::Flow(Arc::new(flow))
    }
}

impl From<Box<dyn AppRecord>> for Record {
    fn from(record: Box<dyn AppRecord>) -> Self {
        Self::App(record.into())
    }
}
