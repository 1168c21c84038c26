//! The zone of an address, by the configured networks.

use std::sync::Arc;

use flowd_protocols::party::Party;

use super::enricher::Enricher;
use crate::aggregate::Policy;

struct ZoneNames(Arc<Policy>);

pub(super) fn start(policy: &Arc<Policy>) -> Box<dyn Enricher> {
    Box::new(ZoneNames(Arc::clone(policy)))
}

impl Enricher for ZoneNames {
    fn party(&self, party: &mut Party) {
        party.zone = Some(self.0.zones.name_of(party.endpoint.address));
    }
}
