//! flowd's life on whatever kernel this is: loaded, attached, counting real TCP and HTTP, killed, started again,
//! detached, nothing left. `cargo xtask kernels` runs this very program in guests with other kernels.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "all of this is tests"
)]
#![allow(unreachable_pub, dead_code, reason = "the harness is a module here, of which this needs a part")]

mod support;

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use support::{
    daemon::{Daemon, Passage, in_flows},
    namespace::{Counters, Counts, since},
    privileged,
    router::{LAN, Router, SERVER_V4, SERVER_V6},
    until,
};

/// Set in a guest, where no other flowd can be.
const GUEST: &str = "FLOWD_GUEST";
const CONNECTIONS: usize = 10;
const REQUESTS: usize = CONNECTIONS * 2;
const BODY: usize = 20_000;

/// Answers every request of one connection, until the client closes it.
fn answer(stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut writer, mut line) = (stream, String::new());
    while reader.read_line(&mut line).unwrap() > 0 {
        if line == "\r\n" {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY}\r\n\r\n");
            writer.write_all(head.as_bytes()).unwrap();
            writer.write_all(&vec![b'x'; BODY]).unwrap();
        }
        line.clear();
    }
}

/// Two requests per connection, the second after the first is answered; over both IP versions.
fn traffic(router: &Router) {
    for server in [SERVER_V4, SERVER_V6] {
        let listener = router.server.enter(|| TcpListener::bind((server, 80)).unwrap());
        let server_side = thread::spawn(move || {
            for _ in 0..CONNECTIONS / 2 {
                answer(listener.accept().unwrap().0);
            }
        });
        for connection in 0..CONNECTIONS / 2 {
            let mut stream = router.client.enter(|| TcpStream::connect((server, 80)).unwrap());
            for request in 0..2 {
                let text = format!("GET /{connection}/{request} HTTP/1.1\r\nHost: guest\r\n\r\n");
                stream.write_all(text.as_bytes()).unwrap();
                let mut head = [0; 64];
                let mut read = 0;
                while !head[..read].ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut head[read..=read]).unwrap();
                    read += 1;
                }
                stream.read_exact(&mut vec![0; BODY]).unwrap();
            }
        }
        server_side.join().unwrap();
    }
}

fn sum(counters: Counters) -> Counts {
    Counts {
        bytes: counters[0].bytes + counters[1].bytes,
        packets: counters[0].packets + counters[1].packets,
    }
}

/// Traffic past a flowd that has just begun: its totals are the kernel's, every packet is in a flow or under a reason,
/// and each request has its line.
fn counts(router: &Router, daemon: Daemon<'_>, before: Counters) {
    traffic(router);
    let kernel = since(router.gateway.quiet(LAN), before);
    let passages = daemon.passages(LAN);
    assert_eq!([0, 1].map(|at: usize| passages[at].skbs()), kernel, "flowd against the kernel's counters");
    // An emulated machine on a busy one takes its time.
    let counted = |daemon: &Daemon<'_>| daemon.metric("flowd_http_requests_total", &["status=\"200\""]);
    let limit = Instant::now() + Duration::from_secs(20);
    while counted(&daemon) < REQUESTS as f64 {
        if Instant::now() > limit {
            let found = counted(&daemon);
            explain(daemon);
            panic!("{found} of {REQUESTS} requests counted within 20 s");
        }
        thread::sleep(Duration::from_millis(20));
    }
    let wire = sum([0, 1].map(|at: usize| passages[at].wire()));
    let skipped: Vec<Counts> = passages.iter().map(Passage::skipped).collect();
    let ended = daemon.stop();
    assert_eq!(ended.http.len(), REQUESTS);
    assert!(ended.http.iter().all(|line| line["status"] == 200 && line["outcome"] == "complete"));
    let flows = in_flows(&ended.flows, LAN);
    assert_eq!(flows.packets + skipped[0].packets + skipped[1].packets, wire.packets);
    assert_eq!(flows.bytes + skipped[0].bytes + skipped[1].bytes, wire.bytes);
    let tcp = ended.flows.iter().filter(|flow| flow["transport"] == "tcp");
    assert_eq!(tcp.filter(|flow| flow["tcp"]["state"] == "SF").count(), CONNECTIONS);
    println!("{} packets, {} bytes, {} requests: as the kernel has them", wire.packets, wire.bytes, REQUESTS);
}

/// What flowd knows where a request is missing: its lines, what it says it lost, and the connections.
fn explain(daemon: Daemon<'_>) {
    let metrics = daemon.get("/metrics");
    let told = |line: &&str| {
        line.starts_with("flowd_http") && !line.contains("_bucket{") && !line.ends_with(" 0")
            || line.starts_with("flowd_events")
    };
    metrics.lines().filter(told).for_each(|line| println!("{line}"));
    let ended = daemon.stop();
    ended.http.iter().chain(&ended.flows).for_each(|line| println!("{line}"));
}

/// No filter at the device; in a guest no program of flowd's in the kernel at all.
fn nothing_is_left(router: &Router) {
    for hook in ["ingress", "egress"] {
        let shown = router.gateway.tc(&format!("filter show dev {LAN} {hook}"));
        assert!(!shown.contains("flow_"), "{shown}");
    }
    if std::env::var_os(GUEST).is_some() {
        let ours = || {
            let names = aya::programs::loaded_programs()
                .filter_map(|info| Some(info.ok()?.name_as_str()?.to_owned()));
            names.filter(|name| name.starts_with("flow_")).collect::<Vec<_>>()
        };
        // The kernel frees them a grace period after the last reference.
        until("the kernel has freed the programs", 10, || ours().is_empty().then_some(()));
    }
}

fn story(config: &str) {
    let router = Router::new(true);
    // A fresh interface repeats its reports of multicast groups (RFC 3810 section 9.11) after pauses that seem quiet.
    thread::sleep(Duration::from_secs(3));
    let before = router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], config);
    let said = daemon.stderr();
    println!("{}", said.lines().find(|line| line.contains("watching")).unwrap_or(&said));
    counts(&router, daemon, before);
    nothing_is_left(&router);
    Daemon::start(&router.gateway, &[LAN], config).end(libc::SIGKILL);
    let before = router.gateway.quiet(LAN);
    counts(&router, Daemon::start(&router.gateway, &[LAN], config), before);
    nothing_is_left(&router);
}

#[test]
fn the_best_hook_there_is() {
    if privileged("the_best_hook_there_is") {
        story("");
    }
}

#[test]
fn clsact_with_a_look_into_tunnels() {
    if privileged("clsact_with_a_look_into_tunnels") {
        story("hook = \"clsact\"\ndecapsulate = [\"all\"]\n");
    }
}

/// By the kernel and not the driver, which counts without the link header there.
#[test]
fn xdp_for_ingress() {
    if privileged("xdp_for_ingress") {
        story("hook = \"xdp\"\nxdp_mode = \"generic\"\n");
    }
}

#[test]
fn xdp_with_a_look_into_tunnels() {
    if privileged("xdp_with_a_look_into_tunnels") {
        story("hook = \"xdp\"\nxdp_mode = \"generic\"\ndecapsulate = [\"all\"]\n");
    }
}
