//! More than the machine can take: floods, outputs and clients that take nothing. What is lost is counted, memory is
//! what the README says, readings keep their beat, and it is over when the cause is.

use std::{
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;

use crate::outputs::logs::Small;
use crate::support::{
    alone::alone,
    daemon::Daemon,
    flood::Flood,
    namespace::since,
    nginx::Nginx,
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4},
    until, user,
};

/// `FLOWD_FLOOD_FLOWS` sends so many, for a run by hand.
const FLOWS: u64 = 300_000;
const TABLE: u64 = 16_384;
const INTERVAL: Duration = Duration::from_millis(250);

fn config(more: &str) -> String {
    format!(
        "interval = \"250ms\"\nflows = {TABLE}\nflow_log = \"\"\n{more}\n[timeouts]\nudp = \"1s\"\ntcp_half_open = \"1s\"\n"
    )
}

/// How old a reading may get beside the time that the daemon has waited for a processor: two intervals and a second.
const OLDEST: f64 = 2.0 * 0.25 + 1.0;

/// What the README allows the daemon for so many slots, all of them live. Without the window through which it reads, and
/// to be held against memory of its own alone: the text of a binary that is not optimised is large. The last part is for
/// an index that doubles once more while flows come and go in a full table.
const fn allowed(slots: u64) -> u64 {
    (14 << 20) + 8 * slots + 600 * slots + 180 * slots
}

/// Requests over a connection each.
fn requests(router: &Router, from: u32, to: u32) {
    let mut curl = router.client.command("curl");
    curl.args(["-sS", "--max-time", "20", "-o", "/dev/null", "--no-keepalive"]);
    run(curl.arg(format!("http://{SERVER_V4}/echo/[{from}-{to}]")));
}

/// Sends flows of one packet each, no two alike, as fast as one thread can.
fn one_packet_flows(test: &str, frame: &[u8]) {
    if !privileged(test) {
        return;
    }
    let _alone = alone();
    let count = std::env::var("FLOWD_FLOOD_FLOWS").map_or(FLOWS, |text| text.parse().unwrap());
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let before = router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], &config(""));
    daemon.drained();
    let (sent, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let (mut most, mut oldest) = (0, 0.0_f64);
    let (start, waited) = (Instant::now(), daemon.reader_times()[1]);
    let took = scope(|scope| {
        let sender = scope.spawn(|| {
            let mut flood = Flood::open(&router.client, "eth0", frame);
            let mut number = 0_u32;
            while flood.sent() < count {
                flood.send(|frame| {
                    number = number.wrapping_add(1);
                    // Another source each time: 10.0.0.0/8, and the port beyond that.
                    frame[26..30].copy_from_slice(&(0x0a00_0000 | number & 0x00ff_ffff).to_be_bytes());
                    frame[34..36].copy_from_slice(&(1_024 + (number >> 24) as u16).to_be_bytes());
                });
            }
            sent.store(flood.sent(), Relaxed);
            done.store(true, Relaxed);
            start.elapsed()
        });
        while !done.load(Relaxed) {
            sleep(INTERVAL);
            most = most.max(daemon.memory("RssAnon"));
            oldest = oldest.max(daemon.age());
        }
        sender.join().unwrap()
    });
    let waited = (daemon.reader_times()[1] - waited).as_secs_f64();
    let kernel = since(router.gateway.quiet(LAN), before);
    let passages = daemon.passages(LAN);
    let (sent, full) = (sent.load(Relaxed), passages[0].reason("table_full"));
    let rate = sent as f64 / took.as_secs_f64() / 1e3;
    println!(
        "{test}: {sent} flows in {took:?}, {rate:.0} thousand/s; {full} found the table full; readings at most \
         {oldest:.2} s old, {waited:.2} s without a processor in all; RssAnon {} KiB of {} allowed",
        most >> 10,
        allowed(TABLE) >> 10
    );
    assert_eq!([passages[0].wire(), passages[1].wire()], kernel, "totals");
    assert!(kernel[0].packets >= sent, "{kernel:?}");
    assert!(full > TABLE, "the table did not overflow");
    let flows = daemon.metric("flowd_flow_packets_total", &[]) as u64;
    let skipped = passages[0].skipped().packets + passages[1].skipped().packets;
    assert_eq!(flows + skipped, kernel[0].packets + kernel[1].packets, "flows and reasons");
    assert!(most < allowed(TABLE), "{most} bytes");
    assert!(oldest - waited < OLDEST, "a reading {oldest} s ago");

    // The flood is over: slots are free again, and what comes is in flows.
    until("slots are free", 10, || (daemon.metric("flowd_map_entries", &[]) < 100.0).then_some(()));
    requests(&router, 1, 20);
    let after = daemon.passages(LAN);
    assert_eq!(after[0].reason("table_full"), full);
    until("requests are in the log", 10, || (daemon.http().len() >= 20).then_some(()));
    daemon.stop();
}

#[test]
fn a_syn_flood_passes() {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 0x77]);
    builder
        .ipv4([10, 0, 0, 0], [198, 51, 100, 2], 64)
        .tcp(1_024, 80, 7, 64_240)
        .syn()
        .write(&mut frame, &[])
        .unwrap();
    one_packet_flows("a_syn_flood_passes", &frame);
}

#[test]
fn flows_of_one_packet_pass() {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 0x77]);
    builder.ipv4([10, 0, 0, 0], [198, 51, 100, 2], 64).udp(1_024, 5_001).write(&mut frame, &[0; 18]).unwrap();
    one_packet_flows("flows_of_one_packet_pass", &frame);
}

fn exported(daemon: &Daemon<'_>) -> [u64; 3] {
    ["records", "dropped", "errors"]
        .map(|what| daemon.metric(&format!("flowd_export_{what}_total"), &["sink=\"http_log\""]) as u64)
}

#[test]
fn a_full_disk_costs_lines_until_there_is_room() {
    if !privileged("a_full_disk_costs_lines_until_there_is_room") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let disk = Small::new();
    user::own(disk.path());
    let (log, filler) = (disk.path().join("log"), disk.path().join("filler"));
    fs::write(&filler, vec![b'x'; 40 << 10]).unwrap();
    let daemon =
        Daemon::start(&router.gateway, &[LAN], &config(&format!("http_log = \"{}\"", log.display())));
    requests(&router, 1, 200);
    until("lines are dropped", 10, || (exported(&daemon)[1] > 0).then_some(()));
    daemon.drained();
    fs::remove_file(&filler).unwrap();
    requests(&router, 201, 220);
    let last = || fs::read_to_string(&log).unwrap().contains("/echo/220");
    until("lines are written again", 10, || last().then_some(()));
    let counts = until("all is accounted for", 10, || {
        Some(exported(&daemon)).filter(|[records, dropped, _]| records + dropped == 220)
    });
    let [records, dropped, errors] = counts;
    println!("{records} lines written, {dropped} dropped, {errors} errors");
    let text = fs::read_to_string(&log).unwrap();
    assert_eq!(text.lines().count() as u64, records);
    assert!(text.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "a torn line");
    assert!((201..=220).all(|number| text.contains(&format!("/echo/{number}\""))), "none is lost after");
    let said = daemon.stop().stderr;
    assert_eq!(said.matches("; records are dropped until it works again").count(), 1, "{said}");
}

#[test]
fn a_reader_that_stops_costs_lines_until_it_goes_on() {
    if !privileged("a_reader_that_stops_costs_lines_until_it_goes_on") {
        return;
    }
    const FIRST: u32 = 400;
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let folder = user::folder();
    let pipe = folder.path().join("pipe");
    run(Command::new("mkfifo").arg(&pipe));
    user::own(&pipe);
    // For writing as well, so that opening it waits for nobody; reads nothing yet.
    let reader = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let more = format!("http_log = \"{}\"\nlog_queue = 16", pipe.display());
    let daemon = Daemon::start(&router.gateway, &[LAN], &config(&more));
    requests(&router, 1, FIRST);
    until("the queue is full", 10, || (exported(&daemon)[1] > 0).then_some(()));
    // Nobody waits for it meanwhile.
    for _ in 0..4 {
        daemon.drained();
        assert!(daemon.age() - daemon.reader_times()[1].as_secs_f64() < OLDEST);
    }
    let lines = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).lines() {
            if lines.0.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    // What waited is out before there is more.
    let quiet = || {
        let counts = exported(&daemon);
        sleep(INTERVAL);
        (counts[0] + counts[1] == u64::from(FIRST) && counts == exported(&daemon)).then_some(())
    };
    until("what waited is written", 10, quiet);
    for number in 1..=10 {
        requests(&router, FIRST + number, FIRST + number);
    }
    let mut read = Vec::new();
    while read.last().is_none_or(|line: &String| !line.contains(&format!("/echo/{}\"", FIRST + 10))) {
        read.push(lines.1.recv_timeout(Duration::from_secs(10)).unwrap());
    }
    let [records, dropped, _] = until("all is accounted for", 10, || {
        Some(exported(&daemon)).filter(|[records, dropped, _]| records + dropped == u64::from(FIRST) + 10)
    });
    println!("{records} lines read, {dropped} dropped");
    assert_eq!(read.len() as u64, records);
    for line in &read {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    for number in 1..=10 {
        assert!(read.iter().any(|line| line.contains(&format!("/echo/{}\"", FIRST + number))), "{number}");
    }
    daemon.stop();
}

/// A client at an address of loopback that asks for more than it has room for, and reads nothing.
fn glutton(number: usize) -> TcpStream {
    let address = [127, 0, 0, 2 + (number / 70) as u8];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.bind((address, 0).into()).unwrap();
        socket.connect(([127, 0, 0, 1], 9_435).into()).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    // Where there is no place, it is refused at once.
    let _ = { &stream }.write_all(&b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(64));
    stream
}

#[test]
fn clients_that_never_read_leave_room_for_others() {
    if !privileged("clients_that_never_read_leave_room_for_others") {
        return;
    }
    const STUCK: usize = 200;
    /// Connections that the web server takes at once.
    const MOST: usize = 256;
    let router = Router::new(false);
    let daemon = Daemon::start(&router.gateway, &[LAN], &config(""));
    let answer = daemon.get("/metrics").len() as u64;
    let small = daemon.memory("VmRSS");
    let mut stuck: Vec<TcpStream> = router.gateway.enter(|| (0..STUCK).map(glutton).collect());
    sleep(Duration::from_secs(1));
    let look = |what: &str| {
        let mut slowest = Duration::ZERO;
        for _ in 0..5 {
            let start = Instant::now();
            assert!(daemon.get("/metrics").len() as u64 > answer / 2);
            daemon.get("/healthz");
            slowest = slowest.max(start.elapsed());
            daemon.drained();
            assert!(daemon.age() - daemon.reader_times()[1].as_secs_f64() < OLDEST);
        }
        let grown = daemon.memory("VmRSS").saturating_sub(small);
        println!(
            "{what}: a scrape of {answer} bytes takes {slowest:?} at most; grown by {} KiB",
            grown >> 10
        );
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        // They share a few expositions; beside that, a connection holds its buffers.
        assert!(grown < 20 * answer + (MOST as u64 + 16) * (64 << 10), "grown by {grown}");
    };
    look("200 clients that do not read");
    // More than there are places for.
    stuck.extend(router.gateway.enter(|| (STUCK..2 * MOST).map(glutton).collect::<Vec<_>>()));
    sleep(Duration::from_secs(1));
    look("512 clients that do not read");
    until("clients without a place are counted", 10, || {
        (daemon.metric("flowd_web_refused_total", &["reason=\"places\""]) > 0.0).then_some(())
    });
    drop(stuck);
    daemon.drained();
    daemon.stop();
}
