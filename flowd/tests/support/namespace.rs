//! A network namespace with a name of its own.

use std::{
    fs::{self, File},
    os::fd::AsRawFd as _,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread::{scope, sleep},
    time::Duration,
};

use super::process::{attempt, run};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// What the kernel counted at a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub bytes: u64,
    pub packets: u64,
}

/// Both directions: received, sent.
pub type Counters = [Counts; 2];

/// What came in addition.
pub fn since(now: Counters, before: Counters) -> Counters {
    [0, 1].map(|at| Counts {
        bytes: now[at].bytes - before[at].bytes,
        packets: now[at].packets - before[at].packets,
    })
}

/// Kept from sending anything by itself as far as possible, so that counters can be read while it is quiet.
const QUIET: [(&str, &str); 3] = [
    ("ipv6/conf/default/router_solicitations", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/default/mldv2_unsolicited_report_interval", "10"),
];

pub struct Namespace {
    pub name: String,
}

impl Namespace {
    pub fn new(label: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let namespace = Self { name: format!("flowd-{}-{number}-{label}", std::process::id()) };
        run(Command::new("ip").args(["netns", "add", &namespace.name]));
        for (key, value) in QUIET {
            namespace.sysctl(key, value);
        }
        namespace.ip("link set lo up");
        namespace
    }

    /// Sets a kernel parameter below net.
    pub fn sysctl(&self, key: &str, value: &str) {
        let path = format!("/proc/sys/net/{key}");
        self.enter(|| fs::write(&path, value).unwrap_or_else(|error| panic!("{path}: {error}")));
    }

    /// `ip` with these words in here.
    pub fn ip(&self, words: &str) -> String {
        run(Command::new("ip").args(["-n", &self.name]).args(words.split_whitespace()))
    }

    /// `tc` with these words in here.
    pub fn tc(&self, words: &str) -> String {
        run(Command::new("tc").args(["-n", &self.name]).args(words.split_whitespace()))
    }

    /// A program in here.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// A program with its arguments, run to its end in here.
    pub fn run(&self, words: &str) -> String {
        let mut words = words.split_whitespace();
        run(self.command(words.next().unwrap()).args(words))
    }

    /// Does `work` in here; sockets that it makes stay in here.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.name)).unwrap();
        scope(|scope| {
            let thread = scope.spawn(|| {
                // SAFETY: no pointers. It moves this thread alone, which ends with the work.
                let moved = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
                assert_eq!(moved, 0, "setns: {}", std::io::Error::last_os_error());
                work()
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// A veth pair from `device` in here to `peer` over there.
    pub fn veth(&self, device: &str, there: &Self, peer: &str) {
        self.ip(&format!("link add {device} type veth peer name {peer} netns {}", there.name));
    }

    /// Gives a device addresses and takes it up.
    pub fn up(&self, device: &str, addresses: &[&str]) {
        for address in addresses {
            // Without nodad an IPv6 address cannot be used for the first second.
            let nodad = if address.contains(':') { " nodad" } else { "" };
            self.ip(&format!("address add {address} dev {device}{nodad}"));
        }
        for family in ["ipv4", "ipv6"] {
            // Neighbours once found are not asked again while a test runs.
            self.sysctl(&format!("{family}/neigh/{device}/delay_first_probe_time"), "600");
        }
        self.ip(&format!("link set {device} up"));
    }

    /// Switches features of a device: `tso off gso off`.
    pub fn ethtool(&self, device: &str, features: &str) {
        self.run(&format!("ethtool -K {device} {features}"));
    }

    /// The kernel's counters of a device.
    pub fn counters(&self, device: &str) -> Counters {
        let shown = self.ip(&format!("-j -s link show dev {device}"));
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        let number = |side: &str, what: &str| shown[0]["stats64"][side][what].as_u64().unwrap();
        ["rx", "tx"].map(|side| Counts { bytes: number(side, "bytes"), packets: number(side, "packets") })
    }

    /// A counter of the namespace's own kernel part, as nstat shows it: `Tcp RetransSegs`.
    pub fn snmp(&self, group: &str, name: &str) -> u64 {
        // /proc/net would be that of this process, not of the thread that moved.
        let text = self.enter(|| fs::read_to_string("/proc/thread-self/net/snmp").unwrap());
        let mut lines = text.lines().filter(|line| line.starts_with(&format!("{group}:")));
        let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
        let at = names.split(' ').position(|known| known == name).unwrap();
        values.split(' ').nth(at).unwrap().parse().unwrap()
    }

    /// Waits until nothing passes the device any more; gives its counters.
    pub fn quiet(&self, device: &str) -> Counters {
        let mut before = self.counters(device);
        super::until("quiet", 30, || {
            sleep(Duration::from_millis(400));
            let now = self.counters(device);
            let quiet = now == before;
            before = now;
            quiet.then_some(now)
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A namespace lives on while any process is in it.
        let pids = attempt(Command::new("ip").args(["netns", "pids", &self.name]));
        for pid in String::from_utf8_lossy(&pids.stdout).lines() {
            attempt(Command::new("kill").args(["-KILL", pid]));
        }
        attempt(Command::new("ip").args(["netns", "del", &self.name]));
    }
}
