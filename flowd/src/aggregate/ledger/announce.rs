//! Series that are known in advance exist from the start, so that `rate()` does not miss their first count.

use super::{
    super::{FlowLabels, Nets, Numbers, Point, QualityLabels, RttKind, RttLabels, RttSide},
    Ledger,
};

/// Rows that are announced take at most this share of a budget.
const ANNOUNCED: usize = 4;

impl Ledger {
    /// Makes catch-all rows, and rows at 0 for what is sure to come.
    pub(super) fn announce(&mut self) {
        let Numbers { interfaces, flows, quality, rtt, connections, policy, .. } = &mut self.numbers;
        connections.reserve(None);
        let zones: Vec<_> = policy.zones.expected().collect();
        let pairs: Vec<Nets> = zones
            .iter()
            .flat_map(|source| {
                zones.iter().map(|destination| Nets { source: *source, destination: *destination })
            })
            .collect();
        let kinds = || RttKind::ALL.into_iter().flat_map(|kind| RttSide::ALL.map(|side| (kind, side)));
        // With many zones most pairs never meet.
        let few = |each: usize, limit: usize| pairs.len() * each * interfaces.len() <= limit / ANNOUNCED;
        let pairs_of = |each, limit| if few(each, limit) { pairs.as_slice() } else { &[] };
        for interface in interfaces.iter() {
            let slot = interface.watched.slot;
            for direction in interface.watched.directions() {
                let point = Point { slot, direction: *direction };
                flows.reserve(FlowLabels { point, group: None });
                let other = QualityLabels { point, nets: None };
                quality.reserve(other);
                for nets in pairs_of(2, quality.limit()) {
                    quality.announce(QualityLabels { nets: Some(*nets), ..other }, other);
                }
            }
            for (kind, side) in kinds() {
                let other = RttLabels { slot, nets: None, kind, side };
                rtt.reserve(other);
                for nets in pairs_of(4, rtt.limit()) {
                    rtt.announce(RttLabels { nets: Some(*nets), ..other }, other);
                }
            }
        }
    }
}
