//! 512 MiB and 64 open files are all that there is: flowd runs within them, or says at the start why not. The kernel never
//! has to kill it.

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use super::stories::Story;
use crate::support::{
    alone::alone,
    daemon::Daemon,
    privileged,
    process::{attempt, run},
    router::{LAN, Router},
    until,
};

const LIMIT: u64 = 512 << 20;
const FILES: u64 = 64;
const WHILE: Duration = Duration::from_secs(8);

/// A memory cgroup of a test's own, of version 1 or 2; goes with the value.
struct Group {
    path: PathBuf,
    first: bool,
}

impl Group {
    /// `None` where this machine lets nobody make one.
    fn new() -> Option<Self> {
        let name = format!("flowd-test-{}", std::process::id());
        for (root, file, first) in [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", true),
            ("/sys/fs/cgroup", "memory.max", false),
        ] {
            let path = Path::new(root).join(&name);
            if Path::new(root).join("cgroup.procs").exists() && fs::create_dir(&path).is_ok() {
                let group = Self { path, first };
                if fs::write(group.path.join(file), LIMIT.to_string()).is_ok() {
                    return Some(group);
                }
            }
        }
        None
    }

    fn number(&self, file: &str, word: &str) -> u64 {
        let text = fs::read_to_string(self.path.join(file)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default();
        line.trim().parse().unwrap_or(0)
    }

    /// How often the kernel killed something in here for want of memory.
    fn kills(&self) -> u64 {
        self.number(if self.first { "memory.oom_control" } else { "memory.events" }, "oom_kill ")
    }

    /// Bytes that were in use at most.
    fn most(&self) -> u64 {
        self.number(if self.first { "memory.max_usage_in_bytes" } else { "memory.peak" }, "")
    }

    /// Has a program run within the limits.
    fn confine(&self, command: &mut Command) {
        let members = self.path.join("cgroup.procs");
        let prepare = move || {
            fs::write(&members, "0")?;
            let limit = libc::rlimit { rlim_cur: FILES, rlim_max: FILES };
            // SAFETY: the limit lives through the call.
            match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        // SAFETY: between fork and exec in a process of one thread; nothing that another thread may hold is waited for
        // but the allocator, which the C library makes whole in the child.
        unsafe { command.pre_exec(prepare) };
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // What ran in here is gone by now, but the kernel may be busy with the last of it.
        for _ in 0..50 {
            if fs::remove_dir(&self.path).is_ok() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn it_runs_within_512_mib_and_64_files_or_says_why_not() {
    if !privileged("it_runs_within_512_mib_and_64_files_or_says_why_not") {
        return;
    }
    let _alone = alone();
    let Some(group) = Group::new() else {
        println!("no memory cgroup can be made here: nothing is limited, and nothing tested");
        return;
    };
    // With the defaults every bound together is beyond it.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flowd.toml");
    fs::write(&file, "interfaces = [\"lo\"]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowd"));
    command.args(["run", "-c", file.to_str().unwrap()]);
    group.confine(&mut command);
    let output = attempt(&mut command);
    let said = String::from_utf8(output.stderr).unwrap();
    println!("{}", said.trim());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("allows 512 MiB: raise the limit"), "{said}");
    let flows: u32 = said.trim().rsplit(' ').next().unwrap().parse().unwrap();
    // What `flowd check` says is the same.
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowd"));
    command.args(["check", "-c", file.to_str().unwrap(), "--format", "json"]);
    group.confine(&mut command);
    let checked: serde_json::Value = serde_json::from_slice(&attempt(&mut command).stdout).unwrap();
    let check =
        checked["checks"].as_array().unwrap().iter().find(|check| check["name"] == "cgroup memory").unwrap();
    assert_eq!(check["status"], "missing", "{check}");
    assert!(check["remedy"].as_str().unwrap().ends_with(&format!("set flows = {flows}")), "{check}");

    // With what it says it runs, whatever comes.
    let router = Router::new(false);
    let config = format!("interval = \"2s\"\nflows = {flows}\nhttp_log = \"\"\nflow_log = \"\"\n");
    let daemon = Daemon::start_as(&router.gateway, &[LAN], &config, |command| group.confine(command));
    let stories = [Story::syns(), Story::http(true, 300)];
    let mut tellings: Vec<_> =
        stories.iter().map(|story| story.start(&router.client, "eth0", 1 << 19)).collect();
    let mut clients = Vec::new();
    let start = Instant::now();
    while start.elapsed() < WHILE {
        for _ in 0..50 {
            for telling in &mut tellings {
                telling.send();
            }
        }
        // Clients that ask and do not read.
        let client = router.gateway.enter(|| TcpStream::connect("127.0.0.1:9435"));
        if let Ok(mut client) = client {
            let _ = client.write_all(b"GET /api/v1/flows?top=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n");
            clients.push(client);
        }
    }
    drop(clients);
    let (most, own, kills) = (group.most(), daemon.memory("RssAnon"), group.kills());
    println!(
        "{} MiB of {} at most, {} of them the daemon's own in the end, {kills} kills",
        most >> 20,
        LIMIT >> 20,
        own >> 20
    );
    assert_eq!(kills, 0);
    until("the table is the one that was asked for", 10, || {
        let slots = daemon.metric("flowd_map_capacity_entries", &["map=\"FLOWS\""]);
        (slots == f64::from(flows)).then_some(())
    });
    let folders = run(Command::new("ls").arg(format!("/proc/{}/fd", daemon.id())));
    assert!(folders.lines().count() as u64 <= FILES);
    daemon.stop();
}
