//! All at once against the daemon: first packets of flows that never come again from 1, 256 and 65,536 addresses,
//! connections that say nothing, clients that do not read, wrong passwords and lists by the dozen; beside them requests,
//! queries and handshakes of five honest hosts, two scrapers and a probe.
//!
//! `FLOWD_HOSTILE_SECONDS` lets it last longer, as `cargo xtask hostile` does; `FLOWD_HOSTILE_DATA=1` adds floods of
//! requests, hellos and queries, with no handshake before them, as `cargo xtask hostile --data` does.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use super::{honest, loopback, stories::Story};
use crate::support::{
    alone::alone,
    daemon::{Daemon, LOOKUPS, sum},
    namespace::since,
    nginx::Nginx,
    privileged,
    router::{LAN, Router},
    until,
    user::{folder, own},
};

/// Slots of the default table.
const TABLE: f64 = 262_144.0;
const CONFIG: &str = "interval = \"500ms\"\nflows = 262144\nflow_log = \"\"\n";
const LATER: &str = "[timeouts]\ntcp_half_open = \"1s\"\nudp = \"5s\"\n";
/// Of `correct horse`.
const USERS: &str = "ann:$2b$08$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";
const TOKEN: &str = "0123456789abcdef";
/// Addresses of loopback that do harm, each by itself.
const HOSTILE: u8 = 20;
/// Addresses that each flood of packets comes from.
const SOURCES: [u32; 3] = [1, 256, 65_536];
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
    honest::move_in(&router);
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        own(&path);
        path
    };
    let (users, tokens) = (file("users", USERS), file("tokens", TOKEN));
    let data = std::env::var("FLOWD_HOSTILE_DATA").is_ok_and(|text| text == "1");
    let config = format!("{CONFIG}{LATER}{LOOKUPS}[web]\nusers = {users:?}\ntokens = {tokens:?}\n");
    let before = router.gateway.quiet(LAN);
    let daemon = Daemon::start(&router.gateway, &[LAN], &config);
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let metrics = || {
        let answer = router.gateway.enter(|| ask([127, 0, 9, 9], "/metrics", &bearer));
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    };
    let (stop, [fast, slow, probes]) = (AtomicBool::new(false), [(); 3].map(|()| Asked::default()));
    let (mut most, asked, sent) = (0, honest::Asked::default(), AtomicU64::new(0));
    let mut stories = vec![Story::syns()];
    if data {
        stories.extend([Story::http(false, 100), Story::tls(false), Story::dns(1)]);
    }
    let idle = daemon.memory("RssAnon");
    scope(|scope| {
        let (router, stop, sent) = (&router, &stop, &sent);
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
        honest::start(scope, router, stop, &asked);
        // Flows that never come again.
        for (story, sources) in stories.iter().flat_map(|story| SOURCES.map(|sources| (story, sources))) {
            scope.spawn(move || {
                let mut telling = story.start(&router.client, "eth0", sources);
                repeat(stop, Duration::from_millis(8), || telling.send());
                sent.fetch_add(telling.sent(), Relaxed);
            });
        }
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
                        // A list takes its time, which is none of those who guess.
                        if number % 2 == 0 {
                            ask(from, "/api/v1/flows?top=10000", "Authorization: Basic YW5uOndyb25n\r\n");
                        } else {
                            ask(from, "/api/v1/flows?top=10000", &bearer);
                        }
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
    // Data without a handshake leaves flows of one side, which make room once more than half of the table is taken.
    let left = if data { TABLE / 2.0 } else { 200.0 };
    until("slots are free", 10, || (sum(&metrics(), "flowd_map_entries", &[]) < left).then_some(()));
    until("lists are answered", 10, || {
        let answer = router.gateway.enter(|| ask([127, 0, 9, 4], "/api/v1/flows", &bearer));
        answer.starts_with("HTTP/1.1 200").then_some(())
    });
    let kernel = since(router.gateway.quiet(LAN), before);
    sleep(Duration::from_secs(1));
    let text = metrics();
    let of = |family: &str| sum(&text, family, &[]) as u64;
    let packets = kernel[0].packets + kernel[1].packets;
    println!("{} packets of floods, {} copies lost", sent.load(Relaxed), of("flowd_events_lost_total"));
    let accounted = of("flowd_flow_packets_total") + of("flowd_packets_unaccounted_total");
    assert_eq!((of("flowd_interface_packets_total"), accounted), (packets, packets), "totals");
    let refused = |reason: &str| sum(&text, "flowd_web_refused_total", &[&format!("reason=\"{reason}\"")]);
    for reason in ["places", "login", "login_rate"] {
        println!("{reason}: {} refused", refused(reason));
        assert!(refused(reason) > 0.0, "{reason}");
    }
    let full = sum(&text, "flowd_packets_unaccounted_total", &["reason=\"table_full\""]);
    println!("{full} packets found the table full");
    let ended = daemon.stop();
    let logged = [
        honest::lines(&ended.http, "target", "complete"),
        honest::lines(&ended.dns, "query", "answered"),
        honest::lines(&ended.tls, "sni", "complete"),
    ];
    for ((name, answered), logged) in honest::Asked::NAMES.into_iter().zip(asked.answered()).zip(logged) {
        println!("{name}: {logged} of {answered} honest lines are in the log");
        assert!(answered > 0 && logged * 100 >= answered * 95, "{name}: {logged} of {answered}");
    }
}
