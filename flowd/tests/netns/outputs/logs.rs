//! Where logs go: several outputs, a file that is moved away, a disk that is full.

use std::{fs, path::Path, process::Command, sync::Arc};

use flow_common::{
    app::App,
    key::{FlowKey, Sender},
};
use flowd::{
    protocol::{AppRecord, record::Head},
    record::Record,
    sinks::{Opener, Sinks, Spec, files::Rotation},
    telemetry::SinkList,
};
use serde::{Serialize, Serializer};

use crate::support::{
    daemon::Daemon,
    nginx::Nginx,
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4},
    until, user,
};

fn request(router: &Router, path: &str) {
    let mut curl = router.client.command("curl");
    run(curl.args(["-sS", "--max-time", "10", "-o", "/dev/null", &format!("http://{SERVER_V4}/{path}")]));
}

#[test]
fn every_output_has_the_lines_and_sighup_opens_files_again() {
    if !privileged("every_output_has_the_lines_and_sighup_opens_files_again") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let folder = user::folder();
    let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
    let config = format!("http_log = [\"-\", \"{}\"]\n", path.display());
    let daemon = Daemon::start(&router.gateway, &[LAN], &config);
    let holds = |path: &Path, part: &str| {
        until(part, 10, || {
            fs::read_to_string(path).ok().filter(|text| text.ends_with('\n') && text.contains(part))
        })
    };
    request(&router, "echo/1");
    holds(&path, "/echo/1");
    fs::rename(&path, &moved).unwrap();
    daemon.signal(libc::SIGHUP);
    until("the file is there again", 10, || path.exists().then_some(()));
    request(&router, "echo/2");
    let text = holds(&path, "/echo/2");
    assert_eq!((text.lines().count(), fs::read_to_string(&moved).unwrap().lines().count()), (1, 1));
    // Standard output is where its own log is, here.
    until("both lines on standard output", 10, || {
        let said = daemon.stderr();
        ["/echo/1", "/echo/2"].iter().all(|part| said.contains(part)).then_some(())
    });
}

/// A file system of 64 KiB, which vanishes with its folder.
pub struct Small(tempfile::TempDir);

impl Small {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "flowd-test"]).arg(folder.path()));
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// A record that is a line of 96 bytes, by which no page of a disk can be divided.
#[derive(Debug)]
struct Line(Head);

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&"x".repeat(94))
    }
}

impl AppRecord for Line {
    fn app(&self) -> App {
        App::Http
    }

    fn head(&self) -> &Head {
        &self.0
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.0
    }
}

#[test]
fn a_full_disk_tears_no_line() {
    if !privileged("a_full_disk_tears_no_line") {
        return;
    }
    const LINES: u64 = 2_000;
    let disk = Small::new();
    let path = disk.0.path().join("log");
    let list = SinkList::default();
    let counters = list.get("test");
    let mut opener = Opener::new(Rotation::default(), list);
    let mut sinks = Sinks::default();
    let spec = Spec::log("test", path.to_str().unwrap(), "http", "json", 16);
    sinks.take_over(opener.open(&[spec], &[]).unwrap());
    let line = Record::App(Arc::new(Line(Head::new(FlowKey::EMPTY, 0, Sender::A, 0))));
    (0..LINES).for_each(|_| sinks.offer_last(&line));
    sinks.close();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().all(|written| written.len() == 96), "torn");
    assert!(text.ends_with('\n') && text.len() > 32 << 10, "{}", text.len());
    let (written, dropped) = (counters.records(), counters.dropped());
    println!("{written} lines written, {dropped} dropped");
    assert_eq!(written, text.lines().count() as u64);
    assert_eq!(written + dropped, LINES);
    assert!(counters.errors() > 0 && dropped > 0);
}

#[test]
fn a_flood_of_lines_stays_within_its_bound_and_is_told() {
    if !privileged("a_flood_of_lines_stays_within_its_bound_and_is_told") {
        return;
    }
    const SIZE: u64 = 64 << 10;
    const KEEP: u64 = 2;
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let daemon = Daemon::start(&router.gateway, &[LAN], "log_max_size = \"64KiB\"\nlog_keep = 2\n");
    request(&router, "echo/[1-1500]");
    until("lines that make room", 20, || {
        daemon.stderr().contains("are dropped from the earlier").then_some(())
    });
    // Between two renames there is one file less.
    until("the log and the earlier ones", 20, || {
        let files = daemon.http_files();
        let size = files.iter().map(|(_, text)| text.len() as u64).sum::<u64>();
        assert!(
            files.len() as u64 <= KEEP + 1 && size <= (KEEP + 1) * SIZE,
            "{} of {size} bytes",
            files.len()
        );
        (files.len() as u64 == KEEP + 1).then_some(())
    });
    let said = daemon.stderr();
    assert_eq!(said.matches("are dropped from the earlier").count(), 1, "once an hour at most: {said}");
    assert!(said.contains("log_max_size") && said.contains("log_keep"), "{said}");
    daemon.stop();
}
