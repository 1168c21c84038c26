//! What TCP flows add: quality, round trips, connections.

use flow_common::{key::Sender, record::Rtt};

use super::{
    super::{LiveFlow, QualityLabels, RttKind, RttLabels, RttSide, Service, flows::labels::point},
    Ledger,
};
use crate::flow::{Snapshot, words};

impl Ledger {
    /// Adds what `added` says of quality, round trips and connections.
    pub(super) fn count_tcp(&mut self, flow: &mut LiveFlow, added: &Snapshot) {
        let nets = flow.nets(added.client);
        for sender in [Sender::A, Sender::B] {
            let side = added.side(sender);
            let is_client = sender == added.client;
            if side.out_of_order | side.duplicate_acks | side.zero_windows | side.resets != 0 {
                let point = point(added, sender, self.one_point(added));
                let labels =
                    QualityLabels { point, nets: Some(if is_client { nets } else { nets.reversed() }) };
                if let Some(row) = self.numbers.quality.at(labels, QualityLabels { nets: None, ..labels }) {
                    row.out_of_order += u64::from(side.out_of_order);
                    row.duplicate_acks += u64::from(side.duplicate_acks);
                    row.zero_windows += u64::from(side.zero_windows);
                    row.resets += u64::from(side.resets);
                }
            }
            let (end, handshake, before) = if is_client {
                (RttSide::Client, added.handshake_client_rtt, flow.snapshot.handshake_client_rtt)
            } else {
                (RttSide::Server, added.handshake_server_rtt, flow.snapshot.handshake_server_rtt)
            };
            let slot = added.key.interface();
            let labels = |kind| RttLabels { slot, nets: Some(nets), kind, side: end };
            let other = |kind| RttLabels { nets: None, ..labels(kind) };
            if side.rtt.count != 0
                && let Some(row) = self.numbers.rtt.at(labels(RttKind::Data), other(RttKind::Data))
            {
                row.add_samples(&side.rtt);
            }
            let kind = RttKind::Handshake;
            if let (Some(rtt), None) = (handshake, before)
                && let Some(row) = self.numbers.rtt.at(labels(kind), other(kind))
            {
                row.record(&Rtt::BOUNDS, rtt);
            }
        }
        if flow.counted.is_none() && flow.is_attempt(added) {
            let service = self.service(flow, added);
            // An attempt without an answer has no port to its name, unless that port has answered before.
            if service.server_port.is_some() {
                self.attempt(flow, service);
            }
        }
    }

    pub(super) fn attempt(&mut self, flow: &mut LiveFlow, service: Service) {
        flow.counted = Some(service);
        if let Some(row) = self.numbers.connections.at(Some(service), None) {
            row.attempts += 1;
        }
    }

    /// Where a connection is counted: its failures too count for a port that has answered others.
    pub(super) fn service(&self, flow: &LiveFlow, snapshot: &Snapshot) -> Service {
        let nets = flow.nets(snapshot.client);
        let port = words::port(&snapshot.key, snapshot.client.other());
        let known = Service { nets, server_port: Some(port) };
        if self.numbers.connections.knows(&Some(known)) {
            return known;
        }
        Service { nets, server_port: self.numbers.policy.server_port(snapshot) }
    }
}
