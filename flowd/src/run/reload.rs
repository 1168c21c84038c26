//! The configuration once more, on SIGHUP: all that may change while the daemon runs, or nothing.

use std::{
    io,
    sync::{Arc, mpsc::Sender},
};

use tokio::sync::oneshot;
use tracing::{error, info, warn};

use crate::{
    check,
    config::{Config, ConfigError},
    export::feed::{Bounds, Feed},
    interfaces,
    pipeline::Record,
    privileges,
    sinks::{NewSinks, Opener, files::Rotation},
    web::{Guard, Secrets},
};

const RESTART: &str = "if file permissions allow it, start flowd again: its sandbox lets it touch only folders that its configuration named at the start";

/// Reads the configuration once more, as it was read at the start.
pub type Again = Box<dyn Fn() -> Result<Config, ConfigError> + Send>;

/// The bounds of log files that the configuration asks for.
pub(super) fn rotation(config: &Config) -> Rotation {
    let (max_size, max_age) = (config.log_max_size.0, config.log_max_age.0);
    Rotation { max_size, max_age, keep: config.log_keep }
}

/// What the API may keep.
pub(super) fn bounds(config: &Config) -> Bounds {
    let api = &config.api;
    Bounds { keep: [api.http_lines as usize, api.request_lines as usize], clients: api.streams as usize }
}

pub(super) struct Reload {
    /// What the daemon was started with.
    loaded: Config,
    /// What is in force.
    current: Config,
    again: Again,
    opener: Opener,
    guard: Guard,
    feed: Arc<Feed<Record>>,
    changes: Sender<Change>,
    /// Answers once the pump has taken over the last change.
    pending: Option<oneshot::Receiver<()>>,
}

/// What the pump takes over, all at the same moment.
pub(super) struct Change {
    pub(super) config: Config,
    pub(super) sinks: NewSinks,
    /// Zones or series are others.
    pub(super) regroup: bool,
    /// Dropped when all of it is in force.
    pub(super) _done: oneshot::Sender<()>,
}

impl Reload {
    pub(super) fn new(
        config: &Config,
        again: Again,
        opener: Opener,
        guard: Guard,
        feed: Arc<Feed<Record>>,
        changes: Sender<Change>,
    ) -> Self {
        let (loaded, current) = (config.clone(), config.clone());
        Self { loaded, current, again, opener, guard, feed, changes, pending: None }
    }

    /// Reads the configuration and has it taken over; of one that cannot be used, nothing.
    pub(super) fn begin(&mut self) {
        // Whatever the configuration says: files may have been moved away.
        self.opener.reopen();
        match self.prepare() {
            Ok((config, sinks, secrets)) => self.commit(config, sinks, secrets),
            Err(problem) => error!("configuration not taken over, all stays as it was: {problem}"),
        }
    }

    /// Waits until the change under way is in force; for ever, where there is none.
    pub(super) async fn done(&mut self) {
        match &mut self.pending {
            // The sender is dropped, and that is the answer.
            Some(pending) => drop(pending.await),
            None => std::future::pending().await,
        }
        self.pending = None;
    }

    /// True while a change is not yet in force.
    pub(super) const fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// All that can fail.
    fn prepare(&mut self) -> Result<(Config, NewSinks, Secrets), String> {
        let new = (self.again)().map_err(|problem| problem.to_string())?;
        let (config, fixed) = self.loaded.renewed(&new);
        interfaces::check_change(&self.current.interfaces, &config.interfaces)
            .map_err(|problem| problem.to_string())?;
        let specs = |config: &Config| config.sinks("configuration").map_err(|problem| problem.to_string());
        let sinks = self.opener.open(&specs(&config)?, &specs(&self.current)?);
        let sinks = sinks.map_err(|problem| hint(&problem))?;
        let secrets = self.guard.renewed(&config.web).map_err(|problem| hint(&problem))?;
        if !fixed.is_empty() {
            warn!("takes effect only after a restart: {}", fixed.join(", "));
        }
        Ok((config, sinks, secrets))
    }

    fn commit(&mut self, config: Config, sinks: NewSinks, secrets: Secrets) {
        let before = &self.current;
        let regroup = (&config.zones, &config.series) != (&before.zones, &before.series);
        if regroup {
            config.zones.notes().iter().for_each(|note| info!("{note}"));
        }
        self.guard.take_over(secrets);
        check::remarks(&config).for_each(|remark| warn!("{remark}"));
        self.opener.set_rotation(rotation(&config));
        self.feed.resize(bounds(&config));
        let (_done, pending) = oneshot::channel();
        self.pending = Some(pending);
        self.current = config.clone();
        // Where it fails, the pump has ended, and the daemon is about to.
        let _ = self.changes.send(Change { config, sinks, regroup, _done });
    }
}

/// The error, and what to do where the sandbox may be in the way.
fn hint(problem: &dyn std::error::Error) -> String {
    let text = problem.to_string();
    // Landlock refuses as file permissions do (EACCES).
    let denied = io::Error::from_raw_os_error(libc::EACCES).to_string();
    let sandboxed = privileges::is_confined() && text.contains(&denied);
    if sandboxed { format!("{text}; {RESTART}") } else { text }
}
