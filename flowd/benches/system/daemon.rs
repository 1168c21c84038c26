//! The release build of flowd in a namespace.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::{Bench, support::namespace::Namespace};

const LISTEN: &str = "127.0.0.1:9435";
const HTTP_LOG: &str = "http.log";

/// A flowd that watches `eth0`; killed when dropped.
pub(crate) struct Daemon<'a> {
    namespace: &'a Namespace,
    child: Child,
    folder: TempDir,
    /// From its start to the first 200 of /readyz.
    pub(crate) ready_after: Duration,
}

/// Sums over the logs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Logged {
    /// Lines of the HTTP log with both request and response.
    pub(crate) exchanges: u64,
    pub(crate) packets: u64,
    pub(crate) payload: u64,
}

impl<'a> Daemon<'a> {
    /// Starts it with these lines of configuration, and waits until it is ready.
    pub(crate) fn start(bench: &Bench, namespace: &'a Namespace, config: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let flow_log = path("flow.log").display().to_string();
        let http_log = path(HTTP_LOG).display().to_string();
        // What is written is measured to its end.
        let config = format!("log_max_size = \"0\"\n{config}");
        let config = config.replace("FLOW_LOG", &flow_log).replace("HTTP_LOG", &http_log);
        // All that it costs is measured, whatever that is.
        let config = format!("{config}\n[governor]\ncpu = \"off\"\n");
        fs::write(path("flowd.toml"), config)?;
        let log = File::create(path("stderr"))?;
        // `ip netns exec` becomes the program, so that the id is flowd's.
        let mut command = namespace.command(&bench.flowd.display().to_string());
        command.args([
            "run",
            "-i",
            "eth0",
            "--listen",
            LISTEN,
            "-c",
            &path("flowd.toml").display().to_string(),
        ]);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let child = command.spawn().with_context(|| bench.flowd.display().to_string())?;
        let mut daemon = Self { namespace, child, folder, ready_after: Duration::ZERO };
        daemon.ready_after = namespace
            .enter(|| {
                loop {
                    if let Ok(answer) = ask("/readyz")
                        && answer.starts_with("HTTP/1.1 200")
                    {
                        return Some(started.elapsed());
                    }
                    if started.elapsed() > Duration::from_secs(20) {
                        return None;
                    }
                    sleep(Duration::from_micros(500));
                }
            })
            .with_context(|| format!("flowd did not get ready: {}", daemon.said()))?;
        Ok(daemon)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// The body of an answer of its web server, and how long that took from the connection on.
    pub(crate) fn get(&self, path: &str) -> Result<(String, Duration)> {
        let (answer, took) = self.namespace.enter(|| {
            let started = Instant::now();
            ask(path).map(|answer| (answer, started.elapsed()))
        })?;
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer without a head")?;
        ensure!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        Ok((body.to_owned(), took))
    }

    /// The sum over all series of a family whose labels contain `label`.
    pub(crate) fn metric(&self, family: &str, label: &str) -> Result<f64> {
        Ok(sum(&self.get("/metrics")?.0, family, label))
    }

    /// Ends it in order and adds up its logs.
    pub(crate) fn stop(mut self) -> Result<Logged> {
        // SAFETY: no pointers; the child was not waited for, so that its id is still its own.
        let sent = unsafe { libc::kill(self.child.id().cast_signed(), libc::SIGTERM) };
        ensure!(sent == 0, "cannot signal flowd");
        let status = self.child.wait()?;
        ensure!(status.success(), "flowd ended with {status}: {}", self.said());
        let mut logged = Logged::default();
        let path: PathBuf = self.folder.path().join("flow.log");
        for line in fs::read_to_string(&path).unwrap_or_default().lines() {
            let line: Value = serde_json::from_str(line)?;
            let number = |path: &str| line.pointer(path).and_then(Value::as_u64).unwrap_or(0);
            logged.packets += number("/sent/packets") + number("/received/packets");
            logged.payload += number("/sent/payload_bytes") + number("/received/payload_bytes");
        }
        if let Ok(log) = File::open(self.folder.path().join(HTTP_LOG)) {
            for line in BufReader::new(log).lines() {
                logged.exchanges += u64::from(line?.contains("\"outcome\":\"complete\""));
            }
        }
        Ok(logged)
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sum over all series of a family in classic text whose labels contain `label`.
pub(crate) fn sum(text: &str, family: &str, label: &str) -> f64 {
    let rows = text.lines().filter(|line| {
        line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label)
    });
    rows.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn ask(path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(LISTEN)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.is_empty() {
        bail!("{path}: no answer");
    }
    Ok(answer)
}
