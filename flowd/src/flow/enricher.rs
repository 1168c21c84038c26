//! What others know of a conversation's ends, and of a flow as a whole.

use std::{fmt, sync::Arc};

use flow_common::key::Sender;
use flowd_protocols::party::Party;

use super::{Flow, Snapshot};

/// Knows something of addresses or flows. It answers from memory: it opens no file and asks nobody while a record waits.
pub trait Enricher: Send + Sync {
    /// Says what it knows of one end of a conversation. Asked once for the ends of a live flow, and again after a reload.
    fn party(&self, _party: &mut Party) {}

    /// Says what it knows of a flow whose ends are known already.
    fn flow(&self, _line: &mut Flow, _flow: &Snapshot) {}
}

/// Every enricher, in the order in which they are asked.
#[derive(Default)]
pub struct Enrichers(Vec<Box<dyn Enricher>>);

/// What is known of a flow's ends: A's and B's of its key.
pub type Ends = Arc<[Party; 2]>;

impl Enrichers {
    /// These, in this order.
    #[must_use]
    pub const fn new(enrichers: Vec<Box<dyn Enricher>>) -> Self {
        Self(enrichers)
    }

    /// Says what is known of one end.
    pub fn party(&self, party: &mut Party) {
        self.0.iter().for_each(|enricher| enricher.party(party));
    }

    /// What is known of the ends of `flow`.
    #[must_use]
    pub fn ends(&self, flow: &Snapshot) -> Ends {
        let known = |end| {
            let mut party = Party::at(flow.endpoint(end));
            self.party(&mut party);
            party
        };
        Arc::new([known(Sender::A), known(Sender::B)])
    }

    /// Fills in what is known of the flow of `line`, which is asked about once.
    pub fn once(&self, line: &mut Flow, flow: &Snapshot) {
        self.party(&mut line.client);
        self.party(&mut line.server);
        self.0.iter().for_each(|enricher| enricher.flow(line, flow));
    }

    /// Fills in what is known of the flow of `line`, whose ends are `ends`.
    pub fn flow(&self, line: &mut Flow, flow: &Snapshot, ends: &Ends) {
        let [a, b] = &**ends;
        let (client, server) = if flow.client == Sender::A { (a, b) } else { (b, a) };
        (line.client, line.server) = (client.clone(), server.clone());
        self.0.iter().for_each(|enricher| enricher.flow(line, flow));
    }
}

impl fmt::Debug for Enrichers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Enrichers").field(&self.0.len()).finish()
    }
}
