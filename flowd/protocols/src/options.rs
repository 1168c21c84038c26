//! What a protocol is told.

use std::sync::Arc;

use crate::{
    privacy::{Query, Statements},
    section::Section,
};

/// What a protocol is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of an HTTP head that the packet path copies; of a DNS message at least [`flow_common::sniff::DNS_BYTES`].
    pub head_bytes: u32,
    /// What records show of parameters.
    pub query: Query,
    /// What records show of statements and of operations that are in no list.
    pub statements: Statements,
    /// Whether it is followed.
    pub on: bool,
    /// The protocol's own keys.
    pub keys: Arc<dyn Section>,
}

impl PartialEq for Options {
    fn eq(&self, other: &Self) -> bool {
        (self.head_bytes, self.query, self.statements, self.on)
            == (other.head_bytes, other.query, other.statements, other.on)
            && self.keys.is_same(other.keys.as_ref())
    }
}
