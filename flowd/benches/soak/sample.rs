//! The daemon's state at one moment.

use std::{
    collections::BTreeMap,
    fmt, fs,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::support::daemon::{Daemon, sum};

/// Counters of what is lost, left out or gone wrong.
const DROPS: [&str; 12] = [
    "flowd_packets_skipped_total",
    "flowd_flows_lost_total",
    "flowd_events_lost_total",
    "flowd_events_skipped_total",
    "flowd_export_dropped_total",
    "flowd_export_errors_total",
    "flowd_http_messages_dropped_total",
    "flowd_dns_dropped_total",
    "flowd_tls_dropped_total",
    "flowd_label_overflows_total",
    "flowd_interface_windows_missed_total",
    "flowd_accounting_defects_total",
];

/// Open descriptors by kind, and threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Open {
    pub files: usize,
    pub sockets: usize,
    pub maps: usize,
    pub programs: usize,
    pub links: usize,
    pub threads: usize,
}

#[derive(Debug, Default, Serialize)]
pub struct Sample {
    pub second: f64,
    pub resident_bytes: u64,
    pub anonymous_bytes: u64,
    pub open: Open,
    pub flows_active: f64,
    pub slots: f64,
    /// Mean of the readings since the sample before.
    pub drain_seconds: f64,
    /// Since the last reading.
    pub drain_age_seconds: f64,
    pub drops: BTreeMap<String, f64>,
    /// Sum and count of their durations.
    #[serde(skip)]
    pub drains: [f64; 2],
}

impl Sample {
    pub fn take(daemon: &Daemon<'_>, metrics: &str, at: Duration, before: Option<&Self>) -> Self {
        let value = |family: &str| sum(metrics, family, &[]);
        let drains = ["sum", "count"].map(|part| value(&format!("flowd_drain_duration_seconds_{part}")));
        let [spent, count] = [0, 1].map(|at| drains[at] - before.map_or(0.0, |before| before.drains[at]));
        Self {
            second: at.as_secs_f64(),
            resident_bytes: daemon.memory("VmRSS"),
            anonymous_bytes: daemon.memory("RssAnon"),
            open: open(daemon),
            flows_active: value("flowd_flows_active"),
            slots: value("flowd_map_entries"),
            drain_seconds: if count > 0.0 { spent / count } else { 0.0 },
            drain_age_seconds: daemon.age(),
            drops: DROPS.iter().map(|family| ((*family).to_owned(), value(family))).collect(),
            drains,
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            text,
            "{:6.0} s  RssAnon {:6.2} MiB  {:6} flows  {:6} slots  drain {:5.2} ms, {:4.2} s ago  {:?}",
            self.second,
            self.anonymous_bytes as f64 / f64::from(1 << 20),
            self.flows_active,
            self.slots,
            self.drain_seconds * 1e3,
            self.drain_age_seconds,
            self.open
        )
    }
}

/// What is open now.
pub fn open(daemon: &Daemon<'_>) -> Open {
    let process = format!("/proc/{}", daemon.id());
    let mut open =
        Open { threads: fs::read_dir(format!("{process}/task")).unwrap().count(), ..Open::default() };
    for entry in fs::read_dir(format!("{process}/fd")).unwrap().flatten() {
        // Closed meanwhile.
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let target = target.to_string_lossy();
        let kind = match &*target {
            "anon_inode:bpf-map" => &mut open.maps,
            "anon_inode:bpf-prog" => &mut open.programs,
            "anon_inode:bpf_link" => &mut open.links,
            socket if socket.starts_with("socket:") => &mut open.sockets,
            _ => &mut open.files,
        };
        *kind += 1;
    }
    open
}

/// What is open when nothing passes and nobody asks: `expected`, or else what it is after a while. Threads that wait for
/// work go after 10 s.
pub fn rest(daemon: &Daemon<'_>, expected: &Open) -> Open {
    let limit = Instant::now() + Duration::from_secs(15);
    loop {
        let now = open(daemon);
        if now == *expected || Instant::now() > limit {
            return now;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
