//! MQTT 3.1, 3.1.1 and 5.0 over TCP: what clients ask of a broker, and how it answers.
//!
//! Packets that carry an identifier are paired by it. A PUBLISH of QoS 0 and a DISCONNECT are not answered by their
//! nature. What a broker sends unasked, as the messages of a subscription, is no request, nor is what a client answers
//! to it, or to a PUBREC.

use flow_common::app::App;

mod dialect;
mod packet;
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
    app: App::Mqtt,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |_| Box::new(dialect::Mqtt::default()),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
