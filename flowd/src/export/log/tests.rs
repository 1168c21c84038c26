use std::{
    fs,
    path::Path,
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use super::*;

fn wait(mut until: impl FnMut() -> bool) {
    for _ in 0..500 {
        if until() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing happened for 5 s");
}

fn open<T: Serialize + Send + Sync + 'static>(
    paths: &[&Path],
    queue: usize,
    counters: &Arc<SinkCounters>,
    outlets: &mut Outlets,
) -> LogSink<T> {
    let paths: Vec<String> = paths.iter().map(|path| path.to_str().unwrap().to_owned()).collect();
    LogSink::open(outlets, &paths, json, queue, Arc::clone(counters)).unwrap()
}

fn one<T: Serialize + Send + Sync + 'static>(
    path: &Path,
    queue: usize,
    counters: &Arc<SinkCounters>,
) -> LogSink<T> {
    open(&[path], queue, counters, &mut Outlets::default())
}

fn count(counters: &SinkCounters) -> (u64, u64) {
    (counters.records.load(Ordering::Relaxed), counters.dropped.load(Ordering::Relaxed))
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
    let counters = SinkCounters::new("test");
    let sink = one(&path, 4_096, &counters);
    for number in 0..1_000 {
        sink.write(serde_json::json!({ "number": number }));
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
    let counters = SinkCounters::new("test");
    let sink = open(&[&paths[0], &paths[1]], 4_096, &counters, &mut Outlets::default());
    (0..1_000).for_each(|number: u32| sink.write(number));
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
    let counters = SinkCounters::new("test");
    let mut outlets = Outlets::new(Rotation { max_size: 100_000, keep: 100 });
    let long = |letter: &str| letter.repeat(500);
    let sinks: [LogSink<String>; 2] =
        [&path, &link].map(|path| open(&[path], 10_000, &counters, &mut outlets));
    for _ in 0..2_000 {
        sinks[0].write(long("a"));
        sinks[1].write(long("b"));
    }
    sinks.into_iter().for_each(LogSink::close);
    assert_eq!(count(&counters), (4_000, 0));
    let mut lines = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let text = fs::read_to_string(entry.path()).unwrap();
            assert!(text.len() <= 101_000, "{}", text.len());
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
    let counters = SinkCounters::new("test");
    let mut sink = one(&path, 1, &counters);
    for number in 0..1_000 {
        sink.write_last(number);
    }
    sink.close();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1_000);
    assert_eq!(count(&counters), (1_000, 0));
}

#[test]
fn a_rotated_file_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("log"), folder.path().join("log.1"));
    let mut outlets = Outlets::default();
    let sink = open(&[&path], 16, &SinkCounters::new("test"), &mut outlets);
    sink.write(1);
    wait(|| fs::read_to_string(&path).is_ok_and(|text| text == "1\n"));
    fs::rename(&path, &old).unwrap();
    outlets.reopen();
    wait(|| path.exists());
    sink.write(2);
    sink.close();
    assert_eq!(fs::read_to_string(&path).unwrap(), "2\n");
    assert_eq!(fs::read_to_string(&old).unwrap(), "1\n");
}

#[test]
fn a_full_disk_drops_and_counts() {
    let counters = SinkCounters::new("test");
    let sink = one(Path::new("/dev/full"), 1, &counters);
    for number in 0..10_000 {
        sink.write(number);
    }
    sink.close();
    assert_eq!(count(&counters), (0, 10_000));
    assert!(counters.errors.load(Ordering::Relaxed) > 0);
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
    let counters = SinkCounters::new("test");
    let mut sink = one(Path::new("/dev/null"), 8, &counters);
    let held = Arc::new(AtomicBool::new(true));
    let start = Instant::now();
    for _ in 0..10_000 {
        sink.write_burst(Held(Arc::clone(&held)));
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
    let counters = SinkCounters::new("test");
    let mut sink: LogSink<String> = open(&[&pipe, &path], 1_024, &counters, &mut Outlets::default());
    let line = "x".repeat(998);
    (0..2_000).for_each(|_| sink.write_burst(line.clone()));
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
    let paths = ["/nonexistent/http.log".to_owned()];
    let counters = SinkCounters::new("http_log");
    let sink = LogSink::<u8>::open(&mut Outlets::default(), &paths, json, 1, counters);
    let error = sink.unwrap_err().to_string();
    assert!(error.contains("/nonexistent/http.log") && error.contains("standard output"), "{error}");
}

/// As after a reload: the same file, for the log before and the log after, and other terms of rotation.
#[test]
fn two_generations_of_a_log_share_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let counters = SinkCounters::new("test");
    let mut outlets = Outlets::default();
    let before = open(&[&path], 4_096, &counters, &mut outlets);
    (0..1_000).for_each(|number: u32| before.write(number));
    wait(|| count(&counters).0 == 1_000);
    // Moved away meanwhile, and found again by its new name.
    fs::rename(&path, folder.path().join("moved")).unwrap();
    outlets.reopen();
    wait(|| path.exists());
    let after = open(&[&path], 4_096, &counters, &mut outlets);
    outlets.set_rotation(Rotation { max_size: 1_000, keep: 100 });
    let closing = before.close_aside().unwrap();
    (1_000..2_000).for_each(|number: u32| after.write(number));
    closing.join();
    after.close();
    let mut all: Vec<u32> = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(entry.file_name() == "moved" || text.len() <= 1_010, "{}", text.len());
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
    let mut outlets = Outlets::default();
    let log = open(&[&path], 16, &SinkCounters::new("test"), &mut outlets);
    log.write(1);
    assert!(is_open());
    log.close();
    assert!(!is_open());
    outlets.reopen();
}

#[test]
fn a_pipe_without_a_reader_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, held) = stuck_pipe(folder.path());
    drop(held);
    let paths = [pipe.to_str().unwrap().to_owned()];
    let sink = LogSink::<u8>::open(&mut Outlets::default(), &paths, json, 1, SinkCounters::new("test"));
    assert!(sink.unwrap_err().to_string().contains("start its reader"));
}

/// Each alone would take as long.
#[test]
fn stuck_outputs_are_given_up_together() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let pipes = folders.each_ref().map(|folder| stuck_pipe(folder.path()));
    let paths: Vec<&Path> = pipes.iter().map(|(path, _)| path.as_path()).collect();
    let mut sink: LogSink<String> = open(&paths, 16, &SinkCounters::new("test"), &mut Outlets::default());
    (0..200).for_each(|_| sink.write_burst("x".repeat(998)));
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
    let counters = SinkCounters::new("test");
    let log = open(&[&path], 16, &counters, &mut Outlets::default());
    let mut number = 0;
    // As writers look once a second.
    let mut write_until = |done: &dyn Fn() -> bool| {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(10));
            number += 1;
            log.write(number);
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
