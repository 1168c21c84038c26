//! A network to measure in: a client, a gateway and a server, each a network namespace of its own, joined
//! by veth pairs. All of it vanishes when the `Lab` is dropped: processes, namespaces, folder.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::{check, output};

pub(crate) const GATEWAY_INTERFACES: [&str; 2] = ["lan0", "wan0"];
pub(crate) const SERVER_IPV4: &str = "198.51.100.2";
pub(crate) const SERVER_IPV6: &str = "2001:db8:2::2";

/// The three hosts, by the end of their namespace's name.
#[derive(Clone, Copy)]
pub(crate) enum Host {
    Client,
    Gateway,
    Server,
}

impl Host {
    const ALL: [Self; 3] = [Self::Client, Self::Gateway, Self::Server];

    fn suffix(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Gateway => "gateway",
            Self::Server => "server",
        }
    }
}

pub(crate) struct Lab {
    prefix: String,
    processes: Vec<(String, Child)>,
    folder: TempDir,
}

impl Lab {
    /// Namespaces `<name>-<pid>-client` and so on, so that two labs never meet.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(name).tempdir().context("no temporary folder")?;
        let prefix = format!("{name}-{}", std::process::id());
        // from here on Drop cleans up, whatever fails
        let lab = Self { prefix, processes: Vec::new(), folder };
        for host in Host::ALL {
            ip(&format!("netns add {}", lab.namespace(host)))
                .context("namespaces need root and the kernel's network namespaces")?;
            lab.ip(host, "link set lo up")?;
        }
        lab.join(Host::Client, "lan0", "192.0.2", "2001:db8:1:")?;
        lab.join(Host::Server, "wan0", "198.51.100", "2001:db8:2:")?;
        for switch in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
            let line = format!("echo 1 > /proc/sys/net/{switch}");
            check(&mut lab.command(Host::Gateway, "sh", &["-c", &line]))?;
        }
        Ok(lab)
    }

    /// A veth pair from the gateway's `interface` to the host's `eth0`; the gateway is `.1`, the host `.2`.
    fn join(&self, host: Host, interface: &str, ipv4: &str, ipv6: &str) -> Result<()> {
        let gateway = self.namespace(Host::Gateway);
        self.ip(host, &format!("link add eth0 type veth peer name {interface} netns {gateway}"))?;
        for (side, device, last) in [(Host::Gateway, interface, 1), (host, "eth0", 2)] {
            self.ip(side, &format!("address add {ipv4}.{last}/24 dev {device}"))?;
            // without nodad the address cannot be used for the first second
            self.ip(side, &format!("address add {ipv6}:{last}/64 dev {device} nodad"))?;
            self.ip(side, &format!("link set {device} up"))?;
        }
        self.ip(host, &format!("route add default via {ipv4}.1"))?;
        self.ip(host, &format!("-6 route add default via {ipv6}:1"))
    }

    fn ip(&self, host: Host, arguments: &str) -> Result<()> {
        ip(&format!("-n {} {arguments}", self.namespace(host)))
    }

    pub(crate) fn namespace(&self, host: Host) -> String {
        format!("{}-{}", self.prefix, host.suffix())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `program` on `host`; silent on its input.
    pub(crate) fn command(&self, host: Host, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(host), program]).args(arguments).stdin(Stdio::null());
        command
    }

    /// Starts a program that runs until the lab is gone; what it prints goes to `<name>.log`.
    pub(crate) fn start(&mut self, name: &str, host: Host, program: &str, arguments: &[&str]) -> Result<()> {
        let log = File::create(self.path(&format!("{name}.log")))?;
        let mut command = self.command(host, program, arguments);
        // Ctrl-C is for xtask, which then stops the others in its order
        command.stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        self.processes.push((name.to_owned(), child));
        Ok(())
    }

    /// An error with the end of its log if a started program has ended.
    pub(crate) fn all_running(&mut self) -> Result<()> {
        let folder = self.folder.path().to_owned();
        for (name, child) in &mut self.processes {
            if let Some(status) = child.try_wait()? {
                bail!(
                    "{name} ended ({status}): {}",
                    tail(&folder.join(format!("{name}.log")), 5).join(" | ")
                );
            }
        }
        Ok(())
    }

    /// Tries until `ready` holds; watches the started programs meanwhile.
    pub(crate) fn wait(&mut self, what: &str, mut ready: impl FnMut(&Self) -> bool) -> Result<()> {
        let limit = Instant::now() + Duration::from_secs(15);
        while !ready(self) {
            self.all_running()?;
            if Instant::now() > limit {
                bail!("{what} is not ready after 15 s");
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for (_, child) in self.processes.iter_mut().rev() {
            stop(child);
        }
        for host in Host::ALL {
            let namespace = self.namespace(host);
            // a namespace lives on while any process is in it
            for pid in
                output(Command::new("ip").args(["netns", "pids", &namespace])).unwrap_or_default().lines()
            {
                let _ = output(Command::new("kill").args(["-KILL", pid]));
            }
            // fails only where the namespace was never made
            let _ = output(Command::new("ip").args(["netns", "del", &namespace]));
        }
    }
}

/// Asks first, so that nginx ends its workers and flowd flushes.
fn stop(child: &mut Child) {
    let _ = output(Command::new("kill").args(["-TERM", &child.id().to_string()]));
    for _ in 0..60 {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn ip(arguments: &str) -> Result<()> {
    output(Command::new("ip").args(arguments.split_whitespace())).map(drop)
}

/// The last lines of a file; none if it is not there.
pub(crate) fn tail(path: &Path, count: usize) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(count)).map(|line| (*line).to_owned()).collect()
}
