//! Watches whether the daemon's parts go on, and tells the service manager, which may start it again.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tracing::warn;

use crate::{
    aggregate::{LiveFlows, Presence},
    numbers::Board,
    service::Service,
    telemetry::{Part, Readiness, Telemetry},
};

/// Between two looks where no watchdog asks for more.
const PERIOD: Duration = Duration::from_secs(10);

pub(super) struct Vigil {
    service: Service,
    telemetry: Arc<Telemetry>,
    board: Arc<Board>,
    live: Arc<LiveFlows>,
    period: Duration,
    looks: Interval,
    /// What each part had done at the last look.
    seen: [u64; Part::ALL.len()],
}

impl Vigil {
    /// Begins now.
    pub(super) fn new(
        service: Service,
        telemetry: Arc<Telemetry>,
        board: Arc<Board>,
        live: Arc<LiveFlows>,
    ) -> Self {
        // Half of what it gives, as sd_watchdog_enabled(3) advises.
        let period = service.watchdog().map_or(PERIOD, |limit| limit / 2);
        let mut looks = interval_at(Instant::now() + period, period);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let seen = telemetry.beats();
        Self { service, telemetry, board, live, period, looks, seen }
    }

    /// Waits until it is time for a look.
    pub(super) async fn due(&mut self) {
        self.looks.tick().await;
    }

    /// The watchdog hears of this daemon only while every part has gone on since the last look.
    pub(super) fn look(&mut self) {
        let beats = self.telemetry.beats();
        let parts = Part::ALL.into_iter().zip(beats.iter().zip(&self.seen));
        let mut alive = true;
        for (part, _) in parts.filter(|(_, (now, before))| now == before) {
            warn!("{} has stood still for {:?}", part.name(), self.period);
            alive = false;
        }
        self.seen = beats;
        self.service.status(&self.status(), alive && self.service.watchdog().is_some());
    }

    /// Started, or through with a reload.
    pub(super) fn ready(&self) {
        self.service.ready(&self.status());
    }

    /// A reload begins.
    pub(super) fn reloading(&self) {
        self.service.reloading(crate::clock::monotonic().unwrap_or_default());
    }

    /// The end begins.
    pub(super) fn stopping(&self, why: &str) {
        self.service.stopping(why);
    }

    fn status(&self) -> String {
        let numbers = self.board.numbers();
        let watched = numbers.interfaces.iter().filter(|interface| interface.presence == Presence::Watched);
        let names: Vec<&str> = watched.map(|interface| &*interface.watched.name).collect();
        let lost = match self.telemetry.readiness() {
            Readiness::Degraded(names) | Readiness::Lost(names) => format!(" ({} lost)", names.join(", ")),
            Readiness::NotAttached | Readiness::Ready => String::new(),
        };
        format!("watching {}{lost}: {} flows", names.join(", "), self.live.len())
    }
}
