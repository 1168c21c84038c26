//! Redis, and what speaks its protocol as Valkey and KeyDB do: RESP2 and RESP3, and commands on lines.
//!
//! It follows the "Redis serialization protocol specification" (redis.io/docs/latest/develop/reference/protocol-spec),
//! cited as RESP. Responses come in the order of the commands; what a server sends unasked makes no record.

use flow_common::app::App;

mod command;
mod dialect;
mod recognise;
mod reply;
#[cfg(test)]
mod tests;
mod words;

use crate::{
    conversation::Candidate,
    protocol::{Follow, Numbers, Registered, Switch, Words},
    section::{NoKeys, Schema},
};

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Redis,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |_| Box::new(dialect::Redis::default()),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
