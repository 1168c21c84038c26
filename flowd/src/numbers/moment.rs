//! What a scrape is made of: the numbers of the pipeline, of protocols and of the daemon itself.

use std::{fmt, sync::Arc};

use flowd_numbers::Overflow;
use flowd_protocols::Shown;

use crate::{aggregate::Numbers, telemetry::Telemetry};

/// All numbers of one moment.
#[derive(Clone)]
pub struct Moment {
    pub numbers: Arc<Numbers>,
    /// In the order of the registry.
    pub protocols: Vec<Arc<dyn Shown>>,
    pub telemetry: Arc<Telemetry>,
}

impl Moment {
    /// Budgets of protocols.
    pub(super) fn overflows(&self) -> impl Iterator<Item = Overflow> {
        self.protocols.iter().flat_map(|protocol| protocol.overflows())
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment").field("numbers", &self.numbers).finish_non_exhaustive()
    }
}
