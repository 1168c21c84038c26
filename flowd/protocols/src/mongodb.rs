//! MongoDB's wire protocol over TCP: commands by name in OP_MSG and OP_QUERY, plain or compressed, and the older operations.
//!
//! A reply names the request that it answers. A message with `moreToCome` and the older writes are not answered by their
//! nature. What is compressed is looked into as far as its beginning tells: with zlib and Snappy; with Zstandard the
//! command is not told.

use flow_common::app::App;

mod bson;
mod compressed;
mod dialect;
mod message;
mod recognise;
mod reply;
mod request;
mod snappy;
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
    app: App::Mongodb,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |_| Box::new(dialect::Mongodb::default()),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
