//! memcached: the text protocol with its meta commands, and the binary one.
//!
//! It follows memcached's `doc/protocol.txt` and the wiki's "BinaryProtocolRevamped". Responses come in the order of the
//! commands; commands with `noreply` and those that are quiet may have none.

use flow_common::app::App;

mod binary;
mod command;
mod dialect;
mod recognise;
#[cfg(test)]
mod tests;
mod text;
mod words;

use crate::{
    conversation::Candidate,
    protocol::{Follow, Numbers, Registered, Switch, Words},
    section::{NoKeys, Schema},
};

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Memcached,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |_| Box::new(dialect::Memcached::default()),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
