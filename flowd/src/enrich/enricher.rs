//! What the pipeline asks of an enricher.

use flowd_protocols::party::Party;

/// Knows something of addresses.
pub trait Enricher: Send {
    /// Says what it knows of one end of a conversation.
    fn party(&self, party: &mut Party);
}
