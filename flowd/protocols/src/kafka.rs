//! Apache Kafka's protocol over TCP: requests of clients and brokers by API, with the error codes of their responses.
//!
//! Requests and responses are paired by correlation id; responses come in the order of their requests. What a response
//! says depends on API and version (KIP-482 for the flexible ones): `schemas.txt` has their fields as data. A Produce with
//! `acks=0` is not answered by its nature.

use flow_common::app::App;

mod dialect;
mod recognise;
mod request;
mod schema;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use crate::{
    conversation::Candidate,
    protocol::{Follow, Numbers, Registered, Switch, Words},
    section::{NoKeys, Schema},
};

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Kafka,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |_| Box::new(dialect::Kafka::default()),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
