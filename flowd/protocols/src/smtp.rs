//! SMTP, between mail servers and from mail clients (submission), in clear text until STARTTLS.
//!
//! It follows RFC 5321, with pipelining (RFC 2920), BDAT (RFC 3030), AUTH (RFC 4954) and STARTTLS (RFC 3207). Each
//! command has its reply, in order; messages and the steps of a login are no commands.

use flow_common::app::App;

mod body;
mod dialect;
mod recognise;
mod syntax;
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
    app: App::Smtp,
    switch: Switch::Table,
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |_| Box::new(dialect::Smtp::default()),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: words::OPERATIONS, statuses: &["ok", "error"] }),
};
