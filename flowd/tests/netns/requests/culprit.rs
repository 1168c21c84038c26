//! A slow server and a path that loses make requests equally slow. One query over the lines tells which it was.

use std::sync::atomic::Ordering::Relaxed;

use serde_json::Value;

use super::{
    peer::{self, PORT, of, told},
    postgresql::postgresql,
    redis,
};
use crate::support::{
    alone::alone,
    daemon::Daemon,
    lossy::{Line, Lossy},
    privileged,
    router::SERVER_V4,
};

/// Only what is longer than a short request is lost on the line.
const BODY: usize = 60_000;
const TIMES: usize = 8;
/// What the slow requests take at the server.
const THINK: f64 = 0.2;

/// The query: of each operation, the share of its response times that the server took, and retransmits.
fn culprit(lines: &[Value], operation: &str) -> (f64, u64) {
    let lines = of(lines, operation);
    assert_eq!(lines.len(), TIMES, "{operation}");
    let sum = |key: &str| lines.iter().map(|line| line[key].as_f64().unwrap_or_default()).sum::<f64>();
    (sum("think_time_us") / sum("response_time_us"), sum("retransmits") as u64)
}

/// The path is to blame for one operation, the server for the other.
fn assert_told(path: &Lossy, lines: &[Value], lossy: &str, slow: &str) {
    let [lossy, slow] = [lossy, slow].map(|operation| culprit(lines, operation));
    println!(
        "share of the server and retransmits: {lossy:?} on the path that loses, {slow:?} at the slow server"
    );
    assert!(path.to_server.lost.load(Relaxed) > 0);
    assert!(lossy.0 < 0.25 && lossy.1 >= 10, "{lossy:?}");
    assert!(slow.0 > 0.9 && slow.1 == 0, "{slow:?}");
}

fn path() -> Lossy {
    Lossy::new(false, Line { lost_per_mille: 80, delay: std::time::Duration::from_millis(2) })
}

#[test]
fn redis_lines_tell_the_path_from_the_server() {
    if !privileged("redis_lines_tell_the_path_from_the_server") {
        return;
    }
    let _alone = alone();
    let path = path();
    let _redis = redis(&path.server);
    let daemon = Daemon::start(&path.gateway, &["tun0"], "[redis]\nlog = \"REQUESTS\"\n");
    let mut client = path.client.command("redis-cli");
    client.args(["-h", SERVER_V4, "-p", PORT]);
    let set = format!("SET key {}\n", "x".repeat(BODY));
    let sleep = format!("DEBUG SLEEP {THINK}\n");
    peer::feed(&mut client, &format!("{set}{sleep}").repeat(TIMES));
    let lines = told(daemon, &path.client).requests;
    assert_told(&path, &lines, "SET", "DEBUG");
}

#[test]
fn postgresql_lines_tell_the_path_from_the_server() {
    if !privileged("postgresql_lines_tell_the_path_from_the_server") {
        return;
    }
    let _alone = alone();
    let path = path();
    let _postgresql = postgresql(&path.server);
    let daemon = Daemon::start(&path.gateway, &["tun0"], "[postgresql]\nlog = \"REQUESTS\"\n");
    let mut client = path.client.command("psql");
    client.args(["-h", SERVER_V4, "-p", PORT, "-U", "flowd", "-q", "postgres"]);
    let long = format!("VALUES (length('{}'));\n", "x".repeat(BODY));
    let sleep = format!("SELECT pg_sleep({THINK});\n");
    peer::feed(&mut client, &format!("{long}{sleep}").repeat(TIMES));
    let lines = told(daemon, &path.client).requests;
    assert_told(&path, &lines, "VALUES", "SELECT");
}
