//! All of the daemon that can fail without privileges. It comes first: what fails here leaves nothing attached.

use std::sync::Arc;

use anyhow::Result;
use tokio::net::TcpListener;
use tracing::warn;

use super::{
    crash::Crashes,
    reload::{bounds, rotation},
    signals::Signals,
};
use crate::{
    config::{Config, log_names},
    export::feed::Feed,
    interfaces::{self, Interface},
    pipeline::Record,
    sinks::{Opener, Sinks},
    telemetry::SinkList,
    web::{self, Guard},
};

/// Outputs that are open, an address that is bound, and interfaces that exist.
pub(super) struct Prepared {
    pub(super) chosen: Vec<Interface>,
    pub(super) signals: Signals,
    pub(super) crashes: Crashes,
    pub(super) counters: SinkList,
    pub(super) opener: Opener,
    pub(super) sinks: Sinks,
    pub(super) feed: Arc<Feed<Record>>,
    pub(super) guard: Guard,
    pub(super) listener: TcpListener,
}

impl Prepared {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// One line that names the interface, file or address in the way, and the remedy.
    pub(super) async fn new(config: &Config) -> Result<Self> {
        let all = interfaces::list()?;
        let chosen = interfaces::choose(&all, &config.interfaces)?;
        interfaces::remarks(&all).for_each(|remark| warn!("{remark}"));
        let signals = Signals::new()?;
        let crashes = Crashes::listen();
        let counters = SinkList::default();
        // A reload may switch them on.
        log_names().for_each(|name| drop(counters.get(name)));
        let mut opener = Opener::new(rotation(config), counters.clone());
        let mut sinks = Sinks::default();
        sinks.take_over(opener.open(&config.sinks("configuration")?, &[])?);
        let feed = Feed::new(bounds(config), |name| counters.get(name));
        let guard = Guard::load(&config.web)?;
        let listener = web::bind(config.listen).await?;
        Ok(Self { chosen, signals, crashes, counters, opener, sinks, feed: Arc::new(feed), guard, listener })
    }
}
