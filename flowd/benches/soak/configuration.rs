//! Two configurations in turn, by SIGHUP, each with log files of its own.

use std::{
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{
    logs::{self, Logged},
    support::{daemon::Daemon, user},
};

/// For the whole time.
const FIXED: &str = "flows = 16384\nlog_queue = 65536\nlog_keep = 100\n";
const TABLES: &str = "[timeouts]\nudp = \"2s\"\ntcp_half_open = \"3s\"\ntcp_closed = \"1s\"\nactive = \"10s\"\n[dns]\nenabled = true\n";
/// What is logged, by the first part of its files' names.
const LOGS: [&str; 2] = ["flow", "http"];

struct Variant {
    name: &'static str,
    /// Before and behind the first table.
    keys: &'static str,
    tables: &'static str,
}

const VARIANTS: [Variant; 2] = [
    Variant {
        name: "first",
        keys: "interval = \"1s\"\nlog_max_size = \"4MiB\"\nquery = \"drop\"\n",
        tables: "[zones]\nhome = [\"private\"]\nlab = [\"192.0.2.0/24\"]\n[series]\nlimit = 500\nports = [53]\n",
    },
    Variant {
        name: "second",
        keys: "interval = \"500ms\"\nlog_max_size = \"16MiB\"\nquery = \"keys\"\n",
        tables: "[zones]\nhome = [\"private\", \"left\"]\nleft = [\"192.0.2.0/24\"]\nchurn = [\"10.0.0.0/9\"]\n[series]\nlimit = 60\n[http]\ntemplate_paths = true\n[capacity]\nhold = \"10s\"\n",
    },
];

pub struct Configuration {
    folder: TempDir,
    reloads: usize,
    /// The files of the other one are to be collected.
    turning: bool,
    logged: Logged,
}

impl Configuration {
    pub fn new() -> Self {
        Self { folder: user::folder(), reloads: 0, turning: false, logged: Logged::default() }
    }

    fn name(&self) -> &'static str {
        VARIANTS[self.reloads % 2].name
    }

    /// The one of this turn.
    pub fn text(&self) -> String {
        let variant = &VARIANTS[self.reloads % 2];
        let logs = LOGS.map(|kind| format!("{kind}_log = {:?}\n", self.file(kind, variant.name)));
        let Variant { keys, tables, .. } = variant;
        format!("{}{FIXED}{keys}{TABLES}{tables}", logs.concat())
    }

    fn file(&self, kind: &str, variant: &str) -> String {
        self.folder.path().join(format!("{kind}-{variant}.log")).to_str().unwrap().to_owned()
    }

    /// Reloads so far.
    pub const fn reloads(&self) -> usize {
        self.reloads
    }

    /// Has the daemon take over the other one, unless it still has to take over this one.
    pub fn turn(&mut self, daemon: &mut Daemon<'_>) {
        if !self.turning {
            self.reloads += 1;
            self.turning = true;
            daemon.configure(&self.text());
        }
    }

    /// Adds up and removes the files that the last reload has ended, once they are complete.
    pub fn collect(&mut self, daemon: &Daemon<'_>) {
        let said = daemon.stderr();
        assert!(!said.contains("not taken over"), "{said}");
        if !self.turning || said.matches("configuration read again").count() < self.reloads {
            return;
        }
        let other = VARIANTS[(self.reloads + 1) % 2].name;
        if LOGS.iter().all(|kind| !logs::is_open(daemon.id(), Path::new(&self.file(kind, other)))) {
            self.logged.take(self.folder.path(), |name| name.contains(other));
            self.turning = false;
        }
    }

    /// Waits until the last reload is done and what it ended is collected.
    pub fn wait(&mut self, daemon: &Daemon<'_>) {
        let limit = Instant::now() + Duration::from_secs(10);
        while self.turning {
            assert!(Instant::now() < limit, "the last reload takes more than 10 s: {}", daemon.stderr());
            self.collect(daemon);
            sleep(Duration::from_millis(10));
        }
    }

    /// Back to the first one.
    pub fn settle(&mut self, daemon: &mut Daemon<'_>) {
        if self.name() != VARIANTS[0].name {
            self.turn(daemon);
        }
        self.wait(daemon);
    }

    /// All that was logged, when the daemon has ended.
    pub fn end(mut self) -> Logged {
        self.logged.take(self.folder.path(), |_| true);
        self.logged
    }
}
