use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use flow_common::{
    app::App,
    counter::InterfaceTotals,
    event::{PayloadEvent, PayloadKind},
    key::{Direction, Sender},
    record::FlowRecord,
    settings::Interface as Setting,
};

use super::{
    crash::Crashes,
    follow::Follow,
    pump::{Outputs, Pump},
    vigil::Vigil,
    *,
};
use crate::{
    aggregate::{Ledger, LedgerOptions, Watched},
    clock::{self, WallClock},
    export::feed::{Bounds, Feed},
    numbers::Board,
    pipeline::Visit,
    sinks::{Opener, Sinks, files::Rotation},
    telemetry::{Part, SinkList, Telemetry},
};
use crate::{
    config::Span,
    flow::{EndReason, testing},
    kernel::DrainReport,
    pipeline::Record,
};
use crate::{sinks::Spec, telemetry::SinkCounters};

mod clock_steps;
mod crash;
mod early;
mod vigil;

/// A kernel that has seen one HTTP exchange on slot 1 and, as through another interface, on slot 2.
struct Story {
    records: Vec<FlowRecord>,
    events: Vec<(PayloadEvent, &'static [u8])>,
    drained: bool,
    /// More than is in its flows.
    passed: InterfaceTotals,
    attached: Arc<Mutex<Vec<String>>>,
}

const REQUEST: &[u8] = b"GET /x?secret=1 HTTP/1.1\r\nHost: www.example.org\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

impl Story {
    fn new(attached: Arc<Mutex<Vec<String>>>) -> Self {
        let mut records = Vec::new();
        let mut events = Vec::new();
        for (slot, interface) in [(0_u32, 1), (1, 2)] {
            let mut record = testing::connection(interface, 40_000, 80, 1_000);
            let client = record.client();
            testing::send(&mut record, client, 4, 100, 2_000_000);
            testing::send(&mut record, client.other(), 3, 100, 3_000_000);
            record.handshake_server_rtt = 48_000_001;
            for (sender, kind, payload) in
                [(client, PayloadKind::Request, REQUEST), (client.other(), PayloadKind::Response, RESPONSE)]
            {
                events.push((event(&record, slot, sender, kind, payload), payload));
            }
            records.push(record);
        }
        let mut passed = InterfaceTotals::default();
        for passage in &mut passed.passages {
            passage.seen[0].packets = 1_000;
            passage.seen[0].bytes = 1_000_000;
        }
        Self { records, events, drained: false, passed, attached }
    }
}

fn event(record: &FlowRecord, slot: u32, sender: Sender, kind: PayloadKind, payload: &[u8]) -> PayloadEvent {
    PayloadEvent {
        key: record.key,
        time: 1_000_000 + u64::from(kind as u8) * 5_000_000,
        slot,
        seq: 1,
        payload_len: payload.len() as u32,
        copied: payload.len() as u16,
        kind: kind as u8,
        sender: sender as u8,
        tcp_flags: 0x18,
        app: App::Http as u8,
        ack: if sender == record.client() { 1 } else { 1 + REQUEST.len() as u32 },
        retransmits: 0,
        own_last: 0,
        peer_last: 0,
    }
}

impl Source for Story {
    fn attach(&mut self, name: &str, _: u32, interface: Setting) -> Result<&'static str> {
        let line = format!("{name} {} {}", interface.slot, interface.one_point);
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Ok("story")
    }

    fn drain_part(&mut self, _: u64, visit: Visit<'_>) -> Result<Option<DrainReport>> {
        if !std::mem::replace(&mut self.drained, true) {
            for (slot, record) in (0..).zip(&self.records) {
                visit(slot, record, None);
            }
        }
        Ok(Some(DrainReport { live: 2, capacity: 1_024, ..DrainReport::default() }))
    }

    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        Ok(slots.iter().map(|_| self.passed).collect())
    }

    fn passed(&self, _: u16, _: Direction, _: u64, _: &mut [u64]) -> u64 {
        0
    }

    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        let events = std::mem::take(&mut self.events);
        events.iter().for_each(|(event, payload)| visit(event, payload));
        events.len()
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        self.records.get(slot as usize).into_iter().for_each(visit);
    }

    fn finish(&mut self, visit: Visit<'_>) -> Result<DrainReport> {
        for (slot, record) in (0..).zip(&self.records) {
            visit(slot, record, Some(EndReason::Shutdown));
        }
        Ok(DrainReport { capacity: 1_024, ..DrainReport::default() })
    }
}

/// Both logs in `folder`, a port of its own.
fn config(folder: &std::path::Path) -> Config {
    let path = |name: &str| folder.join(name).to_str().unwrap().into();
    Config {
        interfaces: vec!["lo".to_owned()],
        listen: free_port(),
        event_interval: Span::millis(10),
        http_log: path("http.log"),
        flow_log: path("flow.log"),
        ..Config::default()
    }
}

/// A daemon whose configuration stays as it is.
fn spawn(config: Config, source: impl Source + 'static) -> tokio::task::JoinHandle<Result<()>> {
    let again = config.clone();
    tokio::spawn(async move {
        daemon(&config, Box::new(move || Ok(again.clone())), Service::default(), 1_024, |_| {
            Ok(Box::new(source))
        })
        .await
    })
}

/// Sends SIGTERM to this process, and waits for the daemon in it.
async fn end(daemon: tokio::task::JoinHandle<Result<()>>) {
    let process = std::process::id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    tokio::time::timeout(Duration::from_secs(10), daemon).await.unwrap().unwrap().unwrap();
}

fn free_port() -> std::net::SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else { return String::new() };
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn wait_for(address: std::net::SocketAddr, path: &str, part: &str) -> String {
    for _ in 0..200 {
        let answer = get(address, path).await;
        if answer.contains(part) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{path} never showed {part}");
}

/// Held by tests that send signals or wait for them: all of this process get them.
static SIGNALS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

#[tokio::test]
async fn a_daemon_from_start_to_sigterm() {
    let _alone = SIGNALS.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let config = Config { interval: Span::millis(100), ..config(folder.path()) };
    let attached = Arc::new(Mutex::new(Vec::new()));
    let (address, story) = (config.listen, Story::new(Arc::clone(&attached)));
    let daemon = spawn(config, story);

    wait_for(address, "/readyz", "200 OK").await;
    let flows = wait_for(address, "/api/v1/flows", "40000").await;
    assert!(flows.contains("\"end_reason\":null"));
    let line = "flowd_http_requests_total{method=\"GET\",status=\"200\",server_net=\"internet\"} 1";
    wait_for(address, "/metrics", line).await;
    wait_for(address, "/metrics", "flowd_map_capacity_entries{map=\"FLOWS\"} 1024").await;

    end(daemon).await;
    assert_eq!(*attached.lock().unwrap(), ["lo 1 1"]);

    let http = std::fs::read_to_string(path("http.log")).unwrap();
    let lines: Vec<serde_json::Value> =
        http.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "the same exchange was seen on two interfaces:\n{http}");
    assert_eq!((&lines[0]["target"], &lines[0]["iface"]), (&"/x".into(), &"lo".into()));
    assert_eq!(lines[0]["server_rtt_us"], 48_000.0);
    assert_eq!(lines[0]["retransmits"], 0);
    assert_eq!((&lines[0]["client_zone"], &lines[0]["server_zone"]), (&"private".into(), &"internet".into()));
    let flows = std::fs::read_to_string(path("flow.log")).unwrap();
    assert_eq!(flows.lines().filter(|line| line.contains("\"end_reason\":\"shutdown\"")).count(), 2);
    assert!(get(address, "/healthz").await.is_empty(), "the port is free again");
}

/// The flow log goes to a pipe that nobody reads, and many flows end: events are read all the same.
#[test]
fn waiting_flow_lines_never_delay_events() {
    const FLOWS: u16 = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Open for reading as well, so that the writer can open it.
    let held = std::fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let (flow_log, counters) = log("flow_log", "flow", pipe.to_str().unwrap());

    let mut story = Story::new(Arc::default());
    story.records = (0..FLOWS).map(|port| testing::connection(1, 1_000 + port, 80, 1_000)).collect();
    let feed = Arc::new(Feed::new(Bounds { keep: [10; 2], clients: 1 }, SinkCounters::new));
    let interval = Duration::from_secs(5);
    let pump = pump(Box::new(Late { story, drained: None }), flow_log, &feed, Span::seconds(5));
    let (stop, stopped) = mpsc::channel();
    let started = std::time::Instant::now();
    let pump = thread::spawn(move || pump.run(&stopped));
    while feed.latest(1, &|_| true).is_empty() {
        assert!(started.elapsed() < interval * 2, "no event came through");
        thread::sleep(Duration::from_millis(5));
    }
    let took = started.elapsed();
    // A fifth of the interval is what lines once waited.
    assert!(took < interval + Duration::from_millis(700), "{took:?}");
    let dropped = counters.dropped();
    assert!(dropped > 0 && dropped < u64::from(FLOWS), "{dropped}");
    // A reader at last: the end comes, and all that was not dropped is there.
    let reader = thread::spawn(move || std::io::BufRead::lines(std::io::BufReader::new(held)).count());
    drop(stop);
    pump.join().unwrap().unwrap();
    let written = counters.records();
    assert_eq!(written + dropped, u64::from(FLOWS));
    drop(reader);
}

/// A log of records of one kind with room for 16, and its counters.
fn log(name: &'static str, kind: &'static str, path: &str) -> (Sinks, Arc<SinkCounters>) {
    let list = SinkList::default();
    let mut opener = Opener::new(Rotation::default(), list.clone());
    let mut sinks = Sinks::default();
    sinks.take_over(opener.open(&[Spec::log(name, path, kind, "json", 16)], &[]).unwrap());
    (sinks, list.get(name))
}

/// A pump on one interface, whose HTTP exchanges come to `feed`.
fn pump(source: Box<dyn Source>, sinks: Sinks, feed: &Arc<Feed<Record>>, interval: Span) -> Pump {
    let watched = Watched {
        slot: 1,
        name: Arc::from("lo"),
        one_point: true,
        physical: false,
        speed: None,
        mac: String::new(),
        mtu: 1_500,
        ifindex: 1,
    };
    let options = LedgerOptions { conversations: 10_000, active_timeout: Some(1) };
    let clock = WallClock::measure().unwrap();
    let config = Config { interfaces: vec!["lo".to_owned()], ..Config::default() };
    let follow = Follow::new(std::slice::from_ref(&watched), &config, 4, 0).unwrap();
    let ledger = Ledger::new(options, Arc::default(), vec![(watched, None)], clock);
    let telemetry = Arc::new(Telemetry::new(Vec::new()));
    let board = Board::new(ledger.numbers().clone(), Vec::new(), Arc::clone(&telemetry));
    let config = Config { interval, event_interval: Span::millis(10), ..Config::default() };
    let outputs = Outputs { board: Arc::new(board), telemetry, feed: Arc::clone(feed), sinks };
    Pump::new(source, ledger, outputs, clock, follow, &config)
}

/// A story whose reading is over only once the events that came meanwhile have been read.
struct Long {
    story: Story,
    parts: u32,
}

impl Source for Long {
    fn attach(&mut self, name: &str, ifindex: u32, interface: Setting) -> Result<&'static str> {
        self.story.attach(name, ifindex, interface)
    }

    fn drain_part(&mut self, now: u64, visit: Visit<'_>) -> Result<Option<DrainReport>> {
        self.parts += 1;
        assert!(self.parts < 500, "events wait for the end of a reading");
        thread::sleep(Duration::from_millis(5));
        let read = self.story.drain_part(now, visit)?;
        Ok(read.filter(|_| self.story.events.is_empty()))
    }

    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        self.story.totals(slots)
    }

    fn passed(&self, _: u16, _: Direction, _: u64, _: &mut [u64]) -> u64 {
        0
    }

    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        if self.parts > 0 { self.story.events(visit) } else { 0 }
    }

    fn record(&mut self, slot: u32, visit: &mut dyn FnMut(&FlowRecord)) {
        self.story.record(slot, visit);
    }

    fn finish(&mut self, visit: Visit<'_>) -> Result<DrainReport> {
        self.story.finish(visit)
    }
}

#[test]
fn events_are_read_while_a_large_table_is() {
    let feed = Arc::new(Feed::new(Bounds { keep: [10; 2], clients: 1 }, SinkCounters::new));
    let story = Story::new(Arc::default());
    let pump = pump(Box::new(Long { story, parts: 0 }), Sinks::default(), &feed, Span::millis(100));
    let (stop, stopped) = mpsc::channel();
    let pump = thread::spawn(move || pump.run(&stopped));
    let started = std::time::Instant::now();
    while feed.latest(1, &|_| true).is_empty() && !pump.is_finished() {
        assert!(started.elapsed() < Duration::from_secs(10), "no event came through");
        thread::sleep(Duration::from_millis(5));
    }
    drop(stop);
    pump.join().unwrap().unwrap();
}

/// A story whose events come after the first drain.
struct Late {
    story: Story,
    drained: Option<std::time::Instant>,
}

impl Source for Late {
    fn attach(&mut self, name: &str, ifindex: u32, interface: Setting) -> Result<&'static str> {
        self.story.attach(name, ifindex, interface)
    }

    fn drain_part(&mut self, _: u64, visit: Visit<'_>) -> Result<Option<DrainReport>> {
        self.drained = Some(std::time::Instant::now());
        for (slot, record) in (0..).zip(&self.story.records) {
            visit(slot, record, Some(EndReason::Idle));
        }
        self.story.records.clear();
        Ok(Some(DrainReport::default()))
    }

    fn totals(&mut self, slots: &[u16]) -> Result<Vec<InterfaceTotals>> {
        self.story.totals(slots)
    }

    fn passed(&self, _: u16, _: Direction, _: u64, _: &mut [u64]) -> u64 {
        0
    }

    fn events(&mut self, visit: &mut dyn FnMut(&PayloadEvent, &[u8])) -> usize {
        if self.drained.is_some() { self.story.events(visit) } else { 0 }
    }

    fn record(&mut self, _: u32, _: &mut dyn FnMut(&FlowRecord)) {}

    fn finish(&mut self, _: Visit<'_>) -> Result<DrainReport> {
        Ok(DrainReport::default())
    }
}
