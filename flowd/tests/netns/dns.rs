//! The DNS log against a resolver and a client that the test itself is.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    daemon::{Daemon, LOOKUPS},
    privileged,
    router::{LAN, Router, SERVER_V4, SERVER_V6},
    until,
};

/// What the resolver waits before it answers.
const DELAY: Duration = Duration::from_millis(30);

/// A query for an address.
fn query(id: u16, name: &str) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, 1, 0, 1]);
    bytes
}

/// The answer to a query by its name: `missing` does not exist, `many` has a hundred addresses, `silent` has no
/// answer at all, any other one address.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let is = |word: &[u8]| query.windows(word.len()).any(|part| part == word);
    let (code, count) = match () {
        () if is(b"silent") => return None,
        () if is(b"missing") => (3, 0),
        () if is(b"many") => (0, 100),
        () => (0, 1),
    };
    let mut bytes = query.to_vec();
    (bytes[2], bytes[3], bytes[7]) = (0x81, 0x80 | code, count);
    for number in 0..count {
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, number]);
    }
    Some(bytes)
}

fn serve(udp: UdpSocket, tcp: TcpListener) {
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((len, from)) = udp.recv_from(&mut buffer) {
            thread::sleep(DELAY);
            if let Some(answer) = answer(&buffer[..len]) {
                udp.send_to(&answer, from).unwrap();
            }
        }
    });
    thread::spawn(move || {
        for stream in tcp.incoming() {
            let mut stream = stream.unwrap();
            while let Ok(query) = framed(&mut stream) {
                thread::sleep(DELAY);
                let Some(answer) = answer(&query) else { continue };
                // The length by itself, as some servers send it.
                stream.write_all(&(answer.len() as u16).to_be_bytes()).unwrap();
                stream.write_all(&answer).unwrap();
            }
        }
    });
}

/// A message behind its length.
fn framed(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

/// What the client knows: the name, the transport, and how long the answer took.
type Truth = (String, &'static str, Option<Duration>);

fn over_udp(router: &Router, server: &str, names: &[&str]) -> Vec<Truth> {
    let local = if server.contains(':') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = router.client.enter(|| UdpSocket::bind(local).unwrap());
    socket.connect((server, 53)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut buffer = [0; 4096];
    let ask = |(id, name): (u16, &&str)| {
        let start = Instant::now();
        socket.send(&query(id, name)).unwrap();
        let took = socket.recv(&mut buffer).ok().map(|_| start.elapsed());
        ((*name).to_owned(), "udp", took)
    };
    (1..).zip(names).map(ask).collect()
}

fn over_tcp(router: &Router, server: &str, names: &[&str]) -> Vec<Truth> {
    let mut stream = router.client.enter(|| TcpStream::connect((server, 53)).unwrap());
    let ask = |(id, name): (u16, &&str)| {
        let query = query(id, name);
        let start = Instant::now();
        stream.write_all(&[&(query.len() as u16).to_be_bytes(), &query[..]].concat()).unwrap();
        framed(&mut stream).unwrap();
        ((*name).to_owned(), "tcp", Some(start.elapsed()))
    };
    (1..).zip(names).map(ask).collect()
}

#[test]
fn the_dns_log_is_what_the_client_saw() {
    if !privileged("the_dns_log_is_what_the_client_saw") {
        return;
    }
    let router = Router::new(false);
    for server in [SERVER_V4, SERVER_V6] {
        let (udp, tcp) = router
            .server
            .enter(|| (UdpSocket::bind((server, 53)).unwrap(), TcpListener::bind((server, 53)).unwrap()));
        serve(udp, tcp);
    }
    let daemon = Daemon::start(&router.gateway, &["gw*"], LOOKUPS);
    let mut truth = Vec::new();
    for server in [SERVER_V4, SERVER_V6] {
        truth.extend(over_udp(
            &router,
            server,
            &["one.example", "missing.example", "silent.example", "ONE.example"],
        ));
        truth.extend(over_tcp(
            &router,
            server,
            &["over.tcp.example", "missing.tcp.example", "many.tcp.example"],
        ));
    }
    // The silent ones are given up on after five seconds.
    until("flowd counts the lookups", 10, || {
        (daemon.metric("flowd_dns_queries_total", &[]) >= truth.len() as f64).then_some(())
    });
    assert_eq!(daemon.metric("flowd_dns_unanswered_total", &[]), 2.0);
    assert_eq!(daemon.metric("flowd_dns_responses_total", &["rcode=\"NXDOMAIN\"", "qtype=\"A\""]), 4.0);
    assert_eq!(daemon.metric("flowd_dns_lookup_duration_seconds_count", &[]), truth.len() as f64 - 2.0);
    assert_eq!(daemon.metric("flowd_dns_dropped_total", &[]), 0.0);
    let ended = daemon.stop();
    // Both sides of the gateway are watched, and each query has one line.
    assert_eq!(ended.dns.len(), truth.len(), "{:#?}", ended.dns);
    for server in [SERVER_V4, SERVER_V6] {
        let lines: Vec<&Value> =
            ended.dns.iter().filter(|line| line["server"]["address"] == server).collect();
        for (name, transport, took) in truth.drain(..7) {
            let line = lines.iter().find(|line| line["query"] == name && line["transport"] == transport);
            check(line.unwrap_or_else(|| panic!("{name}: {lines:#?}")), &name, took);
        }
    }
}

/// A line against what the client knows.
fn check(line: &Value, name: &str, took: Option<Duration>) {
    println!("{name}: {} {}, took {took:?}", line["outcome"], line["response_time_us"]);
    assert_eq!((&line["qtype"], &line["server"]["port"]), (&"A".into(), &53.into()));
    assert_eq!((&line["client_zone"], &line["server_zone"]), (&"internet".into(), &"internet".into()));
    let Some(took) = took else {
        assert_eq!(line["outcome"], "unanswered");
        assert!(line["rcode"].is_null() && line["response_time_us"].is_null());
        return;
    };
    assert_eq!(line["outcome"], "answered");
    assert_eq!(line["rcode"], if name.contains("missing") { "NXDOMAIN" } else { "NOERROR" });
    let response_time = line["response_time_us"].as_f64().unwrap();
    assert!(response_time >= DELAY.as_micros() as f64 && response_time <= took.as_micros() as f64 + 1.0);
    if name.contains("many") {
        assert_eq!((line["answers"].as_array().unwrap().len(), &line["answer_count"]), (16, &100.into()));
    } else if !name.contains("missing") {
        assert_eq!(line["answers"], serde_json::json!(["192.0.2.0"]));
    }
    // Round trips are known where TCP tells them.
    assert_eq!(line["server_rtt_us"].is_number(), line["transport"] == "tcp");
}

/// Nothing of port 53 is copied until it is asked for.
#[test]
fn lookups_are_off_by_default() {
    if !privileged("lookups_are_off_by_default") {
        return;
    }
    let router = Router::new(false);
    let (udp, tcp) = router
        .server
        .enter(|| (UdpSocket::bind((SERVER_V4, 53)).unwrap(), TcpListener::bind((SERVER_V4, 53)).unwrap()));
    serve(udp, tcp);
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    over_udp(&router, SERVER_V4, &["one.example"]);
    over_tcp(&router, SERVER_V4, &["one.example"]);
    daemon.drained();
    assert_eq!(daemon.metric("flowd_dns_queries_total", &[]), 0.0);
    assert_eq!(daemon.stop().dns.len(), 0);
}
