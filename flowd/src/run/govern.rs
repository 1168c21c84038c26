//! The governor at work: reads the clocks after each drain, and has everybody leave out what it says. It looks at what
//! packets and their lines cost, and not at the web server, which strangers may keep busy.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result};
use tracing::{info, warn};

use crate::{
    clock, config::Budget, governor::Governor, kernel::DrainReport, pipeline::Source, telemetry::Telemetry,
};

pub(super) struct Governed {
    /// None where the budget is off.
    governor: Option<Governor>,
    /// Intervals between two readings of the flow table.
    stretch: u32,
    /// Processor time, ns, that is none of the budget's.
    aside: u64,
}

impl Governed {
    pub(super) fn new(budget: Budget) -> Self {
        Self { governor: budget.share().map(Governor::new), stretch: 1, aside: 0 }
    }

    /// The time between two readings, by the configured one.
    pub(super) const fn interval(&self, configured: Duration) -> Duration {
        configured.saturating_mul(self.stretch)
    }

    /// Early readings have a budget of their own: nothing that is left out would make them cheaper.
    pub(super) const fn leave_out(&mut self, spent: u64) {
        self.aside = self.aside.saturating_add(spent);
    }

    /// After a drain.
    pub(super) fn look(
        &mut self,
        source: &mut dyn Source,
        report: &DrainReport,
        telemetry: &Arc<Telemetry>,
    ) -> Result<()> {
        let own = clock::thread().context("cannot read the processor time of this thread")?;
        telemetry.reader_spent.store(own, Ordering::Relaxed);
        let Some(governor) = &mut self.governor else { return Ok(()) };
        let now = clock::monotonic().context("cannot read the clock")?;
        let spent: u64 = telemetry.spent().iter().map(|(_, spent)| spent).sum();
        if let Some(change) = governor.read(now, spent.saturating_sub(self.aside)) {
            if change.is_up() {
                warn!("{change}");
            } else {
                info!("{change}");
            }
            if change.from.omissions() != change.to.omissions() {
                source.omit(change.to.omissions())?;
            }
            telemetry.governor.changed(change.to as u8, change.is_up());
        }
        self.stretch = governor.level().stretch(report.live, report.capacity);
        Ok(())
    }
}
