//! Where the pipeline publishes and scrapes read: neither waits for the other.

use std::sync::{Arc, PoisonError, RwLock};

use flowd_protocols::Shown;

use super::moment::Moment;
use crate::{aggregate::Numbers, telemetry::Telemetry};

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
