//! Where the pipeline publishes and scrapes read: neither waits for the other.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use flowd_numbers::{Exposition, Meta, Overflow, show};
use flowd_protocols::Shown;

use super::families::{ITSELF, TRAFFIC, has_flow_labels};
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
    /// Shows every family with its rows.
    pub fn show(&self, to: &mut dyn Exposition) {
        show(TRAFFIC, self, |meta| self.labels(meta), to);
        for protocol in &self.protocols {
            protocol.show(to);
        }
        show(ITSELF, self, |meta| meta.labels.to_vec(), to);
    }

    /// Budgets of protocols.
    pub(super) fn overflows(&self) -> impl Iterator<Item = Overflow> {
        self.protocols.iter().flat_map(|protocol| protocol.overflows())
    }

    fn labels(&self, meta: &Meta) -> Vec<&'static str> {
        if has_flow_labels(meta) {
            self.numbers.policy.series.flow_labels.iter().map(|label| label.name()).collect()
        } else {
            meta.labels.to_vec()
        }
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment").field("numbers", &self.numbers).finish_non_exhaustive()
    }
}

/// The numbers that were published last.
#[derive(Debug)]
pub struct Board(RwLock<Moment>);

impl Board {
    /// A board that shows these numbers until others are published.
    #[must_use]
    pub fn new(numbers: Numbers, protocols: Vec<Arc<dyn Shown>>, telemetry: Arc<Telemetry>) -> Self {
        Self(RwLock::new(Moment { numbers: Arc::new(numbers), protocols, telemetry }))
    }

    /// Shows these numbers, all of one moment, from now on.
    pub fn publish(&self, numbers: Numbers, protocols: Vec<Arc<dyn Shown>>) {
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let moment =
            Moment { numbers: Arc::new(numbers), protocols, telemetry: Arc::clone(&shown.telemetry) };
        let old = std::mem::replace(&mut *shown, moment);
        drop(shown);
        // Only here, without the lock, as it takes a while.
        drop(old);
    }

    /// Everything that was published last.
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The numbers of the last drain.
    #[must_use]
    pub fn numbers(&self) -> Arc<Numbers> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).numbers)
    }
}
