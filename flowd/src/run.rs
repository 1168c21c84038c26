//! `flowd run`: configuration, interfaces, kernel, tasks, signals, and an ordered end.

mod crash;
mod early;
mod follow;
mod govern;
mod haste;
mod prepare;
mod pump;
mod reload;
mod running;
mod signals;
mod vigil;
mod watch;

use anyhow::{Context, Result, bail, ensure};
use prepare::Prepared;
pub use reload::Again;
use running::Running;
use tokio::runtime::Runtime;
use tracing::debug;
use watch::Watching;

use crate::{
    config::Config,
    kernel::{LoadOptions, descriptors},
    memory::{self, Shortage},
    pipeline::{self, Source},
    privileges::Sandbox,
    service::Service,
    threads::{self, Role},
};

/// Files that are open in the smallest daemon, with some room.
const FILES: usize = 64;

/// Runs until SIGTERM or SIGINT, then drains for the last time, writes what is queued and detaches. On SIGHUP,
/// `again` gives the configuration anew.
///
/// # Errors
/// One line that names what is missing or in the way, and the remedy.
pub fn run(config: &Config, again: Again, sandbox: &Sandbox) -> Result<()> {
    threads::register(Role::Main);
    let files = enough_files()?;
    enough_memory(config)?;
    let runtime = runtime()?;
    let load = |options: &LoadOptions| {
        let source = pipeline::load(options)?;
        sandbox.settle();
        Ok(source)
    };
    let result = runtime.block_on(daemon(config, again, Service::of_environment(), files, load));
    // An ordinary end would wait for a thread that a panic has stopped.
    runtime.shutdown_background();
    result
}

/// The number of files that may be open, where it is enough to begin with: else whatever is opened first would fail.
fn enough_files() -> Result<usize> {
    let files = descriptors::raise_limit().context("cannot read the limit of open files")?;
    ensure!(
        files >= FILES,
        "{files} files may be open, and flowd needs {FILES} for its tables, logs and clients: raise the limit (`ulimit \
         -n`, LimitNOFILE= of the unit)"
    );
    Ok(files)
}

/// Refuses to begin what the kernel would kill once every bound is reached.
fn enough_memory(config: &Config) -> Result<()> {
    match memory::shortage(config) {
        Ok(detail) => debug!("{detail}"),
        Err(Shortage { detail, remedy }) => bail!("{detail}: {remedy}"),
    }
    Ok(())
}

/// The threads that answer requests: one for scrapes, one for lists, of which one at a time is made, and one for all
/// else.
fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(3)
        .thread_name(Role::Web.name())
        .on_thread_start(|| threads::begin(Role::Web))
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")
}

/// The daemon over any source of packets.
async fn daemon(
    config: &Config,
    again: Again,
    service: Service,
    files: usize,
    load: impl FnOnce(&LoadOptions) -> Result<Box<dyn Source>>,
) -> Result<()> {
    let prepared = Prepared::new(config).await?;
    let watching = Watching::start(config, &prepared.chosen, load)?;
    let mut running = Running::start(config, (prepared, watching), again, service, files)?;
    let end = running.wait().await;
    running.stop(end).await
}

#[cfg(test)]
mod tests;
