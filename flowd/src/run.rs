//! `flowd run`: configuration, interfaces, kernel, tasks, signals, and an ordered end.

mod crash;
mod follow;
mod govern;
mod pump;
mod reload;
mod signals;
mod vigil;

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use crash::Crashes;
use flow_common::{key::FlowKey, names, settings::Settings};
use follow::Follow;
use govern::Governed;
use pump::{Outputs, Pump};
use reload::Reload;
use signals::{End, Parts, Signals, died, pump_ended};
use tokio::{runtime::Runtime, sync::oneshot};
use tracing::{info, warn};
use vigil::Vigil;

use crate::{
    aggregate::{Capacity, Ledger, LedgerOptions, Policy, Watched},
    check,
    clock::{self, WallClock},
    config::{Config, ConfigError, Hook, Order, XdpMode, log_names},
    enrich::enrichers,
    export::feed::Feed,
    interfaces::{self, Interface},
    kernel::{self, FrameMode, Frames, LoadOptions, descriptors},
    numbers::Board,
    pipeline::{self, Source},
    privileges::Sandbox,
    service::Service,
    sinks::{Opener, Sinks, files::Rotation},
    telemetry::{Part, SinkList, Telemetry},
    threads::{self, Role},
    web::{self, Guard, Limits, State},
};

/// How long clients have to take their answers at the end. Together with the time after which a log is given up
/// it makes the two seconds within which the daemon ends, whatever others do.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long the pump has for the same once another thread was struck, which may have held what it waits for.
const LAST: Duration = Duration::from_millis(1_200);

/// Files that are open in the smallest daemon, with some room.
const FILES: usize = 64;

/// Interfaces beyond those of the start for which there is room at least.
const ROOM: u16 = 16;

/// Reads the configuration once more, as it was read at the start.
pub type Again = Box<dyn Fn() -> Result<Config, ConfigError> + Send>;

/// Runs until SIGTERM or SIGINT, then drains for the last time, writes what is queued and detaches. On SIGHUP,
/// `again` gives the configuration anew.
///
/// # Errors
/// One line that names what is missing or in the way, and the remedy.
pub fn run(config: &Config, again: Again, sandbox: &Sandbox) -> Result<()> {
    threads::register(Role::Main);
    let files = enough_files()?;
    let runtime = runtime()?;
    let load = |options: &LoadOptions| {
        let source = pipeline::load(options)?;
        sandbox.settle();
        Ok(source)
    };
    let result = runtime.block_on(daemon(config, again, Service::of_environment(), files, load));
    // A thread that stands still would be waited for.
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
    // All that can fail without privileges comes first, so that nothing is attached in vain.
    let all = interfaces::list()?;
    let chosen = interfaces::choose(&all, &config.interfaces)?;
    interfaces::remarks(&all).for_each(|remark| warn!("{remark}"));
    let mut signals = Signals::new()?;
    let crashes = Crashes::listen();
    let counters = SinkList::default();
    // A reload may switch them on.
    log_names().for_each(|name| drop(counters.get(name)));
    let mut opener = Opener::new(rotation(config), counters.clone());
    let mut sinks = Sinks::default();
    sinks.take_over(opener.open(&config.sinks("configuration")?, &[])?);
    let streamed = counters.get("http_stream");
    let feed = Feed::new(config.api.http_lines as usize, config.api.streams as usize, streamed);
    let feed = Arc::new(feed);
    let guard = Guard::load(&config.web)?;
    let listener = web::bind(config.listen).await?;

    let chosen_count = u16::try_from(chosen.len()).unwrap_or(u16::MAX);
    let windows = windows(config, chosen_count);
    let slots = u32::from(chosen_count) + u32::from(ROOM);
    let slots = slots.max(names::DEFAULT_INTERFACES).min(u32::from(FlowKey::MAX_INTERFACES) - 1);
    let mut source = load(&LoadOptions {
        settings: Settings { windows: windows.into(), ..config.settings() },
        flows: config.flows,
        event_bytes: u32::try_from(config.event_buffer.0).unwrap_or(u32::MAX),
        interfaces: slots,
        hook: hook(config.hook),
        frames: frames(config, &chosen),
        order: order(&config.order),
    })?;
    let clock = WallClock::measure().context("cannot read the clocks")?;
    let began = clock::monotonic().context("cannot read the clock")?;
    let watched = attach(source.as_mut(), &chosen, config)?;
    let follow = Follow::new(&watched, config, u16::try_from(slots).unwrap_or(u16::MAX), windows)?;
    let capacity = capacity(config, &watched, began);

    let telemetry = Arc::new(Telemetry::new(counters));
    let policy = Arc::new(Policy::new(config));
    config.zones.notes().iter().for_each(|note| info!("{note}"));
    let options =
        LedgerOptions { conversations: config.flows as usize, active_timeout: pump::active_timeout(config) };
    let baseline = |watched: Watched| {
        let before = follow::statistics(&watched.name, watched.ifindex);
        (watched, before)
    };
    let watched = watched.into_iter().map(baseline).collect();
    let named = enrichers(&policy);
    let ledger = Ledger::new(options, policy, watched, clock).enriched(named);
    let live = Arc::clone(ledger.live());
    let board = Arc::new(Board::new(ledger.numbers().published(), Vec::new(), Arc::clone(&telemetry)));
    let state = State {
        board: Arc::clone(&board),
        live: Arc::clone(&live),
        telemetry: Arc::clone(&telemetry),
        http: Arc::clone(&feed),
    };
    let outputs = Outputs {
        board: Arc::clone(&board),
        telemetry: Arc::clone(&telemetry),
        feed: Arc::clone(&feed),
        sinks,
    };
    let pump = Pump::new(source, ledger, outputs, clock, follow, config)
        .with_capacity(capacity)
        .governed(Governed::new(config.governor.cpu));
    pump.announce();

    // With all maps and links open.
    let limits = Limits::of_process(files)?;
    let (changes, new_changes) = mpsc::channel();
    let (done, pump_done) = oneshot::channel();
    threads::start(Role::Pump, move || done.send(pump.run(&new_changes)))
        .context("cannot start the thread that reads the flow table")?;
    telemetry.set_ready(true);
    let scheme = if config.web.tls() { "https" } else { "http" };
    guard.warn(config.listen);
    check::remarks(config).for_each(|remark| warn!("{remark}"));
    info!("metrics at {scheme}://{}/metrics", config.listen);

    let (close, closed) = oneshot::channel::<()>();
    let server = tokio::spawn(web::serve(listener, state, guard.clone(), limits, async {
        // Closed from either end, it is time.
        let _ = closed.await;
    }));
    let mut parts = Parts { pump: pump_done, server, crashes };
    let mut reload = Reload::new(config, again, opener, guard, Arc::clone(&feed), changes);
    let mut vigil = Vigil::new(service, Arc::clone(&telemetry), board, live);
    let end = signals.wait(&mut parts, &mut reload, &mut vigil).await;
    telemetry.set_ready(false);
    // Without a sender of changes the pump comes to its end.
    drop(reload);
    let Parts { pump, server, mut crashes } = parts;
    let served = !matches!(end, End::Server);
    let result = match end {
        End::Pump(result) => {
            vigil.stopping("the flow table cannot be read");
            result
        }
        End::Signal(name) => {
            vigil.stopping(name);
            pump_or_crash(pump, &mut crashes).await
        }
        End::Server => {
            vigil.stopping("the web server ended");
            pump_or_crash(pump, &mut crashes).await.and(Err(died(Part::Web.name())))
        }
        End::Crash(part) => {
            vigil.stopping(&format!("{part} died"));
            struck(&part, pump).await
        }
    };
    // All lines are out: streams end, so that they do not hold up the end.
    feed.close();
    drop(close);
    // Scrapes under way get their answer; connections kept open do not hold up the end.
    if served && tokio::time::timeout(PATIENCE, server).await.is_err() {
        warn!("a client keeps its connection open; ending without it");
    }
    // One that was struck while nobody waited.
    result.and(crashes.heard().map_or(Ok(()), |part| Err(died(&part))))
}

/// The end of the pump, unless a thread is struck meanwhile.
async fn pump_or_crash(mut pump: oneshot::Receiver<Result<()>>, crashes: &mut Crashes) -> Result<()> {
    tokio::select! {
        result = &mut pump => pump_ended(result),
        part = crashes.next() => struck(&part, pump).await,
    }
}

/// Ends in order as far as that is possible without `part`.
async fn struck(part: &str, pump: oneshot::Receiver<Result<()>>) -> Result<()> {
    if part == Part::Pump.name() {
        // What is queued finds its way without it.
        tokio::time::sleep(PATIENCE).await;
    } else if let Ok(ended) = tokio::time::timeout(LAST, pump).await
        && let Err(error) = pump_ended(ended)
    {
        warn!("{error:#}");
    }
    crash::abandon();
    Err(died(part))
}

fn rotation(config: &Config) -> Rotation {
    let (max_size, max_age) = (config.log_max_size.0, config.log_max_age.0);
    Rotation { max_size, max_age, keep: config.log_keep }
}

/// Attaches to each interface under slots counted from 1.
fn attach(source: &mut dyn Source, chosen: &[Interface], config: &Config) -> Result<Vec<Watched>> {
    let mut watched = Vec::new();
    for (interface, slot) in chosen.iter().zip(1..) {
        let hook = source.attach(&interface.name, interface.ifindex, follow::setting(interface, slot))?;
        info!("watching {} ({hook})", interface.name);
        watched.push(follow::describe(interface, slot, &config.capacity));
    }
    Ok(watched)
}

/// Interfaces whose bytes are kept by the millisecond: those of the start, and some that may come.
fn windows(config: &Config, interfaces: u16) -> u16 {
    if config.capacity.windows { interfaces.saturating_add(ROOM) } else { 0 }
}

fn capacity(config: &Config, watched: &[Watched], began: u64) -> Option<Capacity> {
    let mut capacity = Capacity::new(pump::capacity_options(config));
    capacity.begin(began);
    for interface in watched {
        for direction in interface.directions() {
            capacity.watch(interface.slot, *direction, interface.speed);
        }
    }
    config.capacity.windows.then_some(capacity)
}

const fn hook(hook: Hook) -> Option<kernel::Hook> {
    match hook {
        Hook::Auto | Hook::Xdp => None,
        Hook::Tcx => Some(kernel::Hook::Tcx),
        Hook::Clsact => Some(kernel::Hook::Clsact),
    }
}

fn frames(config: &Config, chosen: &[Interface]) -> Option<Frames> {
    /// Up to this, a frame is in one buffer with every driver; how far beyond is each driver's own affair.
    const MTU: u32 = 1_500;
    let mode = match config.xdp_mode {
        XdpMode::Auto => FrameMode::Auto,
        XdpMode::Native => FrameMode::Native,
        XdpMode::Generic => FrameMode::Generic,
    };
    let frags = chosen.iter().any(|interface| interface.mtu > MTU && !interface.is_loopback());
    (config.hook == Hook::Xdp).then_some(Frames { mode, frags })
}

fn order(order: &Order) -> kernel::Order {
    match order {
        Order::First => kernel::Order::First,
        Order::Last => kernel::Order::Last,
        Order::Before(name) => kernel::Order::Before(name.clone()),
        Order::After(name) => kernel::Order::After(name.clone()),
    }
}

#[cfg(test)]
mod tests;
