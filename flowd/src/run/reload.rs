//! The configuration once more, on SIGHUP: what can change is handed to the pump, what cannot is named.

use std::sync::mpsc::Sender;

use tracing::{error, info, warn};

use super::Again;
use crate::{config::Config, interfaces};

pub(super) struct Reload {
    /// What the daemon was started with, but for what has changed since.
    pub config: Config,
    pub again: Again,
    /// Where the pump takes new settings from.
    pub settings: Sender<Box<Config>>,
}

impl Reload {
    /// Applies what can change while the daemon runs; of a configuration that cannot be used, nothing.
    pub(super) fn reload(&mut self) {
        let new = match (self.again)() {
            Ok(new) => new,
            Err(error) => {
                error!("configuration not taken over, the one before stays: {error}");
                return;
            }
        };
        if let Err(error) = interfaces::check_change(&self.config.interfaces, &new.interfaces) {
            error!("configuration not taken over, the one before stays: {error}");
            return;
        }
        let fixed = self.config.differences(&new);
        if !fixed.is_empty() {
            warn!("takes effect only after a restart: {}", fixed.join(", "));
        }
        let changing =
            |config: &Config| (config.zones.clone(), config.series.clone(), config.interfaces.clone());
        if changing(&new) != changing(&self.config) {
            new.zones.notes().iter().for_each(|note| info!("{note}"));
            self.config.zones = new.zones.clone();
            self.config.series = new.series.clone();
            self.config.interfaces.clone_from(&new.interfaces);
            if self.settings.send(Box::new(new)).is_err() {
                // The pump has ended, and the daemon is about to.
                return;
            }
        }
        info!("configuration read again");
    }
}
