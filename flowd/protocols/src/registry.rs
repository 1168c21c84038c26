//! Every protocol that flowd follows, one line each, in the order in which a copy is offered to them.

use crate::{dns, http, protocol::Registered, tls};

/// Every protocol.
pub static PROTOCOLS: &[Registered] = &[http::REGISTERED, dns::REGISTERED, tls::REGISTERED];
