//! A path that loses and a server that is slow make requests equally slow. The lines and the metrics tell which it is.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread::{scope, sleep},
    time::Duration,
};

use serde_json::Value;

use crate::support::{
    alone::alone,
    daemon::Daemon,
    lossy::{Line, Lossy},
    privileged,
    router::SERVER_V4,
};

const LOSSY: u16 = 8080;
const SLOW: u16 = 8081;
const THINK: Duration = Duration::from_millis(200);
const TIMES: usize = 8;
/// Only what is longer than a short request is lost on the line.
const BODY: usize = 60_000;

/// Answers so many connections with one request each, each after `think`.
fn serve(listener: &TcpListener, length: usize, think: Duration) {
    for _ in 0..TIMES {
        let mut stream = listener.accept().unwrap().0;
        stream.read_exact(&mut vec![0; length]).unwrap();
        sleep(think);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").unwrap();
    }
}

/// `flowd:tcp_retransmit_ratio` towards a server's port, over two scrapes.
fn ratio(before: [f64; 2], after: [f64; 2]) -> f64 {
    (after[0] - before[0]) / (after[1] - before[1])
}

#[test]
fn lines_and_metrics_tell_the_network_from_the_server() {
    if !privileged("lines_and_metrics_tell_the_network_from_the_server") {
        return;
    }
    let _alone = alone();
    let line = Line { lost_per_mille: 80, delay: Duration::from_millis(2) };
    let path = Lossy::new(false, line);
    let listen = |port| path.server.enter(|| TcpListener::bind(("0.0.0.0", port)).unwrap());
    let [lossy, slow] = [LOSSY, SLOW].map(listen);
    let daemon = Daemon::start(&path.gateway, &["tun0"], "");
    let post =
        format!("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY}\r\n\r\n{}", "x".repeat(BODY));
    let get = "GET /report HTTP/1.1\r\nHost: x\r\n\r\n".to_owned();
    let scrape = |port: u16| {
        daemon.drained();
        let label = format!("server_port=\"{port}\"");
        ["flowd_tcp_retransmits_total", "flowd_flow_packets_total"].map(|name| daemon.metric(name, &[&label]))
    };
    let before = [LOSSY, SLOW].map(scrape);
    scope(|scope| {
        scope.spawn(|| serve(&lossy, post.len(), Duration::ZERO));
        scope.spawn(|| serve(&slow, get.len(), THINK));
        for _ in 0..TIMES {
            for (port, request) in [(LOSSY, &post), (SLOW, &get)] {
                let mut stream = path.client.enter(|| TcpStream::connect((SERVER_V4, port)).unwrap());
                stream.write_all(request.as_bytes()).unwrap();
                stream.read_to_end(&mut Vec::new()).unwrap();
            }
        }
    });
    path.client.quiet("eth0");
    let after = [LOSSY, SLOW].map(scrape);
    let lines = daemon.stop().http;
    let of = |port: u16| lines.iter().filter(|line| line["server"]["port"] == port).collect::<Vec<&Value>>();
    let think = |line: &Value| line["think_time_us"].as_f64();
    let retransmits =
        |lines: &[&Value]| lines.iter().map(|line| line["retransmits"].as_u64().unwrap()).sum::<u64>();
    let [lossy, slow] = [LOSSY, SLOW].map(of);
    assert_eq!((lossy.len(), slow.len()), (TIMES, TIMES));
    let ratios = [0, 1].map(|at: usize| ratio(before[at], after[at]));
    println!("retransmits {} and {}, ratios {ratios:.4?}", retransmits(&lossy), retransmits(&slow));
    for line in &lossy {
        println!("{} {:?}", line["retransmits"], think(line));
    }
    // The network: retransmits, and a server that answers at once.
    assert!(retransmits(&lossy) >= 10);
    assert!(lossy.iter().filter_map(|line| think(line)).all(|think| think < THINK.as_secs_f64() * 1e6 / 4.0));
    assert!(ratios[0] > 0.01, "{ratios:?}");
    // The server: none, and all the time is its own.
    assert_eq!(retransmits(&slow), 0);
    let least = THINK.as_secs_f64() * 1e6 * 0.95;
    assert!(slow.iter().all(|line| think(line).is_some_and(|think| think >= least)), "{slow:?}");
    assert_eq!(ratios[1], 0.0);
    assert!(path.to_server.lost.load(std::sync::atomic::Ordering::Relaxed) > 0);
}
