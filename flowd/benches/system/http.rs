//! HTTP at a constant rate: requests and responses on connections that are kept open, as crafted segments, with the HTTP
//! log in a file.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{Bench, daemon::Daemon, live::Pair, machine, row::Row, sys::RawSocket};

/// Requests a second.
const RATE: u64 = 20_000;
const CONNECTIONS: u64 = 200;
/// Exchanges that leave together, each on a connection of its own.
const BATCH: usize = 20;

const REQUEST: &[u8] =
    b"GET /orders/17?page=2 HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: bench/1\r\nAccept: */*\r\n\r\n";
const RESPONSE: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123456789";

const CONFIG: &str = "interval = \"2s\"\nhttp_log = \"HTTP_LOG\"\n";
/// Of the thread that reads events.
const READER: &str = "pump";

/// Longer than the interval, and than a line waits for the end of its message.
const SETTLE: Duration = Duration::from_secs(4);

pub(crate) fn run(bench: &Bench) -> Result<Vec<Row>> {
    let pair = Pair::new();
    let daemon = Daemon::start(bench, &pair.server, CONFIG)?;
    // Requests come in by the watched interface, and responses leave by it.
    let client = pair.client.enter(|| RawSocket::open("eth0"))?;
    let server = pair.server.enter(|| RawSocket::open("eth0"))?;
    let count = RATE * bench.or(4, 20);
    let cpu = || {
        let id = daemon.id();
        anyhow::Ok((machine::process_seconds(id)?, machine::thread_seconds(id, READER)?))
    };
    let before = cpu()?;
    let took = send(&client, &server, count)?;
    let reached = count as f64 / took.as_secs_f64();
    ensure!(reached > 0.9 * RATE as f64, "only {reached:.0} requests a second were sent");
    let after = cpu()?;
    sleep(SETTLE);
    let lost = daemon.metric("flowd_events_lost_total", "")?;
    let given_up = daemon.metric("flowd_http_messages_dropped_total", "")?;
    let dropped = daemon.metric("flowd_export_dropped_total", "sink=\"http_log\"")?;
    let logged = daemon.stop()?.exchanges;
    // Without a lost copy every request has its line, but for those that the log had no room for.
    ensure!(
        lost > 0.0 || logged + dropped as u64 == count,
        "{logged} lines of {count} requests, {dropped} dropped"
    );
    let note = format!(
        "{reached:.0} requests/s; {logged} lines of {count} requests, {dropped} dropped by the log, {lost} copies lost, \
         {given_up} messages given up"
    );
    let share = |seconds: f64| vec![seconds / took.as_secs_f64() * 100.0];
    Ok(vec![
        Row::less("HTTP, 20,000 requests/s: event reader, of one core", "%", share(after.1 - before.1))
            .note(note),
        Row::less("HTTP, 20,000 requests/s: daemon, of one core", "%", share(after.0 - before.0))
            .note("the thread that writes the log included"),
    ])
}

/// Sends `count` requests, each with its response behind it; says how long that took.
fn send(client: &RawSocket, server: &RawSocket, count: u64) -> Result<Duration> {
    let mut requests = vec![frame([10, 1, 0, 0], [192, 0, 2, 9], [40_000, 80], REQUEST); BATCH];
    let mut responses = vec![frame([192, 0, 2, 9], [10, 1, 0, 0], [80, 40_000], RESPONSE); BATCH];
    let start = Instant::now();
    for first in (0..count).step_by(BATCH) {
        for ((number, request), response) in (first..).zip(&mut requests).zip(&mut responses) {
            let (connection, turn) = ((number % CONNECTIONS) as u16, (number / CONNECTIONS) as u32);
            let asked = 1_u32.wrapping_add(turn.wrapping_mul(REQUEST.len() as u32));
            let answered = 1_u32.wrapping_add(turn.wrapping_mul(RESPONSE.len() as u32));
            let host = connection.to_be_bytes();
            put(request, 28, &host);
            put(request, 38, &asked.to_be_bytes());
            put(request, 42, &answered.to_be_bytes());
            put(response, 32, &host);
            put(response, 38, &answered.to_be_bytes());
            put(response, 42, &asked.wrapping_add(REQUEST.len() as u32).to_be_bytes());
        }
        client.send_all::<BATCH>(&mut requests)?;
        server.send_all::<BATCH>(&mut responses)?;
        let due = start + Duration::from_secs_f64((first + BATCH as u64) as f64 / RATE as f64);
        sleep(due.saturating_duration_since(Instant::now()));
    }
    Ok(start.elapsed())
}

fn put(frame: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = frame.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// A segment with PSH and ACK to a device of no host: the receiver drops what has passed its hooks.
fn frame(from: [u8; 4], to: [u8; 4], [source, destination]: [u16; 2], payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 0xff, 2, 0, 0, 0, 0, 1, 8, 0];
    let [high, low] = (40 + payload.len() as u16).to_be_bytes();
    frame.extend([0x45, 0, high, low, 0, 1, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(from.into_iter().chain(to));
    frame.extend(source.to_be_bytes().into_iter().chain(destination.to_be_bytes()));
    frame.extend([0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x18, 4, 0, 0, 0, 0, 0]);
    frame.extend(payload);
    frame
}
