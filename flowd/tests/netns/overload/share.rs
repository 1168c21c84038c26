//! Requests of a flood that are made up do not take the lines of honest clients.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::{scope, sleep},
    time::Duration,
};

use etherparse::PacketBuilder;

use crate::support::{
    alone::alone,
    daemon::Daemon,
    flood::Flood,
    frames::mac,
    privileged,
    router::{LAN, Router, SERVER_V4},
};

const REQUEST: &str = "GET /honest HTTP/1.1\r\nHost: x\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// A small ring, which a flood fills between two looks of the reader, without a governor that stops all copies.
const CONFIG: &str =
    "event_buffer = \"256KiB\"\nflow_log = \"\"\nflows = 262144\n[governor]\ncpu = \"off\"\n";
const HONEST: usize = 100;
/// That the flood takes of the table, at most.
const FLOWS: u32 = 131_072;

/// A request without a connection, from the addresses 10.0.0.0 and up, to a port that nobody listens on.
fn frame(router: &Router) -> Vec<u8> {
    let mut frame = Vec::new();
    let to = mac(&router.gateway, LAN);
    let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], to).ipv4([10, 0, 0, 0], [198, 51, 100, 2], 64);
    let request =
        [b"GET /flood HTTP/1.1\r\nHost: x\r\nCookie: ".as_slice(), &[b'x'; 400], b"\r\n\r\n"].concat();
    builder.tcp(5_000, 81, 77, 1_000).psh().ack(0xdead_beef).write(&mut frame, &request).unwrap();
    frame
}

fn serve(listener: &TcpListener, connections: usize) {
    for _ in 0..connections {
        let mut stream = listener.accept().unwrap().0;
        while stream.read_exact(&mut [0; REQUEST.len()]).is_ok() {
            stream.write_all(RESPONSE.as_bytes()).unwrap();
        }
    }
}

/// The honest requests, one on each connection.
fn ask(router: &Router) {
    for _ in 0..HONEST {
        let mut stream = router.client.enter(|| TcpStream::connect((SERVER_V4, 80)).unwrap());
        stream.write_all(REQUEST.as_bytes()).unwrap();
        stream.read_exact(&mut [0; RESPONSE.len()]).unwrap();
        sleep(Duration::from_millis(20));
    }
}

/// Stops the daemon; copies that were left out for want of a share, and honest lines.
fn result(daemon: Daemon<'_>) -> (f64, usize) {
    daemon.drained();
    let thinned = daemon.metric("flowd_events_skipped_total", &["reason=\"share\""]);
    let lines = daemon.stop().http;
    let honest = lines.iter().filter(|line| line["target"] == "/honest" && line["status"] == 200).count();
    (thinned, honest)
}

#[test]
fn a_flood_of_made_up_requests_leaves_honest_lines() {
    if !privileged("a_flood_of_made_up_requests_leaves_honest_lines") {
        return;
    }
    let _alone = alone();
    for sources in [1_u32, 256, 65_536] {
        let router = Router::new(false);
        let listener = router.server.enter(|| TcpListener::bind(("0.0.0.0", 80)).unwrap());
        let daemon = Daemon::start(&router.gateway, &[LAN], CONFIG);
        let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
        scope(|scope| {
            scope.spawn(|| serve(&listener, HONEST));
            scope.spawn(|| {
                let mut flood = Flood::open(&router.client, "eth0", &frame(&router));
                let mut number = 0_u32;
                while !stop.load(Relaxed) {
                    flood.send(|frame| {
                        number = number.wrapping_add(1);
                        frame[26..30].copy_from_slice(&(0x0a00_0000 + number % sources).to_be_bytes());
                        // Another port each time that all sources had theirs, and then the next request.
                        let (round, ports) = (number / sources, (FLOWS / sources).min(4_096));
                        frame[34..36].copy_from_slice(&(1_024 + (round % ports) as u16).to_be_bytes());
                        frame[38..42].copy_from_slice(&(round / ports * 442).to_be_bytes());
                    });
                }
                sent.store(flood.sent(), Relaxed);
            });
            sleep(Duration::from_millis(300));
            ask(&router);
            stop.store(true, Relaxed);
        });
        router.client.quiet("eth0");
        let (thinned, honest) = result(daemon);
        let sent = sent.load(Relaxed);
        println!(
            "{sources} sources: {honest} of {HONEST} honest lines beside {sent} made-up requests; {thinned} left out"
        );
        assert!(thinned > 0.0, "the flood never filled the ring");
        assert!(honest * 100 >= HONEST * 95, "{honest} of {HONEST}");
    }
}
