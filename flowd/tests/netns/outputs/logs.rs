//! Where logs go: several outputs, a file that is moved away, a disk that is full.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{Arc, atomic::Ordering},
};

use flowd::{
    export::log::{LogSink, Outlets, json},
    telemetry::SinkCounters,
};

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

#[test]
fn a_full_disk_tears_no_line() {
    if !privileged("a_full_disk_tears_no_line") {
        return;
    }
    const LINES: u64 = 2_000;
    let disk = Small::new();
    let path = disk.0.path().join("log");
    let counters = SinkCounters::new("test");
    let paths = [path.to_str().unwrap().to_owned()];
    let mut sink =
        LogSink::<String>::open(&mut Outlets::default(), &paths, json, 16, Arc::clone(&counters)).unwrap();
    // Of a length by which no page of the disk can be divided.
    let line = "x".repeat(94);
    (0..LINES).for_each(|_| sink.write_last(line.clone()));
    sink.close();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().all(|written| written.len() == 96), "torn");
    assert!(text.ends_with('\n') && text.len() > 32 << 10, "{}", text.len());
    let [written, dropped] =
        [&counters.records, &counters.dropped].map(|count| count.load(Ordering::Relaxed));
    println!("{written} lines written, {dropped} dropped");
    assert_eq!(written, text.lines().count() as u64);
    assert_eq!(written + dropped, LINES);
    assert!(counters.errors.load(Ordering::Relaxed) > 0 && dropped > 0);
}
