//! AMQP 0-9-1 over TCP, as RabbitMQ speaks it with its extensions: methods of clients by `class.method`.
//!
//! A method that waits is answered by its `-ok` on the same channel, or by the server's `channel.close` or
//! `connection.close`, whose code is the error. Publishing and acknowledging are not answered by their nature, nor is a
//! method with `no-wait`; with publisher confirms a `basic.publish` is answered by its `basic.ack` or `basic.nack`.

use flow_common::app::App;

mod confirms;
mod dialect;
mod frame;
mod method;
mod recognise;
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
    app: App::Amqp,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |_| Box::new(dialect::Amqp::default()),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
