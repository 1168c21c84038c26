//! Shows a moment family by family.

use flowd_numbers::{Exposition, Meta, show};

use super::{
    families::{ITSELF, TRAFFIC, has_flow_labels},
    moment::Moment,
};

impl Moment {
    /// Shows every family with its rows.
    pub fn show(&self, to: &mut dyn Exposition) {
        show(TRAFFIC, self, |meta| self.labels(meta), to);
        for protocol in &self.protocols {
            protocol.show(to);
        }
        show(ITSELF, self, |meta| meta.labels.to_vec(), to);
    }

    fn labels(&self, meta: &Meta) -> Vec<&'static str> {
        if has_flow_labels(meta) {
            self.numbers.policy.series.flow_labels.iter().map(|label| label.name()).collect()
        } else {
            meta.labels.to_vec()
        }
    }
}
