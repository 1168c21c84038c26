//! `flowd run`: configuration, interfaces, kernel, tasks, signals, and an ordered end.

mod follow;
mod govern;
mod lookups;
mod pump;
mod reload;
mod source;

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use flow_common::{key::FlowKey, names, settings::Settings};
use follow::Follow;
use govern::Governed;
use lookups::Lookups;
use pump::Pump;
use reload::Reload;
use source::Source;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
};
use tracing::{info, warn};

use crate::{
    aggregate::{Capacity, CapacityOptions, HttpNumbers, Ledger, LedgerOptions, Policy, Watched},
    clock::{self, WallClock},
    config::{Config, ConfigError, Hook, LogFormat, Order, Outputs, XdpMode},
    export::{
        feed::Feed,
        log::{self, Format, LogSink, Outlets, Rotation},
        prometheus::Board,
    },
    interfaces::{self, Interface},
    kernel::{self, FrameMode, Frames, LoadOptions},
    privileges::{self, Role, Sandbox},
    protocol::http::{HttpExchange, HttpTracker},
    telemetry::{SinkCounters, Telemetry},
    web::{self, Guard, State},
};

/// How long clients have to take their answers at the end. Together with the time after which a log is given up
/// it makes the two seconds within which the daemon ends, whatever others do.
const PATIENCE: Duration = Duration::from_millis(500);

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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(|| privileges::give_up(Role::Web))
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let load = |options: &LoadOptions| {
        let source = source::load(options)?;
        sandbox.settle();
        Ok(source)
    };
    runtime.block_on(daemon(config, again, load))
}

/// The daemon over any source of packets.
async fn daemon(
    config: &Config,
    again: Again,
    load: impl FnOnce(&LoadOptions) -> Result<Box<dyn Source>>,
) -> Result<()> {
    // All that can fail without privileges comes first, so that nothing is attached in vain.
    let chosen = interfaces::choose(&interfaces::list()?, &config.interfaces)?;
    let mut signals = Signals::new()?;
    let mut sinks = Vec::new();
    let mut outlets = Outlets::new(Rotation { max_size: config.log_max_size.0, keep: config.log_keep });
    let mut logs = Logs { config, outlets: &mut outlets, sinks: &mut sinks };
    let http_log = logs.open(&config.http_log, "http_log", http_format(config.http_log_format))?;
    let flow_log = logs.open(&config.flow_log, "flow_log", log::json)?;
    let dns_log = logs.open(&config.dns.log, "dns_log", log::json)?;
    let tls_log = logs.open(&config.tls.log, "tls_log", log::json)?;
    let reopen = outlets.reopener();
    let streamed = SinkCounters::new("http_stream");
    sinks.push(Arc::clone(&streamed));
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

    let telemetry = Arc::new(Telemetry::new(sinks));
    let policy = Arc::new(Policy::new(config));
    config.zones.notes().iter().for_each(|note| info!("{note}"));
    let options = LedgerOptions {
        conversations: config.flows as usize,
        active_timeout: flow_log.is_some().then(|| config.timeouts.active.nanos()),
    };
    let baseline = |watched: Watched| {
        let before = follow::statistics(&watched.name, watched.ifindex);
        (watched, before)
    };
    let watched = watched.into_iter().map(baseline).collect();
    let ledger = Ledger::new(options, Arc::clone(&policy), watched, clock);
    let live = Arc::clone(ledger.live());
    let http = HttpNumbers::new(policy);
    let (numbers, shown) = (ledger.numbers().published(), http.published());
    let board = Arc::new(Board::new(numbers, shown, Arc::clone(&telemetry)));
    let state =
        State { board: Arc::clone(&board), live, telemetry: Arc::clone(&telemetry), http: Arc::clone(&feed) };
    let tracker = HttpTracker::new(config.http_options());
    let lookups = Lookups::new(config.head_bytes, dns_log, tls_log);
    let pump = Pump::new(
        source,
        ledger,
        http,
        tracker,
        lookups,
        board,
        Arc::clone(&telemetry),
        Arc::clone(&feed),
        http_log,
        flow_log,
        clock,
        capacity,
        follow,
    )
    .governed(Governed::new(config.governor.cpu));

    let (settings, new_settings) = mpsc::channel();
    let (done, mut ended) = oneshot::channel();
    let (interval, event_interval) = (config.interval.0, config.event_interval.0);
    thread::Builder::new()
        .name("pump".to_owned())
        .spawn(move || done.send(pump.run(interval, event_interval, &new_settings)))
        .context("cannot start the thread that reads the flow table")?;
    telemetry.set_ready(true);
    let scheme = if config.web.tls() { "https" } else { "http" };
    guard.warn(config.listen);
    info!("metrics at {scheme}://{}/metrics", config.listen);

    let (close, closed) = oneshot::channel::<()>();
    let mut server = tokio::spawn(web::serve(listener, state, guard.clone(), async {
        // Closed from either end, it is time.
        let _ = closed.await;
    }));
    let mut reload = Reload { config: config.clone(), again, settings };
    let hang_up = || {
        reopen.reopen();
        guard.reload(&config.web);
        reload.reload();
    };
    let end = signals.wait(hang_up, &mut ended, &mut server).await;
    telemetry.set_ready(false);
    // Without a sender of settings the pump comes to its end.
    drop(reload);
    let served = !matches!(end, End::Server);
    let result = match end {
        End::Pump(result) => result,
        End::Signal | End::Server => pump_ended(ended.await),
    };
    // All lines are out: streams end, so that they do not hold up the end.
    feed.close();
    drop(close);
    if !served {
        return result.and(Err(anyhow!("the web server died; see the lines above")));
    }
    // Scrapes under way get their answer; connections kept open do not hold up the end.
    if tokio::time::timeout(PATIENCE, server).await.is_err() {
        warn!("a client keeps its connection open; ending without it");
    }
    result
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
    let Config { capacity: options, interval, .. } = config;
    let mut capacity = Capacity::new(CapacityOptions {
        hold: options.hold(*interval),
        burst_share: options.burst_share.0,
        replay: false,
    });
    capacity.begin(began);
    for interface in watched {
        for direction in interface.directions() {
            capacity.watch(interface.slot, *direction, interface.speed);
        }
    }
    options.windows.then_some(capacity)
}

/// What logs are opened from.
struct Logs<'a> {
    config: &'a Config,
    outlets: &'a mut Outlets,
    sinks: &'a mut Vec<Arc<SinkCounters>>,
}

impl Logs<'_> {
    /// A log with counters of its own, if it goes anywhere.
    fn open<T: Send + Sync + 'static>(
        &mut self,
        outputs: &Outputs,
        name: &'static str,
        format: Format<T>,
    ) -> Result<Option<LogSink<T>>> {
        if outputs.paths().is_empty() {
            return Ok(None);
        }
        let counters = SinkCounters::new(name);
        self.sinks.push(Arc::clone(&counters));
        let queue = self.config.log_queue as usize;
        Ok(Some(LogSink::open(self.outlets, outputs.paths(), format, queue, counters)?))
    }
}

const fn http_format(format: LogFormat) -> Format<HttpExchange> {
    match format {
        LogFormat::Json => log::json,
        LogFormat::Common => log::access::common,
        LogFormat::Combined => log::access::combined,
    }
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

/// Why the daemon comes to its end.
enum End {
    Signal,
    /// The pump came to its end by itself, so.
    Pump(Result<()>),
    /// The web server did.
    Server,
}

struct Signals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let open = |kind| signal(kind).context("cannot handle signals");
        Ok(Self {
            term: open(SignalKind::terminate())?,
            int: open(SignalKind::interrupt())?,
            hup: open(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal to end, or for a part of the daemon that ends without one.
    async fn wait(
        &mut self,
        mut hang_up: impl FnMut(),
        ended: &mut oneshot::Receiver<Result<()>>,
        server: &mut JoinHandle<()>,
    ) -> End {
        loop {
            tokio::select! {
                _ = self.term.recv() => return End::Signal,
                _ = self.int.recv() => return End::Signal,
                _ = self.hup.recv() => hang_up(),
                result = &mut *ended => return End::Pump(pump_ended(result)),
                _ = &mut *server => return End::Server,
            }
        }
    }
}

/// Without a result it has panicked.
fn pump_ended(result: Result<Result<()>, oneshot::error::RecvError>) -> Result<()> {
    result.unwrap_or_else(|_| Err(anyhow!("the thread that reads the flow table died; see the lines above")))
}

#[cfg(test)]
mod tests;
