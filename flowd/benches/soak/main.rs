//! The long run: the real binary on a gateway with all kinds of traffic at once, while its configuration, its log files
//! and one of its interfaces change all the time. As root:
//! `cargo bench --profile measure -p flowd --bench soak -- --seconds 1800`.
//!
//! What it found is JSON on standard output. What must hold and does not is in `failures`, and the exit status is 1 then:
//! in the end every packet is accounted for, nothing has grown, and nothing is left behind. `cargo xtask soak` calls this.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is what it is for")]
#![allow(unreachable_pub, reason = "modules of the tests are modules here")]
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "shared with tests, and like them: what cannot be done ends the run"
)]

mod accounts;
mod configuration;
mod growth;
mod left;
mod load;
mod logs;
mod sample;
#[path = "../system/sender.rs"]
mod sender;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../system/sys.rs"]
mod sys;
mod uplink;
mod web;

use std::{
    env,
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use configuration::Configuration;
use sample::Sample;
use serde_json::{Value, json};
use support::{
    daemon::Daemon,
    namespace::since,
    nginx::Nginx,
    router::{LAN, Router, WAN},
};

/// Interfaces that stay, so that the kernel's counters tell of the whole time.
const STAY: [&str; 2] = [LAN, WAN];
/// Everything that is watched, whatever it is called meanwhile.
const PATTERN: &str = "gw*";
/// The end within this is part of what flowd promises.
const END_WITHIN: Duration = Duration::from_secs(2);

/// How often what happens, so that a short run has a little of all.
#[derive(Clone, Copy)]
struct Pace {
    length: Duration,
    beat: Duration,
}

impl Pace {
    fn new(length: Duration) -> Self {
        let beat = (length / 30).clamp(Duration::from_millis(1_300), Duration::from_secs(10));
        Self { length, beat }
    }
}

/// What traffic and turns came to.
#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    requests: AtomicU64,
    lookups: AtomicU64,
    /// Packets of flows of their own.
    singles: AtomicU64,
    deleted: AtomicU64,
    down: AtomicU64,
    renamed: AtomicU64,
}

impl Tally {
    fn over(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Sleeps unless it is over; false where it is.
    fn sleep(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        while !self.over() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            sleep(left.min(Duration::from_millis(50)));
        }
        false
    }
}

/// Ends the traffic, also where the run breaks off.
struct Stop<'a>(&'a Tally);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Relaxed);
    }
}

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let seconds = arguments.iter().position(|argument| argument == "--seconds");
    let seconds = seconds.and_then(|at| arguments.get(at + 1)?.parse().ok());
    let seconds = seconds.context("--seconds NUMBER is missing: how long the traffic lasts")?;
    // SAFETY: no arguments.
    ensure!(unsafe { libc::geteuid() } == 0, "this needs root: it makes network namespaces");
    let report = run(Pace::new(Duration::from_secs(seconds)));
    println!("{report}");
    let failed = report["failures"].as_array().is_some_and(|failures| !failures.is_empty());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn run(pace: Pace) -> Value {
    let router = Router::new(true);
    uplink::make(&router);
    let nginx = Nginx::start(&router.server);
    let before = STAY.map(|device| router.gateway.quiet(device));
    let mut configuration = Configuration::new();
    let mut daemon = Daemon::start(&router.gateway, &[PATTERN], &configuration.text());
    daemon.drained();
    let rest = sample::open(&daemon);

    let tally = Tally::default();
    let samples = scope(|scope| {
        let _stop = Stop(&tally);
        load::start(scope, &router, &tally, pace);
        watch(&mut daemon, &mut configuration, pace)
    });
    drop(nginx);

    // What is under way passes, and the table is read after it.
    let kernel = [0, 1].map(|at| since(router.gateway.quiet(STAY[at]), before[at]));
    configuration.settle(&mut daemon);
    sleep(Duration::from_millis(1_500));
    let mut failures = Vec::new();
    let after = sample::rest(&daemon, &rest);
    if after != rest {
        failures.push(format!("open at rest: {rest:?} before the traffic, {after:?} after it"));
    }
    let accounts = accounts::read(&daemon, &kernel);
    let metrics = daemon.get("/metrics");
    let counted = |family: &str| support::daemon::sum(&metrics, family, &[]);
    let events = json!({
        "reloads": configuration.reloads(),
        "deleted": tally.deleted.load(Relaxed),
        "down": tally.down.load(Relaxed),
        "renamed": tally.renamed.load(Relaxed),
        "single_packet_flows": tally.singles.load(Relaxed),
        "requests": tally.requests.load(Relaxed),
        "lookups": tally.lookups.load(Relaxed),
        "flows_ended": counted("flowd_flows_ended_total"),
        "table_full": counted("flowd_flows_lost_total"),
        "copies_lost": counted("flowd_events_lost_total"),
        "lines_dropped": counted("flowd_export_dropped_total"),
    });
    if counted("flowd_export_dropped_total") > 0.0 {
        failures.push("lines were dropped: the flow log is not whole".to_owned());
    }
    if counted("flowd_flows_lost_total") == 0.0 {
        failures.push("the table did not overflow: the run shows less than it should".to_owned());
    }

    let ended = daemon.end(libc::SIGTERM);
    if ended.code != Some(0) || ended.took > END_WITHIN {
        failures.push(format!("SIGTERM: status {:?} after {:?}: {}", ended.code, ended.took, ended.stderr));
    }
    let logged = configuration.end();
    failures.extend(accounts::judge(&accounts, &logged.flows));
    failures.extend(left::behind(&router.gateway));
    let growth = growth::judge(&samples, pace.length, &mut failures);
    failures.extend(ended.stderr.lines().filter(|line| line.contains("ERROR")).map(str::to_owned));
    json!({
        "seconds": pace.length.as_secs(),
        "cpus": std::thread::available_parallelism().map_or(0, usize::from),
        "kernel": std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        "events": events,
        "http_lines": logged.exchanges,
        "flow_lines": logged.lines,
        "accounts": accounts,
        "growth": growth,
        "rest": rest,
        "end_seconds": ended.took.as_secs_f64(),
        // Enough for a curve.
        "samples": samples.iter().step_by(samples.len().div_ceil(60).max(1)).collect::<Vec<_>>(),
        "failures": failures,
    })
}

/// Asks, reloads and takes samples until the time is over.
fn watch(daemon: &mut Daemon<'_>, configuration: &mut Configuration, pace: Pace) -> Vec<Sample> {
    let start = Instant::now();
    let mut samples: Vec<Sample> = Vec::new();
    let mut scrape = start;
    while start.elapsed() < pace.length {
        let metrics = daemon.get("/metrics");
        // As large answers as there are.
        let [flows, http] = ["/api/v1/flows", "/api/v1/http"].map(|path| daemon.get(path));
        assert!(flows.starts_with('{') && http.starts_with('{'), "{flows} {http}");
        let due = |done: usize, every: Duration| start.elapsed() >= every * (done as u32 + 1);
        if due(samples.len(), pace.beat) {
            let sample = Sample::take(daemon, &metrics, start.elapsed(), samples.last());
            eprintln!("{sample}");
            samples.push(sample);
        }
        configuration.collect(daemon);
        if due(configuration.reloads(), pace.beat * 2) {
            configuration.turn(daemon);
        }
        scrape += Duration::from_secs(1);
        sleep(scrape.saturating_duration_since(Instant::now()));
    }
    configuration.wait(daemon);
    samples
}
