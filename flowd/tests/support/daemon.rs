//! The real flowd in a namespace.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    namespace::{Counters, Counts, Namespace},
    process::Process,
    until, user,
};

const LISTEN: &str = "127.0.0.1:9435";

/// What a test that looks at DNS and TLS appends.
pub const LOOKUPS: &str = "[dns]\nlog = \"DNS\"\n[tls]\nlog = \"TLS\"\n";

pub struct Daemon<'a> {
    namespace: &'a Namespace,
    process: Process,
    _said: Said,
    folder: TempDir,
}

/// Its log, which is shown where the test fails.
struct Said(PathBuf);

impl Drop for Said {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("flowd said: {}", fs::read_to_string(&self.0).unwrap_or_default());
        }
    }
}

/// What a daemon left when it had ended.
pub struct Ended {
    pub code: Option<i32>,
    pub took: Duration,
    pub http: Vec<Value>,
    pub flows: Vec<Value>,
    pub dns: Vec<Value>,
    pub tls: Vec<Value>,
    /// Of all protocols whose log is `"REQUESTS"`.
    pub requests: Vec<Value>,
    pub stderr: String,
}

/// One direction of one interface, as `/api/v1/interfaces` shows it.
pub struct Passage(pub Value);

impl Passage {
    fn sum(&self, of: &str, what: &str) -> u64 {
        self.0[of].as_object().unwrap().values().map(|tally| tally[what].as_u64().unwrap()).sum()
    }

    /// As on the wire.
    pub fn wire(&self) -> Counts {
        Counts { bytes: self.sum("seen", "bytes"), packets: self.sum("seen", "packets") }
    }

    /// As the kernel handed it over.
    pub fn skbs(&self) -> Counts {
        Counts { bytes: self.sum("seen", "skb_bytes"), packets: self.sum("seen", "skb_packets") }
    }

    /// What of it is in no flow.
    pub fn skipped(&self) -> Counts {
        Counts { bytes: self.sum("skipped", "bytes"), packets: self.sum("skipped", "packets") }
    }

    pub fn reason(&self, name: &str) -> u64 {
        self.0["skipped"][name]["packets"].as_u64().unwrap()
    }
}

/// The binary under test, without settings from this environment.
pub fn flowd(namespace: &Namespace) -> Command {
    let mut command = user::command(namespace);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FLOWD_")) {
        command.env_remove(name);
    }
    command
}

impl<'a> Daemon<'a> {
    /// Starts flowd for `interfaces`, quick and small as several run at once, with further lines of configuration.
    /// Waits until it watches them.
    pub fn start(namespace: &'a Namespace, interfaces: &[&str], config: &str) -> Self {
        Self::start_with(namespace, interfaces, config, &[])
    }

    /// The same with variables of its environment.
    pub fn start_with(
        namespace: &'a Namespace,
        interfaces: &[&str],
        config: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        Self::start_as(namespace, interfaces, config, |command| {
            command.envs(environment.iter().copied());
        })
    }

    /// The same as a process that is changed before.
    pub fn start_as(
        namespace: &'a Namespace,
        interfaces: &[&str],
        config: &str,
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let folder = user::folder();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        write_config(folder.path(), config);
        let mut command = flowd(namespace);
        command.args(["run", "--listen", LISTEN, "-c", &path("flowd.toml")]);
        command.args(interfaces.iter().flat_map(|interface| ["-i", interface]));
        change(&mut command);
        let stderr = File::create(path("stderr")).unwrap();
        command.stdin(Stdio::null()).stdout(stderr.try_clone().unwrap()).stderr(stderr);
        let process = Process::start(&mut command);
        let mut daemon = Self { namespace, process, _said: Said(folder.path().join("stderr")), folder };
        // By its log and not by asking it, so that there is no traffic of ours on the loopback device.
        until("flowd is ready", 20, || {
            let said = daemon.stderr();
            assert!(daemon.process.ended().is_none(), "flowd ended: {said}");
            said.contains("metrics at").then_some(())
        });
        daemon
    }

    /// Has it read another configuration.
    pub fn configure(&mut self, config: &str) {
        write_config(self.folder.path(), config);
        self.process.signal(libc::SIGHUP);
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The body of an answer of its web server.
    pub fn get(&self, path: &str) -> String {
        let answer = self.answer(path);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        body.to_owned()
    }

    /// A whole answer, whatever its status.
    pub fn answer(&self, path: &str) -> String {
        self.namespace.enter(|| {
            let mut stream = TcpStream::connect(LISTEN).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        })
    }

    /// The sum over all series of a family whose labels contain all of `labels`.
    pub fn metric(&self, family: &str, labels: &[&str]) -> f64 {
        sum(&self.get("/metrics"), family, labels)
    }

    /// Waits until the flow table was read after this moment.
    pub fn drained(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        until("a drain", 10, || {
            (self.metric("flowd_last_drain_timestamp_seconds", &[]) > now + 0.01).then_some(())
        });
    }

    /// Ingress and egress of an interface, as of a drain from now.
    pub fn passages(&self, interface: &str) -> [Passage; 2] {
        self.drained();
        let shown: Value = serde_json::from_str(&self.get("/api/v1/interfaces")).unwrap();
        let interfaces = shown["interfaces"].as_array().unwrap();
        let found = interfaces.iter().find(|shown| shown["name"] == interface).unwrap();
        ["ingress", "egress"].map(|direction| Passage(found[direction].clone()))
    }

    /// What /metrics says of an interface: ingress, egress.
    pub fn interface_metrics(&self, interface: &str) -> Counters {
        ["ingress", "egress"].map(|direction| {
            let labels = [format!("iface=\"{interface}\""), format!("direction=\"{direction}\"")];
            let labels = [labels[0].as_str(), labels[1].as_str()];
            let sum = |family| self.metric(family, &labels) as u64;
            Counts {
                bytes: sum("flowd_interface_bytes_total"),
                packets: sum("flowd_interface_packets_total"),
            }
        })
    }

    /// The lines of the HTTP log so far.
    pub fn http(&self) -> Vec<Value> {
        lines(&self.folder.path().join("http.log"))
    }

    /// Every file of the HTTP log as it is, the rotated ones included, by name.
    pub fn http_files(&self) -> Vec<(PathBuf, String)> {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let logs = entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("http.log"));
        let mut files: Vec<_> =
            logs.filter_map(|path| fs::read_to_string(&path).ok().map(|text| (path, text))).collect();
        files.sort();
        files
    }

    /// Processor time that the thread which reads from the kernel has had so far, and how long it has waited for it.
    pub fn reader_times(&self) -> [Duration; 2] {
        self.process.thread_time("pump")
    }

    /// A field of its memory in /proc, as `VmRSS`; bytes.
    pub fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        let kilobytes = line.trim_start_matches(':').trim().trim_end_matches(" kB");
        kilobytes.parse::<u64>().unwrap() << 10
    }

    /// How long ago the flow table was read, by its own account; seconds.
    pub fn age(&self) -> f64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        now - self.metric("flowd_last_drain_timestamp_seconds", &[])
    }

    /// Sends a signal that does not end it.
    pub fn signal(&self, number: i32) {
        self.process.signal(number);
    }

    /// Ends it by a signal and reads what it wrote.
    pub fn end(self, signal: i32) -> Ended {
        let Self { process, folder, .. } = self;
        process.signal(signal);
        let (status, took) = process.wait(20);
        Ended {
            code: status.code(),
            took,
            http: lines(&folder.path().join("http.log")),
            flows: lines(&folder.path().join("flow.log")),
            dns: lines(&folder.path().join("dns.log")),
            tls: lines(&folder.path().join("tls.log")),
            requests: lines(&folder.path().join("requests.log")),
            stderr: fs::read_to_string(folder.path().join("stderr")).unwrap(),
        }
    }

    /// Ends it by SIGTERM, which must be a good end.
    pub fn stop(self) -> Ended {
        let ended = self.end(libc::SIGTERM);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended
    }
}

/// The sum over all series of a family, in classic text, whose labels contain all of `labels`.
pub fn sum(text: &str, family: &str, labels: &[&str]) -> f64 {
    let rows = text.lines().filter(|line| {
        line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    });
    rows.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

fn write_config(folder: &Path, config: &str) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let missing = |key: &str, line: &str| if config.contains(key) { String::new() } else { line.to_owned() };
    let interval = missing("interval = ", "interval = \"200ms\"\n");
    let flows = missing("flows = ", "flows = 16384\n");
    let http = missing("http_log = ", &format!("http_log = \"{}\"\n", path("http.log")));
    let flow = missing("flow_log = ", &format!("flow_log = \"{}\"\n", path("flow.log")));
    // Tests look at every line, and few of them at rotated files.
    let size = missing("log_max_size = ", "log_max_size = \"0\"\n");
    // Tests ask for more than the default budget in bursts, and for every line.
    let budget = if config.contains("[governor]") { "" } else { "\n[governor]\ncpu = \"off\"\n" };
    let config = config.replace("\"DNS\"", &format!("{:?}", path("dns.log")));
    let config = config.replace("\"TLS\"", &format!("{:?}", path("tls.log")));
    let config = config.replace("\"REQUESTS\"", &format!("{:?}", path("requests.log")));
    fs::write(path("flowd.toml"), format!("{http}{flow}{interval}{flows}{size}{config}{budget}")).unwrap();
}

/// Whole lines: the last one may be half written while the daemon runs.
fn lines(path: &Path) -> Vec<Value> {
    // A log that is off has no file.
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Packets and bytes of all flow lines of an interface, both directions together.
pub fn in_flows(flows: &[Value], interface: &str) -> Counts {
    let mut sum = Counts::default();
    for flow in flows.iter().filter(|flow| flow["iface"] == interface) {
        for side in ["sent", "received"] {
            sum.bytes += flow[side]["frame_bytes"].as_u64().unwrap();
            sum.packets += flow[side]["packets"].as_u64().unwrap();
        }
    }
    sum
}
