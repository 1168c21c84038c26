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
const TIMES: usize = 5;

/// Requests of a client, one connection for all or one for each, to a server that takes `think` for each.
/// Gives what the server says it took, and the log, both in order, us.
fn story(think: Duration, keep_alive: bool) -> (Vec<f64>, Vec<Value>) {
    let path = Lossy::new(false, Line { delay: Duration::from_millis(DELAYS[0]), ..Line::default() });
    let listener = path.server.enter(|| TcpListener::bind(("0.0.0.0", 80)).unwrap());
    let daemon = Daemon::start(&path.gateway, &[LAN], "");
    let took = Mutex::new(Vec::new());
    let connections = if keep_alive { 1 } else { DELAYS.len() * TIMES };
    scope(|scope| {
        scope.spawn(|| {
            ahead_of_others();
            for _ in 0..connections {
                let mut stream = listener.accept().unwrap().0;
                stream.set_nodelay(true).unwrap();
                while stream.read_exact(&mut [0; REQUEST.len()]).is_ok() {
                    let start = Instant::now();
                    thread::sleep(think);
                    let slept = start.elapsed().as_secs_f64() * 1e6;
                    stream.write_all(RESPONSE.as_bytes()).unwrap();
                    took.lock().unwrap().push(slept);
                }
            }
        });
        let connect = || path.client.enter(|| TcpStream::connect((SERVER_V4, 80)).unwrap());
        let mut kept = keep_alive.then(connect);
        for delay in DELAYS {
            path.delay.store(delay * 1_000_000, Relaxed);
            for _ in 0..TIMES {
                let mut fresh = (!keep_alive).then(connect);
                let stream = kept.as_mut().or(fresh.as_mut()).unwrap();
                stream.write_all(REQUEST.as_bytes()).unwrap();
                stream.read_exact(&mut [0; RESPONSE.len()]).unwrap();
            }
        }
    });
    path.client.quiet("eth0");
    (took.into_inner().unwrap(), daemon.stop().http)
}

/// The median of how far flowd is off for each delay of the line, as each request alone may have waited for its
/// turn on a busy machine.
fn compare(think: Duration, keep_alive: bool) {
    let _alone = alone();
    let (took, lines) = story(think, keep_alive);
    assert_eq!(lines.len(), took.len());
    for (delay, (took, lines)) in DELAYS.into_iter().zip(took.chunks(TIMES).zip(lines.chunks(TIMES))) {
        let number = |line: &Value, name: &str| line[name].as_f64().unwrap_or(f64::NAN);
        let errors = took.iter().zip(lines).map(|(took, line)| number(line, "think_time_us") - took);
        let mut errors: Vec<f64> = errors.collect();
        errors.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        let truth = took.iter().sum::<f64>() / took.len() as f64;
        println!(
            "keep-alive {keep_alive}, delay {delay} ms, the server took {truth:.0} us, round trip {:.0}: off by {errors:.0?}",
            number(&lines[0], "server_rtt_us")
        );
        let median = errors[TIMES / 2].abs();
        assert!(median <= (truth * 0.05).max(200.0), "{median} us of {truth}");
        assert!(lines.iter().all(|line| line["outcome"] == "complete" && line["retransmits"] == 0));
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
