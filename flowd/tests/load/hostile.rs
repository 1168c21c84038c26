//! All at once against the daemon: packets of flows that never come again, connections that say nothing, clients that do
//! not read, wrong passwords and lists by the dozen; beside them honest requests, two scrapers and a probe.
//!
//! `FLOWD_HOSTILE_SECONDS` lets it last longer, as `cargo xtask hostile` does.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;

use super::loopback;
use crate::support::{
    alone::alone,
    daemon::{Daemon, sum},
    flood::Flood,
    namespace::since,
    nginx::Nginx,
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4},
    until,
    user::{folder, own},
};

const CONFIG: &str = "interval = \"500ms\"\nflows = 65536\nflow_log = \"\"\n";
const LATER: &str = "[timeouts]\ntcp_half_open = \"1s\"\n";
/// Of `correct horse`.
const USERS: &str = "ann:$2b$08$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";
const TOKEN: &str = "0123456789abcdef";
/// Addresses of loopback that do harm, each by itself.
const HOSTILE: u8 = 20;
/// A scrape may take so long, and a probe.
const SCRAPE: Duration = Duration::from_secs(5);
const PROBE: Duration = Duration::from_secs(1);

/// What became of requests.
#[derive(Default)]
struct Asked {
    answered: AtomicU64,
    failed: AtomicU64,
    /// Milliseconds.
    slowest: AtomicU64,
}

impl Asked {
    fn note(&self, answered: bool, took: Duration, limit: Duration) {
        let count = if answered && took < limit { &self.answered } else { &self.failed };
        count.fetch_add(1, Relaxed);
        self.slowest.fetch_max(took.as_millis() as u64, Relaxed);
    }
}

/// The whole answer to a request from that address, or why there is none.
fn ask(from: [u8; 4], path: &str, authorization: &str) -> String {
    let mut answer = String::new();
    let asked = loopback::connect(from, None).and_then(|mut stream| {
        stream.set_read_timeout(Some(SCRAPE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Connection: close\r\n\r\n")?;
        stream.read_to_string(&mut answer)
    });
    match asked {
        Ok(_) => answer,
        Err(error) => format!("{error}, after {answer:.100}"),
    }
}

fn repeat(stop: &AtomicBool, pause: Duration, mut work: impl FnMut()) {
    while !stop.load(Relaxed) {
        work();
        sleep(pause);
    }
}

/// A client at another address each time that asks every so often.
fn honest(stop: &AtomicBool, asked: &Asked, from: [u8; 4], path: &str, every: Duration, limit: Duration) {
    let authorization = format!("Authorization: Bearer {TOKEN}\r\n");
    repeat(stop, every, || {
        let start = Instant::now();
        let answer = ask(from, path, &authorization);
        let answered = answer.starts_with("HTTP/1.1 200");
        if !answered {
            println!("{path} from {from:?}: {answer:.200}");
        }
        asked.note(answered, start.elapsed(), limit);
    });
}

#[test]
fn honest_clients_are_served_while_all_else_is_hostile() {
    if !privileged("honest_clients_are_served_while_all_else_is_hostile") {
        return;
    }
    let _alone = alone();
    let seconds = std::env::var("FLOWD_HOSTILE_SECONDS").map_or(10, |text| text.parse().unwrap());
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        own(&path);
        path
    };
    let (users, tokens) = (file("users", USERS), file("tokens", TOKEN));
    let config = format!("{CONFIG}{LATER}[web]\nusers = {users:?}\ntokens = {tokens:?}\n");
    let before = router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], &config);
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let metrics = || {
        let answer = router.gateway.enter(|| ask([127, 0, 9, 9], "/metrics", &bearer));
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    };
    let (stop, [fast, slow, probes]) = (AtomicBool::new(false), [(); 3].map(|()| Asked::default()));
    let (mut most, requests) = (0, AtomicU64::new(0));
    let idle = daemon.memory("RssAnon");
    scope(|scope| {
        let (router, stop, requests) = (&router, &stop, &requests);
        // Honest ones.
        for (asked, last, path, every, limit) in [
            (&fast, 1, "/metrics", 500, SCRAPE),
            (&slow, 2, "/metrics", 2_000, SCRAPE),
            (&probes, 3, "/healthz", 200, PROBE),
        ] {
            let every = Duration::from_millis(every);
            scope.spawn(move || {
                router.gateway.enter(|| honest(stop, asked, [127, 0, 9, last], path, every, limit));
            });
        }
        scope.spawn(move || {
            repeat(stop, Duration::from_millis(50), || {
                let number = requests.fetch_add(1, Relaxed);
                let mut curl = router.client.command("curl");
                curl.args(["-sS", "--max-time", "10", "-o", "/dev/null"]);
                run(curl.arg(format!("http://{SERVER_V4}/echo/honest-{number}")));
            });
        });
        // Flows of one packet each.
        scope.spawn(move || {
            let mut frame = Vec::new();
            let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 0x77]);
            let tcp = ethernet.ipv4([10, 0, 0, 0], [198, 51, 100, 2], 64).tcp(1_024, 80, 7, 64_240);
            tcp.syn().write(&mut frame, &[]).unwrap();
            let mut flood = Flood::open(&router.client, "eth0", &frame);
            let mut number = 0_u32;
            repeat(stop, Duration::from_millis(2), || {
                flood.send(|frame| {
                    number = number.wrapping_add(1);
                    frame[26..30].copy_from_slice(&(0x0a00_0000 | number & 0x00ff_ffff).to_be_bytes());
                });
            });
        });
        // Connections that say nothing, or ask and do not read.
        for reads in [true, false] {
            scope.spawn(move || {
                let mut held: Vec<TcpStream> = Vec::new();
                let mut number = 0_u32;
                router.gateway.enter(|| {
                    repeat(stop, Duration::from_millis(5), || {
                        number += 1;
                        let from = [127, 0, 1, (number % u32::from(HOSTILE)) as u8 + 1];
                        let Ok(mut stream) = loopback::connect(from, Some(4_096)) else { return };
                        if !reads {
                            let request = format!(
                                "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
                            );
                            let _ = stream.write_all(request.repeat(40).as_bytes());
                        }
                        held.push(stream);
                        if held.len() > 600 {
                            held.remove(0);
                        }
                    });
                });
            });
        }
        // Wrong passwords, and lists.
        for number in 0..4_u8 {
            let bearer = bearer.clone();
            scope.spawn(move || {
                let from = [127, 0, 2, number + 1];
                router.gateway.enter(|| {
                    repeat(stop, Duration::from_millis(1), || {
                        ask(from, "/api/v1/flows?top=10000", "Authorization: Basic YW5uOndyb25n\r\n");
                        ask(from, "/api/v1/flows?top=10000", &bearer);
                    });
                });
            });
        }
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(seconds) {
            sleep(Duration::from_millis(250));
            most = most.max(daemon.memory("RssAnon"));
        }
        stop.store(true, Relaxed);
    });
    for (name, asked) in
        [("scrapes, twice a second", &fast), ("scrapes, every 2 s", &slow), ("probes", &probes)]
    {
        let [answered, failed, slowest] =
            [&asked.answered, &asked.failed, &asked.slowest].map(|count| count.load(Relaxed));
        println!("{name}: {answered} answered, {failed} not or late, the slowest in {slowest} ms");
        assert!(answered > 0 && failed == 0, "{name}: {failed} of {} failed", answered + failed);
    }
    let allowed = idle + (256 << 20);
    println!("RssAnon {} KiB, {} KiB when idle", most >> 10, idle >> 10);
    assert!(most < allowed, "{most} bytes, {idle} when idle");

    // It is over: slots are free, and everything is answered.
    until("slots are free", 10, || (sum(&metrics(), "flowd_map_entries", &[]) < 200.0).then_some(()));
    until("lists are answered", 10, || {
        let answer = router.gateway.enter(|| ask([127, 0, 9, 4], "/api/v1/flows", &bearer));
        answer.starts_with("HTTP/1.1 200").then_some(())
    });
    let requests = requests.load(Relaxed);
    let honest = |daemon: &Daemon<'_>| {
        let lines = daemon.http();
        lines
            .iter()
            .filter(|line| line["target"].as_str().is_some_and(|target| target.contains("honest")))
            .count()
    };
    sleep(Duration::from_secs(2));
    let logged = honest(&daemon) as u64;
    println!("{logged} of {requests} honest requests are in the log");
    assert!(logged * 100 >= requests * 95, "{logged} of {requests}");
    let kernel = since(router.gateway.quiet(LAN), before);
    sleep(Duration::from_secs(1));
    let text = metrics();
    let of = |family: &str| sum(&text, family, &[]) as u64;
    let packets = kernel[0].packets + kernel[1].packets;
    let accounted = of("flowd_flow_packets_total") + of("flowd_packets_unaccounted_total");
    assert_eq!((of("flowd_interface_packets_total"), accounted), (packets, packets), "totals");
    let refused = |reason: &str| sum(&text, "flowd_web_refused_total", &[&format!("reason=\"{reason}\"")]);
    for reason in ["places", "login", "login_rate"] {
        println!("{reason}: {} refused", refused(reason));
        assert!(refused(reason) > 0.0, "{reason}");
    }
    daemon.stop();
}
