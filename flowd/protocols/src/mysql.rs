//! MySQL and MariaDB: the manuals' chapters "Client/Server Protocol", in clear text and compressed.

mod client;
mod command;
mod compressed;
mod dialect;
mod frame;
mod login;
mod packet;
mod pending;
mod recognise;
mod reply;
mod server;
#[cfg(test)]
mod tests;
mod words;

use dialect::Mysql;
use flow_common::app::App;

use crate::{
    conversation::Candidate,
    protocol::{Follow, Numbers, Registered, Switch, Words},
    section::{NoKeys, Schema},
};

const CANDIDATE: Candidate =
    Candidate { recognise: recognise::recognise, start: |options| Box::new(Mysql::new(options)) };

/// This protocol's line in the registry.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Mysql,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(CANDIDATE),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
