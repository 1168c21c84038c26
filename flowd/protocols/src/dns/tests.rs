//! Lookups through the tracker, and messages against another reader of them.

mod generated;
mod kit;
mod oracle;
mod stories;
