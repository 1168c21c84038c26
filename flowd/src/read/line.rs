//! A line of what applications said, of whichever protocol.

use serde::Serialize;

use crate::protocol::{dns::DnsExchange, http::HttpExchange, tls::TlsHandshake};

/// Each boxed: they differ in size, and many wait for their turn.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Line {
    Http(Box<HttpExchange>),
    Dns(Box<DnsExchange>),
    Tls(Box<TlsHandshake>),
}
