//! A panic in each kind of thread: the daemon ends within two seconds, says which part it was, and what the other
//! parts had is written.

use std::time::Instant;

use super::*;
use crate::record::testing;

/// Ends in a panic at its first drain.
struct Broken(Story);

impl Source for Broken {
    fn attach(&mut self, name: &str, ifindex: u32, interface: Setting) -> Result<&'static str> {
        self.0.attach(name, ifindex, interface)
    }

    fn drain_part(&mut self, _: u64, _: Visit<'_>) -> Result<Option<DrainReport>> {
        panic!("on purpose")
    }

    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        self.0.totals(slots)
    }

    fn passed(&self, _: u16, _: Direction, _: u64, _: &mut [u64]) -> u64 {
        0
    }

    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        self.0.events(visit)
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        self.0.record(slot, visit);
    }

    fn finish(&mut self, _: Visit<'_>) -> Result<DrainReport> {
        Ok(DrainReport::default())
    }
}

/// Writes a line whose text cannot be had, as a log of flowd's does it.
struct Bomb;

impl serde::Serialize for Bomb {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("on purpose")
    }
}

/// Runs a daemon as the binary does, strikes it once it serves, and gives back how it ended, how long that took, and its
/// logs of HTTP and flows.
fn struck(source: Box<dyn Source>, strike: impl FnOnce(&Runtime)) -> (String, Duration, [String; 2]) {
    let _alone = SIGNALS.blocking_lock();
    let folder = tempfile::tempdir().unwrap();
    let config = Config { interval: Span::millis(200), ..config(folder.path()) };
    let again = config.clone();
    let address = config.listen;
    let runtime = runtime().unwrap();
    let (said, ended) = mpsc::channel();
    let handle = runtime.handle().clone();
    // No thread of the daemon's, as `main` is none in the tests.
    let daemon = thread::spawn(move || {
        let again: Again = Box::new(move || Ok(again.clone()));
        let end = handle.block_on(daemon(&config, again, Service::default(), 1_024, |_| Ok(source)));
        said.send((end, Instant::now())).unwrap();
    });
    while runtime.block_on(get(address, "/readyz")).is_empty() && !daemon.is_finished() {
        thread::sleep(Duration::from_millis(5));
    }
    let began = Instant::now();
    strike(&runtime);
    let (end, at) = ended.recv_timeout(Duration::from_secs(10)).unwrap();
    runtime.shutdown_background();
    let logs =
        ["http.log", "flow.log"].map(|name| std::fs::read_to_string(folder.path().join(name)).unwrap());
    (end.unwrap_err().to_string(), at.saturating_duration_since(began), logs)
}

#[test]
fn the_end_of_the_pump_is_the_end_of_the_daemon() {
    let (error, took, [http, _]) = struck(Box::new(Broken(Story::new(Arc::default()))), |_| ());
    assert_eq!(error, "the thread that reads the flow table died; see the lines above");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(http.lines().count(), 1, "what was queued is written");
}

#[test]
fn the_end_of_a_thread_of_the_web_server_is_the_end_of_the_daemon() {
    let story = Story::new(Arc::default());
    let (error, took, [http, flows]) = struck(Box::new(story), |runtime| {
        runtime.spawn(async { panic!("on purpose") });
    });
    assert_eq!(error, "the web server died; see the lines above");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!((http.lines().count(), flows.lines().count()), (1, 2), "the last drain is written");
}

/// As that in which passwords are compared.
#[test]
fn the_end_of_a_blocking_thread_is_the_end_of_the_daemon() {
    let story = Story::new(Arc::default());
    let (error, took, [http, flows]) = struck(Box::new(story), |runtime| {
        runtime.spawn_blocking(|| panic!("on purpose"));
    });
    assert_eq!(error, "the web server died; see the lines above");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!((http.lines().count(), flows.lines().count()), (1, 2), "the last drain is written");
}

#[test]
fn the_end_of_a_writer_is_the_end_of_the_daemon() {
    // Whatever the log is called.
    for name in ["http_log", "flow_log", "dns_log", "tls_log", "audit"] {
        let story = Story::new(Arc::default());
        let (error, took, [_, flows]) = struck(Box::new(story), |_| {
            log(name, "http", "/dev/null").0.offer(&testing::record(Bomb));
        });
        assert_eq!(error, format!("the writer of {name} died; see the lines above"));
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!(flows.lines().count(), 2, "{name}: the last drain is written");
    }
}

/// A library's, say.
#[test]
fn the_end_of_a_thread_that_has_no_role_is_the_end_of_the_daemon() {
    for (name, part) in [(Some("stray"), "the thread stray"), (None, "a thread without a name")] {
        let story = Story::new(Arc::default());
        let (error, took, [http, flows]) = struck(Box::new(story), |_| {
            let thread =
                name.map_or_else(thread::Builder::new, |name| thread::Builder::new().name(name.into()));
            thread.spawn(|| panic!("on purpose")).unwrap();
        });
        assert_eq!(error, format!("{part} died; see the lines above"));
        assert!(took < Duration::from_secs(2), "{took:?}");
        assert_eq!((http.lines().count(), flows.lines().count()), (1, 2), "the last drain is written");
    }
}

/// At the end of the daemon nobody waits for news of panics, but its end is a failure all the same.
#[tokio::test]
async fn a_panic_that_nobody_waits_for_is_told_at_the_end() {
    let _alone = SIGNALS.lock().await;
    let mut crashes = Crashes::listen();
    let thread = threads::start(Role::Web, || panic!("on purpose")).unwrap();
    while !thread.is_finished() {
        if let Some(part) = crashes.heard() {
            assert_eq!(part, "the web server");
            drop(crashes);
            thread.join().unwrap_err();
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the thread ended before its crash was heard");
}
