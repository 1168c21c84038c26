//! NATS: what clients say to servers.
//!
//! It follows the "Client Protocol" of docs.nats.io (reference/reference-protocols/nats-protocol). Servers answer only
//! PING, unless the client asked for more by `verbose`; what they deliver makes no record.

use flow_common::app::App;

mod dialect;
mod errors;
mod message;
mod recognise;
#[cfg(test)]
mod tests;

use crate::{
    conversation::Candidate,
    protocol::{Follow, Numbers, Registered, Switch, Words},
    section::{NoKeys, Schema},
};

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Nats,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |options| Box::new(dialect::Nats::new(options.statements)),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: message::OPERATIONS, statuses: &["ok", "error"] }),
};
