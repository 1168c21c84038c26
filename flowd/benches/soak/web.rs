//! HTTP clients: connections that are kept, and one per request.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    sync::atomic::Ordering::Relaxed,
    time::Duration,
};

use super::{
    Tally,
    support::router::{Router, SERVER_V4},
};

/// Requests over one kept connection.
const KEPT: u64 = 500;
const PATHS: [&str; 4] = ["echo", "page", "missing", "echo"];

/// Requests over connections that are kept for a while.
pub fn kept(router: &Router, tally: &Tally) {
    router.client.enter(|| {
        while !tally.over() {
            // Where the machine is too busy, another connection begins.
            let _ = requests(tally, KEPT, "keep-alive");
        }
    });
}

/// A connection per request.
pub fn short(router: &Router, tally: &Tally) {
    router.client.enter(|| {
        while tally.sleep(Duration::from_millis(15)) {
            let _ = requests(tally, 1, "close");
        }
    });
}

/// So many requests and their whole responses over one connection.
fn requests(tally: &Tally, count: u64, connection: &str) -> io::Result<()> {
    let stream = TcpStream::connect((SERVER_V4, 80))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answers = BufReader::new(&stream);
    for number in 0..count {
        let path = PATHS[number as usize % PATHS.len()];
        let request =
            format!("GET /{path}/{number} HTTP/1.1\r\nHost: soak\r\nConnection: {connection}\r\n\r\n");
        (&stream).write_all(request.as_bytes())?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if answers.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        answers.read_exact(&mut vec![0; length])?;
        tally.requests.fetch_add(1, Relaxed);
        if !tally.sleep(Duration::from_millis(5)) {
            break;
        }
    }
    Ok(())
}
