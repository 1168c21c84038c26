//! How much memory flowd takes at most: the one formula, which `flowd check`, the start and the README go by.
//!
//! Whatever strangers can fill has a bound of its own; the formula is their sum. It leaves out what nobody outside can
//! make grow: the series, whose number the configuration limits, and what the C library needs.

use std::{fs, path::Path, thread};

use crate::{
    config::{Config, ProtocolTable},
    kernel::{self, EVENT_PARTS},
    protocol::{PROTOCOLS, conversation::HELD},
    sinks::BACKLOG,
    web,
};

/// The daemon without a flow, and the window through which it reads the kernel's records.
pub const IDLE: u64 = 14 << 20;
pub const WINDOW: u64 = 6_553_600;
/// Per slot of the table: the mark of its last visit.
pub const MARK: u64 = 8;
/// Per live flow, and so much more for an index that doubles once more while flows come and go in a full table.
pub const FLOW: u64 = 600;
pub const INDEX: u64 = 180;
/// The same with a flow log: where its last line ended, and what is known of its ends.
pub const LOGGED: u64 = 500;
/// A record that waits for its sink, or is kept for the API.
pub const RECORD: u64 = 1 << 10;
/// What comes of one part of the buffer for copies, by the bytes of that part.
const FOUND: u64 = 6;

/// Bytes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Of the kernel.
    pub tables: u64,
    /// Of the daemon itself.
    pub daemon: u64,
}

impl Memory {
    /// What a daemon of this configuration takes when every bound is reached at once.
    #[must_use]
    pub fn most(config: &Config) -> Self {
        let cpus = thread::available_parallelism().map_or(1, Into::into);
        let flows = u64::from(config.flows);
        let logged = if config.wants("flow") { LOGGED } else { 0 };
        let copies = config.event_buffer.0 / EVENT_PARTS as u64 * FOUND;
        Self {
            tables: kernel::map_bytes(config.flows, config.event_buffer.0, cpus),
            daemon: IDLE
                + WINDOW
                + flows * (MARK + FLOW + INDEX + logged)
                + open(config)
                + copies
                + waiting(config)
                + web::ANSWERS as u64,
        }
    }

    /// Of both.
    #[must_use]
    pub const fn all(self) -> u64 {
        self.tables + self.daemon
    }
}

/// What the protocols that are followed hold of requests, queries and handshakes under way.
fn open(config: &Config) -> u64 {
    let follows = |protocol: &&ProtocolTable| config.follows(protocol);
    let followed = config.protocols.iter().filter(follows).map(ProtocolTable::app);
    let held = |app| PROTOCOLS.iter().find(|registered| registered.app == app).map_or(0, |known| known.held);
    let (trackers, dialects): (Vec<_>, Vec<_>) = followed.partition(|app| held(*app) > 0);
    let conversations = if dialects.is_empty() { 0 } else { HELD as u64 };
    trackers.into_iter().map(|app| held(app) as u64).sum::<u64>() + conversations
}

/// Records that wait for sinks, and those kept for the API.
fn waiting(config: &Config) -> u64 {
    // A configuration that cannot be used never runs.
    let sinks = config.sinks("").unwrap_or_default();
    let records = sinks.iter().map(|sink| {
        let bursts = if sink.wants("flow") { BACKLOG } else { 0 };
        (sink.queue * (1 + bursts)) as u64
    });
    let kept = u64::from(config.api.http_lines) + u64::from(config.api.request_lines);
    (records.sum::<u64>() + kept) * RECORD
}

/// A limit below what flowd may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub detail: String,
    pub remedy: String,
}

/// Compares what flowd may take with what its cgroups allow.
///
/// # Errors
/// They allow less.
pub fn shortage(config: &Config) -> Result<String, Shortage> {
    let limit = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|groups| narrowest(&groups, Path::new("/sys/fs/cgroup")));
    within(config, limit)
}

fn within(config: &Config, limit: Option<(String, u64)>) -> Result<String, Shortage> {
    let needed = Memory::most(config);
    let takes = format!(
        "with flows = {} flowd takes up to {} MiB, {} of them for its tables",
        config.flows,
        needed.all() >> 20,
        needed.tables >> 20
    );
    let Some((path, limit)) = limit else { return Ok(format!("{takes}; no cgroup limits it")) };
    let detail = format!("{takes}; {path} allows {} MiB", limit >> 20);
    if needed.all() <= limit {
        return Ok(detail);
    }
    let raise = "raise the limit (MemoryMax= of the unit, resources.limits.memory of the chart)";
    let remedy = match most_flows(config, limit) {
        Some(flows) => format!("{raise}, or set flows = {flows}"),
        None => format!("{raise}: fewer flows are not enough"),
    };
    Err(Shortage { detail, remedy })
}

/// The largest table for which the limit is enough, in thousands.
fn most_flows(config: &Config, limit: u64) -> Option<u32> {
    const STEP: u32 = 1_024;
    let fits = |steps: u32| Memory::most(&Config { flows: steps * STEP, ..config.clone() }).all() <= limit;
    let (mut low, mut high) = (0, config.flows / STEP + 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low > 0).then_some(low * STEP)
}

/// The narrowest limit of a process's cgroup and those above it, by the content of its /proc/PID/cgroup and where cgroups
/// are mounted: `0::PATH` names the group of version 2,
/// `N:CONTROLLERS:PATH` one of version 1 (cgroups(7)). In a container the path may be the host's, and then only what is
/// mounted tells of a limit.
fn narrowest(groups: &str, mounted: &Path) -> Option<(String, u64)> {
    /// What version 1 says where there is no limit: the largest number of whole pages, or about that.
    const NONE: u64 = 1 << 62;
    let all = groups.lines().flat_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let roots = if controllers.is_empty() {
            vec![(mounted.to_owned(), "memory.max")]
        } else if controllers.split(',').any(|controller| controller == "memory") {
            vec![(mounted.join("memory"), "memory.limit_in_bytes")]
        } else {
            Vec::new()
        };
        roots.into_iter().flat_map(|(root, file)| {
            let group = root.join(path.trim_start_matches('/'));
            let above: Vec<_> = group.ancestors().take_while(|group| group.starts_with(&root)).collect();
            above.into_iter().map(|group| group.join(file)).collect::<Vec<_>>()
        })
    });
    let limits = all.filter_map(|path| {
        let limit = fs::read_to_string(&path).ok()?.trim().parse().ok()?;
        Some((path.display().to_string(), limit))
    });
    limits.filter(|(_, limit)| *limit < NONE).min_by_key(|(_, limit)| *limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_both_versions_of_cgroups_are_known() {
        let mounted = tempfile::tempdir().unwrap();
        let file = |path: &str, text: &str| {
            let path = mounted.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let limit = |groups: &str| narrowest(groups, mounted.path());
        assert_eq!(limit("0::/a/b\n"), None);
        file("a/memory.max", "2000\n");
        file("a/b/memory.max", "max\n");
        let (path, bytes) = limit("0::/a/b\n").unwrap();
        assert!(path.ends_with("/a/memory.max") && bytes == 2_000, "{path}");

        // Version 1, with a controller that shares its hierarchy, and without a limit.
        file("memory/docker/memory.limit_in_bytes", "9223372036854771712\n");
        let first = "12:pids:/x\n9:hugetlb,memory:/docker/1\n1:name=systemd:/y\n";
        assert_eq!(limit(first), None);
        file("memory/docker/1/memory.limit_in_bytes", "1000\n");
        let (path, bytes) = limit(first).unwrap();
        assert!(path.ends_with("/memory/docker/1/memory.limit_in_bytes") && bytes == 1_000, "{path}");
        assert_eq!(limit(&format!("{first}0::/a/b\n")).unwrap().1, 1_000, "both at once");
        // A path of the host's, where only the container's own group is mounted.
        file("memory/memory.limit_in_bytes", "500\n");
        assert_eq!(limit("9:memory:/kubepods/pod1/1\n").unwrap().1, 500);
        for broken in ["", "9", "9:memory", "::", "x:y:z"] {
            let _ = limit(broken);
        }
    }

    #[test]
    fn a_limit_that_is_too_low_is_told_with_the_table_that_fits() {
        let config = Config::default();
        let limit = |bytes| Some(("/x/memory.max".to_owned(), bytes));
        assert!(within(&config, None).unwrap().ends_with("no cgroup limits it"));
        let all = Memory::most(&config).all();
        assert!(within(&config, limit(all)).is_ok());
        let shortage = within(&config, limit(all - 1)).unwrap_err();
        assert!(shortage.detail.contains("flows = 262144") && shortage.detail.contains("/x/memory.max"));
        let fits: u32 = shortage.remedy.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((200_000..262_144).contains(&fits), "{shortage:?}");
        assert!(within(&Config { flows: fits, ..config.clone() }, limit(all - 1)).is_ok());
        let shortage = within(&config, limit(64 << 20)).unwrap_err();
        assert!(shortage.remedy.ends_with("fewer flows are not enough"), "{shortage:?}");
    }

    /// As the README states it.
    #[test]
    fn the_defaults_take_what_the_readme_says() {
        let Memory { daemon, .. } = Memory::most(&Config::default());
        let readme = include_str!("../../README.md");
        let said = format!("{} MiB of the daemon's own", daemon.div_ceil(1 << 20));
        assert!(readme.contains(&said), "the README must say: {said}");
        let mut parts = vec![format!("{} × flows", MARK), format!("{FLOW} × live flows")];
        parts.push(format!("with a flow log {LOGGED} more"));
        parts.push(format!("{INDEX} more, for an index"));
        parts.push(format!("{} MiB for the conversations", HELD >> 20));
        for protocol in PROTOCOLS.iter().filter(|protocol| protocol.held > 0) {
            parts.push(format!("{} {} MiB", protocol.app.name().to_uppercase(), protocol.held >> 20));
        }
        for part in parts {
            assert!(readme.contains(&part), "the README must say: {part}");
        }
    }
}
