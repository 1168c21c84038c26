//! On a busy CPU packets reuse readings of the clock. What measures a span does not.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use etherparse::PacketBuilder;

use crate::support::{
    alone::alone,
    daemon::Daemon,
    flood::Flood,
    privileged,
    router::{LAN, Router, SERVER_V4},
};

const REQUEST: &str = "GET /think HTTP/1.1\r\nHost: x\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const THINK: Duration = Duration::from_millis(20);
const TIMES: usize = 40;
/// The kernel's tick is no longer (HZ=100).
const TICK: f64 = 0.010;

/// A frame for another host, which the gateway's hook sees and its stack drops at once.
fn frame() -> Vec<u8> {
    let mut frame = Vec::new();
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 0x77]);
    builder.ipv4([10, 0, 0, 1], [198, 51, 100, 2], 64).udp(5_000, 5_001).write(&mut frame, &[0; 18]).unwrap();
    frame
}

/// Bursts with pauses, so that the time of the packets behind a pause is the most wrong.
fn flood(router: &Router, stop: &AtomicBool) {
    let mut flood = Flood::open(&router.client, "eth0", &frame());
    while !stop.load(Ordering::Relaxed) {
        (0..8).for_each(|_| flood.send(|_| {}));
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn spans_are_exact_on_a_busy_cpu() {
    if !privileged("spans_are_exact_on_a_busy_cpu") {
        return;
    }
    let _alone = alone();
    let router = Router::new(false);
    let listener = router.server.enter(|| TcpListener::bind(("0.0.0.0", 80)).unwrap());
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    let stop = AtomicBool::new(false);
    let mut waited = Vec::new();
    scope(|scope| {
        scope.spawn(|| {
            let mut stream = listener.accept().unwrap().0;
            for _ in 0..TIMES {
                stream.read_exact(&mut [0; REQUEST.len()]).unwrap();
                sleep(THINK);
                stream.write_all(RESPONSE.as_bytes()).unwrap();
            }
        });
        scope.spawn(|| flood(&router, &stop));
        let mut stream = router.client.enter(|| TcpStream::connect((SERVER_V4, 80)).unwrap());
        for _ in 0..TIMES {
            let asked = Instant::now();
            stream.write_all(REQUEST.as_bytes()).unwrap();
            stream.read_exact(&mut [0; RESPONSE.len()]).unwrap();
            waited.push(asked.elapsed().as_secs_f64() * 1e6);
        }
        stop.store(true, Ordering::Relaxed);
    });
    router.client.quiet("eth0");
    daemon.drained();
    let reused = daemon.metric("flowd_time_reused_packets_total", &[]);
    let error = daemon.metric("flowd_time_error_seconds", &[]);
    let lines = daemon.stop().http;
    println!("{reused} packets took the time of another, {error} s off at most");
    assert!(reused > 1_000.0 && error > 0.0 && error <= TICK, "{reused} {error}");
    assert_eq!(lines.len(), TIMES);
    let least = THINK.as_secs_f64() * 1e6;
    for (line, waited) in lines.iter().zip(waited) {
        let took = line["response_time_us"].as_f64().unwrap();
        assert!((least..=waited).contains(&took), "{took} us of {waited}, of which the server slept {least}");
    }
}
