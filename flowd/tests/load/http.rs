//! HTTP at the rates that the machine carries: every request is in the log, or what is missing in a counter.

use std::{
    net::TcpStream,
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::requests::{KINDS, ask, assert_pairs};
use crate::support::{
    alone::alone,
    daemon::Daemon,
    nginx::Nginx,
    privileged,
    process::run,
    requests::{by_flowd, by_nginx},
    router::{LAN, Router, SERVER_V4},
};

const CONNECTIONS: usize = 8;
/// An answered exchange waits for so long for bytes that are sent again.
const LINGER: Duration = Duration::from_millis(1_500);

/// `each` requests on each of the connections, one at a time, with `pause` between their beginnings; gives how
/// long they took. The connections end only when flowd has read what was copied, so that a copy that finds no
/// room is one of a message.
fn load(router: &Router, each: usize, pause: Duration) -> Duration {
    let client = || {
        let mut stream = TcpStream::connect((SERVER_V4, 80)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut next = Instant::now();
        for number in 0..each {
            sleep(next.saturating_duration_since(Instant::now()));
            next += pause;
            let (method, path, _) = KINDS[number % KINDS.len()];
            ask(&mut stream, method, &format!("{path}{number}"));
        }
        stream
    };
    let (took, streams) = router.client.enter(|| {
        let start = Instant::now();
        let streams: Vec<TcpStream> = scope(|scope| {
            let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(client)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        (start.elapsed(), streams)
    });
    sleep(LINGER);
    drop(streams);
    took
}

/// Copies without room, messages that could not be placed, lines that found the queue full.
fn losses(daemon: &Daemon<'_>) -> [u64; 3] {
    sleep(LINGER);
    daemon.drained();
    [
        daemon.metric("flowd_events_lost_total", &[])
            + daemon.metric("flowd_events_skipped_total", &["reason=\"share\""]),
        daemon.metric("flowd_http_messages_dropped_total", &[]),
        daemon.metric("flowd_export_dropped_total", &["sink=\"http_log\""]),
    ]
    .map(|count| count as u64)
}

/// Until a client that was thinned is followed as a whole again.
fn relax() {
    sleep(Duration::from_secs(5));
}

/// Requests and responses that are in no line, of `count` of each.
fn missing(lines: &[Value], count: usize) -> u64 {
    let with = |key: &str| lines.iter().filter(|line| !line[key].is_null()).count();
    (2 * count).saturating_sub(with("method") + with("status")) as u64
}

#[test]
fn at_half_the_highest_rate_the_log_is_nginx_access_log() {
    if !privileged("at_half_the_highest_rate_the_log_is_nginx_access_log") {
        return;
    }
    let _alone = alone();
    let router = Router::new(false);
    let nginx = Nginx::start(&router.server);
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    let mut wrk = router.client.command("wrk");
    wrk.args(["-t1", &format!("-c{CONNECTIONS}"), "-d2s", &format!("http://{SERVER_V4}/echo/1?x=1")]);
    let said = run(&mut wrk);
    let rate: f64 =
        said.split("Requests/sec:").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    let at_full = losses(&daemon);
    let full = nginx.log().len();
    println!("wrk: {rate:.0} requests/s, lost {at_full:?}");
    relax();

    let (spent, start) = (daemon.reader_times()[0], Instant::now());
    // Two seconds of it.
    let each = rate as usize / CONNECTIONS;
    let took = load(&router, each, Duration::from_secs_f64(CONNECTIONS as f64 * 2.0 / rate));
    let (spent, watched) = (daemon.reader_times()[0] - spent, start.elapsed());
    println!(
        "{:.0} requests/s, reader {spent:?} in {watched:?}: {:.1} us each",
        (each * CONNECTIONS) as f64 / took.as_secs_f64(),
        spent.as_secs_f64() * 1e6 / (each * CONNECTIONS) as f64
    );
    assert_eq!(losses(&daemon), at_full, "nothing is lost at half the rate");
    let truth = nginx.logged(full + each * CONNECTIONS);
    let ended = daemon.stop();

    let theirs = by_nginx(&truth[full..]);
    let (calm, wild): (Vec<Value>, Vec<Value>) = ended.http.into_iter().partition(|line| {
        let client = &line["client"];
        theirs.contains_key(&(client["address"].as_str().unwrap().into(), client["port"].as_u64().unwrap()))
    });
    assert_eq!(calm.len(), each * CONNECTIONS);
    assert_eq!(by_flowd(&calm), theirs);
    assert_pairs(&calm);

    // wrk leaves when its time is up, in the middle of a request on each connection; and each ends twice.
    let slack = 4 * CONNECTIONS as u64;
    let (missing, [copies, messages, dropped]) = (missing(&wild, full), at_full);
    let counted = copies + messages + dropped;
    assert!(
        missing <= counted + dropped + slack && counted <= missing + slack,
        "{missing} missing, {at_full:?}"
    );
}

#[test]
fn what_a_small_buffer_loses_is_counted_exactly() {
    if !privileged("what_a_small_buffer_loses_is_counted_exactly") {
        return;
    }
    let _alone = alone();
    const EACH: usize = 1_500;
    const CALM: usize = 20;
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let config = "event_buffer = \"64KiB\"\nlog_queue = 65536\n";
    let daemon = Daemon::start(&router.gateway, &[LAN], config);
    let took = load(&router, EACH, Duration::ZERO);
    let lost = losses(&daemon);
    // What comes after is whole again.
    relax();
    load(&router, CALM, Duration::from_millis(20));
    assert_eq!(losses(&daemon), lost, "after the overflow");
    let [copies, messages, dropped] = lost;
    let lines = daemon.stop().http;
    let missing = missing(&lines, (EACH + CALM) * CONNECTIONS);
    println!(
        "{} requests in {took:?}: {missing} messages in no line; {copies} copies lost, {messages} not placed",
        EACH * CONNECTIONS
    );
    assert!(copies > 0 && dropped == 0, "{copies} {dropped}");
    assert_eq!(missing, copies + messages);
    assert_pairs(&lines);
}
