//! Logs of files and pipes; `frame` has the frame over transports that fail in every way.

mod frame;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{files::Rotation, *};
use crate::{
    record::testing::record,
    telemetry::{SinkCounters, SinkList},
};

fn wait(mut until: impl FnMut() -> bool) {
    for _ in 0..500 {
        if until() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing happened for 5 s");
}

/// Logs at these paths, with one set of counters.
fn open(paths: &[&Path], queue: usize, opener: &mut Opener) -> Sinks {
    let spec = |path: &&Path| Spec::log("test", path.to_str().unwrap(), "http", "json", queue);
    let specs: Vec<Spec> = paths.iter().map(spec).collect();
    let mut sinks = Sinks::default();
    sinks.take_over(opener.open(&specs, &[]).unwrap());
    sinks
}

fn one(path: &Path, queue: usize) -> (Sinks, Arc<SinkCounters>) {
    let (mut opener, counters) = opener(Rotation::default());
    (open(&[path], queue, &mut opener), counters)
}

fn opener(rotation: Rotation) -> (Opener, Arc<SinkCounters>) {
    let list = SinkList::default();
    let counters = list.get("test");
    (Opener::new(rotation, list), counters)
}

fn count(counters: &SinkCounters) -> (u64, u64) {
    (counters.records(), counters.dropped())
}

/// A pipe that takes 64 KiB and then nothing more, as nobody reads.
fn stuck_pipe(folder: &Path) -> (PathBuf, fs::File) {
    let path = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    // Open for reading as well, so that the writer can open it.
    let held = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    (path, held)
}

#[test]
fn lines_are_whole_and_closing_writes_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mut sink, counters) = one(&path, 4_096);
    for number in 0..1_000 {
        sink.offer(&record(serde_json::json!({ "number": number })));
    }
    sink.close();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1_000);
    assert_eq!(text.lines().next_back(), Some("{\"number\":999}"));
    assert_eq!(count(&counters), (1_000, 0));
}

#[test]
fn every_output_has_every_line() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a", "b"].map(|name| folder.path().join(name));
    let (mut opener, counters) = opener(Rotation::default());
    let mut sink = open(&[&paths[0], &paths[1]], 4_096, &mut opener);
    (0..1_000).for_each(|number: u32| sink.offer(&record(number)));
    sink.close();
    let texts = paths.map(|path| fs::read_to_string(path).unwrap());
    assert_eq!(texts[0].lines().count(), 1_000);
    assert_eq!(texts[0], texts[1]);
    assert_eq!(count(&counters), (2_000, 0));
}

/// Whichever path leads there.
#[test]
fn two_logs_on_one_file_do_not_mix_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let link = folder.path().join("link");
    fs::write(&path, "").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let (mut opener, counters) = opener(Rotation { max_size: 100_000, keep: 100, ..Rotation::default() });
    let long = |letter: &str| letter.repeat(500);
    let mut sinks = [&path, &link].map(|path| open(&[path], 10_000, &mut opener));
    for _ in 0..2_000 {
        sinks[0].offer(&record(long("a")));
        sinks[1].offer(&record(long("b")));
    }
    sinks.into_iter().for_each(|sinks| drop(sinks.close()));
    assert_eq!(count(&counters), (4_000, 0));
    let mut lines = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let text = fs::read_to_string(entry.path()).unwrap();
            assert!(text.len() <= 100_000, "{}", text.len());
            assert!(text.lines().all(|line| line.len() == 502));
            lines += text.lines().count();
        }
    }
    assert_eq!(lines, 4_000);
}

#[test]
fn the_last_lines_wait_for_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mut sink, counters) = one(&path, 1);
    for number in 0..1_000 {
        sink.offer_last(&record(number));
    }
    sink.close();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1_000);
    assert_eq!(count(&counters), (1_000, 0));
}

#[test]
fn a_rotated_file_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
    let (mut opener, _) = opener(Rotation::default());
    let mut sink = open(&[&path], 16, &mut opener);
    sink.offer(&record(1));
    wait(|| fs::read_to_string(&path).is_ok_and(|text| text == "1\n"));
    fs::rename(&path, &old).unwrap();
    opener.reopen();
    wait(|| path.exists());
    sink.offer(&record(2));
    sink.close();
    assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
    assert_eq!(fs::read_to_string(&old).unwrap(), "1\n");
}

#[test]
fn a_full_disk_drops_and_counts() {
    let (mut sink, counters) = one(Path::new("/dev/full"), 1);
    for number in 0..10_000 {
        sink.offer(&record(number));
    }
    sink.close();
    assert_eq!(count(&counters), (0, 10_000));
    assert!(counters.errors() > 0);
}

/// A line that is not written before it is let go.
#[derive(Clone)]
struct Held(Arc<AtomicBool>);

impl Serialize for Held {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        while self.0.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        serializer.serialize_u8(1)
    }
}

#[test]
fn a_burst_waits_in_bounds_and_holds_nobody_up() {
    let (mut sink, counters) = one(Path::new("/dev/null"), 8);
    let held = Arc::new(AtomicBool::new(true));
    let start = Instant::now();
    for _ in 0..10_000 {
        sink.offer_burst(&record(Held(Arc::clone(&held))));
    }
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(sink.settle(), "lines wait");
    held.store(false, Ordering::Release);
    for _ in 0..1_000 {
        if !sink.settle() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!sink.settle());
    sink.close();
    let (written, dropped) = count(&counters);
    // Queue and backlog, and those that the writer held.
    assert!((40..=49).contains(&written), "{written}");
    assert_eq!(written + dropped, 10_000);
}

/// A stuck pipe costs its own lines, those of the file beside it are all there, and the end comes.
#[test]
fn a_stuck_output_does_not_hold_up_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, _held) = stuck_pipe(folder.path());
    let path = folder.path().join("log");
    let (mut opener, _) = opener(Rotation::default());
    let mut sink = open(&[&pipe, &path], 1_024, &mut opener);
    let line = "x".repeat(998);
    (0..2_000).for_each(|_| sink.offer_burst(&record(line.clone())));
    wait(|| {
        sink.settle();
        fs::read_to_string(&path).is_ok_and(|text| text.lines().count() == 2_000)
    });
    let start = Instant::now();
    sink.close();
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
}

#[test]
fn an_unwritable_path_is_named_with_a_remedy() {
    let spec = Spec::log("http_log", "/nonexistent/http.log", "http", "json", 1);
    let error = opener(Rotation::default()).0.open(&[spec], &[]).unwrap_err().to_string();
    assert!(error.contains("/nonexistent/http.log") && error.contains("standard output"), "{error}");
}

/// As after a reload: the same file, for the log before and the log after, and other terms of rotation.
#[test]
fn two_generations_of_a_log_share_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let (mut opener, counters) = opener(Rotation::default());
    let spec = |queue| [Spec::log("test", path.to_str().unwrap(), "http", "json", queue)];
    let mut sinks = open(&[&path], 4_096, &mut opener);
    (0..1_000).for_each(|number: u32| sinks.offer(&record(number)));
    wait(|| count(&counters).0 == 1_000);
    // Moved away meanwhile, and found again by its new name.
    fs::rename(&path, folder.path().join("moved")).unwrap();
    opener.reopen();
    wait(|| path.exists());
    let after = opener.open(&spec(8_192), &spec(4_096)).unwrap();
    opener.set_rotation(Rotation { max_size: 1_000, keep: 100, ..Rotation::default() });
    sinks.take_over(after);
    (1_000..2_000).for_each(|number: u32| sinks.offer(&record(number)));
    sinks.close();
    let mut all: Vec<u32> = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(entry.file_name() == "moved" || text.len() <= 1_000, "{}", text.len());
        all.extend(text.lines().map(|line| line.parse::<u32>().unwrap()));
    }
    all.sort_unstable();
    assert!(all.into_iter().eq(0..2_000));
    assert_eq!(count(&counters), (2_000, 0));
}

/// A file that is removed when no log uses it any more frees its space, whatever becomes of the other logs.
#[test]
fn the_file_of_a_log_that_ended_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let is_open = || {
        let descriptors = fs::read_dir("/proc/self/fd").unwrap().flatten();
        descriptors.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| target == path)
    };
    let (mut opener, _) = opener(Rotation::default());
    let mut log = open(&[&path], 16, &mut opener);
    log.offer(&record(1));
    assert!(is_open());
    log.close();
    assert!(!is_open());
    opener.reopen();
}

#[test]
fn a_pipe_without_a_reader_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, held) = stuck_pipe(folder.path());
    drop(held);
    let spec = Spec::log("test", pipe.to_str().unwrap(), "http", "json", 1);
    assert!(
        opener(Rotation::default())
            .0
            .open(&[spec], &[])
            .unwrap_err()
            .to_string()
            .contains("start its reader")
    );
}

/// Each alone would take as long.
#[test]
fn stuck_outputs_are_given_up_together() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let pipes = folders.each_ref().map(|folder| stuck_pipe(folder.path()));
    let paths: Vec<&Path> = pipes.iter().map(|(path, _)| path.as_path()).collect();
    let (mut opener, _) = opener(Rotation::default());
    let mut sink = open(&paths, 16, &mut opener);
    (0..200).for_each(|_| sink.offer_burst(&record("x".repeat(998))));
    let start = Instant::now();
    sink.close();
    assert!(start.elapsed() < Duration::from_millis(2_100), "{:?}", start.elapsed());
}

/// A file that somebody deletes is made again; where that cannot be, its lines count as dropped until it can.
#[test]
fn a_deleted_file_takes_no_lines_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let path = inner.join("log");
    let (mut log, counters) = one(&path, 16);
    let mut number = 0;
    // As writers look once a second.
    let mut write_until = |done: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(10));
            number += 1;
            log.offer(&record(number));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    write_until(&|| path.exists() && !fs::read(&path).unwrap().is_empty());
    fs::remove_file(&path).unwrap();
    write_until(&|| path.exists());
    assert_eq!(count(&counters).1, 0);
    fs::remove_dir_all(&inner).unwrap();
    write_until(&|| count(&counters).1 > 0);
    fs::create_dir(&inner).unwrap();
    write_until(&|| path.exists());
    log.close();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.ends_with(&format!("{number}\n")), "{text}");
    let (written, dropped) = count(&counters);
    assert_eq!(written + dropped, number);
}

/// As at a reload: one sink goes, one stays, one comes.
#[test]
fn only_what_changed_is_opened_and_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let spec = |name: &'static str| Spec::log(name, path(name).to_str().unwrap(), "http", "json", 64);
    let list = SinkList::default();
    let mut opener = Opener::new(Rotation::default(), list.clone());
    let mut sinks = Sinks::default();
    let (before, after) = ([spec("goes"), spec("stays")], [spec("stays"), spec("comes")]);
    sinks.take_over(opener.open(&before, &[]).unwrap());
    // One that is not opened again needs no folder.
    sinks.offer(&record(1));
    fs::remove_file(path("stays")).unwrap();
    sinks.take_over(opener.open(&after, &before).unwrap());
    assert!(!path("stays").exists() && path("comes").exists());
    sinks.offer(&record(2));
    wait(|| list.get("goes").is_up().is_none());
    let up = ["goes", "stays", "comes"].map(|name| list.get(name).is_up());
    assert_eq!(up, [None, Some(true), Some(true)]);
    // One that cannot be opened changes nothing.
    let bad = Spec::log("bad", "/no/such/log", "http", "json", 64);
    assert!(opener.open(&[spec("more"), bad], &after).is_err());
    sinks.offer(&record(3));
    assert!(sinks.close().iter().all(|end| end.lost == 0 && end.problem.is_none()));
    let text = |name| fs::read_to_string(path(name)).unwrap_or_default();
    assert_eq!((text("goes"), text("comes")), ("1\n".to_owned(), "2\n3\n".to_owned()));
    assert_eq!(["goes", "stays", "comes"].map(|name| list.get(name).records()), [1, 3, 2]);
}
