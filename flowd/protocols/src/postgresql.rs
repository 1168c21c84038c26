//! PostgreSQL and what speaks its protocol, version 3: the manual's chapter "Frontend/Backend Protocol".

mod client;
mod dialect;
mod fit;
mod messages;
mod pending;
mod recognise;
mod server;
#[cfg(test)]
mod tests;
mod words;

use dialect::Postgresql;
use flow_common::app::App;

use crate::{
    conversation::Candidate,
    protocol::{Follow, Numbers, Registered, Switch, Words},
    section::{NoKeys, Schema},
};

const CANDIDATE: Candidate =
    Candidate { recognise: recognise::recognise, start: |options| Box::new(Postgresql::new(options)) };

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Postgresql,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(CANDIDATE),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
