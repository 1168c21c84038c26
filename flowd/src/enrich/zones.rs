//! The zone of an address by the configured networks, and which way a conversation goes between them.

use std::sync::Arc;

use flowd_protocols::party::Party;

use crate::{
    aggregate::Policy,
    flow::{Enricher, Flow, Snapshot},
};

struct ZoneNames(Arc<Policy>);

pub(super) fn start(policy: &Arc<Policy>) -> Box<dyn Enricher> {
    Box::new(ZoneNames(Arc::clone(policy)))
}

impl Enricher for ZoneNames {
    fn party(&self, party: &mut Party) {
        party.zone = Some(self.0.zones.name_of(party.endpoint.address));
    }

    fn flow(&self, line: &mut Flow, flow: &Snapshot) {
        line.direction = Some(self.0.way(flow).name());
    }
}
