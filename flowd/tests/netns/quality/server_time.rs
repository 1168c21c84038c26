//! What part of a response time the server took, while the delay of the network changes under it.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Mutex, atomic::Ordering::Relaxed},
    thread::{self, scope},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    alone::alone,
    daemon::Daemon,
    lossy::{Line, Lossy, ahead_of_others},
    privileged,
    router::{LAN, SERVER_V4},
};

const REQUEST: &str = "GET /think HTTP/1.1\r\nHost: x\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
/// One-way delays of the line, ms: it becomes slower, quicker, and slower again.
const DELAYS: [u64; 4] = [5, 15, 2, 10];
/// Requests at each delay.
const TIMES: usize = 10;
/// Of them, so many must have been undisturbed.
const UNDISTURBED: usize = 5;
/// A packet that waits so much longer than the line's delay was disturbed: its processor did something else. The time is
/// then neither the line's nor the server's, and a round trip before it is too long by as much.
const DISTURBED: Duration = Duration::from_micros(500);

/// What client and server measured of one exchange.
struct Truth {
    /// What the server took, us.
    think: f64,
    /// Whether both crossed the network within the line's delay, and some microseconds.
    undisturbed: bool,
}

/// Requests of a client, one connection for all or one for each, to a server that takes `think` for each.
/// Gives what client and server measured, and the log, both in order.
fn story(think: Duration, keep_alive: bool) -> (Vec<Truth>, Vec<Value>) {
    let path = Lossy::new(false, Line { delay: Duration::from_millis(DELAYS[0]), ..Line::default() });
    let listener = path.server.enter(|| TcpListener::bind(("0.0.0.0", 80)).unwrap());
    let daemon = Daemon::start(&path.gateway, &[LAN], "");
    let took = Mutex::new(Vec::new());
    let connections = if keep_alive { 1 } else { DELAYS.len() * TIMES };
    let mut waits = Vec::new();
    scope(|scope| {
        scope.spawn(|| {
            ahead_of_others();
            for _ in 0..connections {
                let mut stream = listener.accept().unwrap().0;
                stream.set_nodelay(true).unwrap();
                while stream.read_exact(&mut [0; REQUEST.len()]).is_ok() {
                    let start = Instant::now();
                    thread::sleep(think);
                    let slept = start.elapsed();
                    stream.write_all(RESPONSE.as_bytes()).unwrap();
                    took.lock().unwrap().push(slept);
                }
            }
        });
        // Entering the namespace takes time of its own.
        let connect = || {
            path.client.enter(|| {
                let start = Instant::now();
                (TcpStream::connect((SERVER_V4, 80)).unwrap(), start.elapsed())
            })
        };
        let mut kept = keep_alive.then(|| connect().0);
        for delay in DELAYS {
            path.delay.store(delay * 1_000_000, Relaxed);
            let round_trip = Duration::from_millis(2 * delay);
            for _ in 0..TIMES {
                let (mut fresh, connecting) = (!keep_alive).then(connect).unzip();
                let connecting = connecting.unwrap_or_default();
                let stream = kept.as_mut().or(fresh.as_mut()).unwrap();
                let start = Instant::now();
                stream.write_all(REQUEST.as_bytes()).unwrap();
                stream.read_exact(&mut [0; RESPONSE.len()]).unwrap();
                let crossing = start.elapsed().saturating_sub(round_trip);
                waits.push((connecting.saturating_sub(round_trip), crossing));
            }
        }
    });
    path.client.quiet("eth0");
    let truth =
        waits.into_iter().zip(took.into_inner().unwrap()).map(|((connecting, answered), took)| Truth {
            think: took.as_secs_f64() * 1e6,
            undisturbed: connecting.max(answered.saturating_sub(took)) < DISTURBED,
        });
    (truth.collect(), daemon.stop().http)
}

/// The median of how far flowd is off for each delay of the line.
fn compare(think: Duration, keep_alive: bool) {
    let _alone = alone();
    let (truth, lines) = story(think, keep_alive);
    assert_eq!(lines.len(), truth.len());
    for (delay, (truth, lines)) in DELAYS.into_iter().zip(truth.chunks(TIMES).zip(lines.chunks(TIMES))) {
        assert!(lines.iter().all(|line| line["outcome"] == "complete" && line["retransmits"] == 0));
        let number = |line: &Value, name: &str| line[name].as_f64().unwrap_or(f64::NAN);
        let undisturbed = truth.iter().zip(lines).filter(|(truth, _)| truth.undisturbed);
        let mut errors: Vec<f64> =
            undisturbed.map(|(truth, line)| number(line, "think_time_us") - truth.think).collect();
        errors.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let mean = truth.iter().map(|truth| truth.think).sum::<f64>() / truth.len() as f64;
        println!(
            "keep-alive {keep_alive}, delay {delay} ms, the server took {mean:.0} us, round trip {:.0}: \
             undisturbed {} of {TIMES}, off by {errors:.0?}",
            number(&lines[0], "server_rtt_us"),
            errors.len(),
        );
        assert!(errors.len() >= UNDISTURBED, "the machine is too busy to measure on");
        let median = errors[errors.len() / 2].abs();
        assert!(median <= (mean * 0.05).max(200.0), "{median} us of {mean}");
    }
}

#[test]
fn think_time_on_connections_of_their_own() {
    if privileged("think_time_on_connections_of_their_own") {
        compare(Duration::from_millis(20), false);
    }
}

#[test]
fn think_time_of_a_slow_server_on_one_connection() {
    if privileged("think_time_of_a_slow_server_on_one_connection") {
        compare(Duration::from_millis(80), true);
    }
}
