//! The name of a flow's service by its server's port, where an answer to a SYN proved that port.

use std::sync::Arc;

use crate::{
    aggregate::Policy,
    flow::{Enricher, Flow, Snapshot},
};

struct ServiceNames(Arc<Policy>);

pub(super) fn start(policy: &Arc<Policy>) -> Box<dyn Enricher> {
    Box::new(ServiceNames(Arc::clone(policy)))
}

impl Enricher for ServiceNames {
    fn flow(&self, line: &mut Flow, flow: &Snapshot) {
        line.service = self.0.server_port(flow).and_then(|port| self.0.service(port)).cloned();
    }
}
