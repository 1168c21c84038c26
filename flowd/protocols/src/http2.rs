//! HTTP/2 in clear text (RFC 9113) with HPACK (RFC 7541) and gRPC: by prior knowledge or after an upgrade from HTTP/1.1.
//!
//! Each stream that the client opens is a line of type `http` with version `2`. Header blocks are read whole, data is
//! passed over by its length. What refers to a header block that nobody saw is unknown, never wrong.

use flow_common::app::App;

mod dialect;
mod exchange;
mod frame;
mod head;
mod hpack;
mod name;
mod opening;
mod recognise;
mod streams;
#[cfg(test)]
mod tests;

use crate::{
    conversation::Candidate,
    protocol::{Follow, Numbers, Registered, Switch, Words},
    section::{NoKeys, Schema},
};

/// This protocol's line in the registry. Its lines are HTTP's, and so are their numbers.
pub(crate) const REGISTERED: Registered = Registered {
    app: App::Http2,
    switch: Switch::Enabled(App::Http),
    keys: Schema::of::<NoKeys>(),
    follow: Follow::Dialect(Candidate {
        recognise: recognise::recognise,
        start: |options| Box::new(dialect::Http2::new(options)),
    }),
    held: 0,
    numbers: Numbers::Shared(Words { operations: &[], statuses: &[] }),
};
