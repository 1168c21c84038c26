//! The governor beside a busy web server: whoever asks, and however often, flowd goes on to look at packets.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use crate::support::{
    alone::alone,
    daemon::{Daemon, sum},
    privileged,
    router::{LAN, Router},
    user::{folder, own},
};

/// Of `correct horse`, dear enough that a few guesses a second are over the budget.
const USERS: &str = "ann:$2b$10$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";
const TOKEN: &str = "0123456789abcdef";
/// Long enough for several steps: three readings each.
const WHILE: Duration = Duration::from_secs(8);

/// The body of an answer to whoever shows that field; empty where it was refused.
fn ask(path: &str, authorization: &str) -> String {
    let mut answer = String::new();
    let asked = TcpStream::connect("127.0.0.1:9435").and_then(|mut stream| {
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n")?;
        stream.read_to_string(&mut answer)
    });
    match (asked, answer.split_once("\r\n\r\n")) {
        (Ok(_), Some((head, body))) if head.starts_with("HTTP/1.1 200") => body.to_owned(),
        _ => String::new(),
    }
}

#[test]
fn clients_of_the_web_server_do_not_steer_the_governor() {
    if !privileged("clients_of_the_web_server_do_not_steer_the_governor") {
        return;
    }
    let _alone = alone();
    let router = Router::new(false);
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        own(&path);
        path.to_str().unwrap().to_owned()
    };
    let (users, tokens) = (file("users", USERS), file("tokens", TOKEN));
    let web = format!("[web]\nusers = \"{users}\"\ntokens = \"{tokens}\"\n");
    let config = format!("interval = \"500ms\"\nflows = 1024\n[governor]\ncpu = \"2%\"\n{web}");
    let daemon = Daemon::start(&router.gateway, &[LAN], &config);
    let bearer = format!("Bearer {TOKEN}");
    let metrics = || router.gateway.enter(|| ask("/metrics", &bearer));
    let [before, after] = {
        let before = metrics();
        let stop = AtomicBool::new(false);
        scope(|scope| {
            for number in 0..4 {
                let (router, stop, bearer) = (&router, &stop, &bearer);
                scope.spawn(move || {
                    router.gateway.enter(|| {
                        while !stop.load(Relaxed) {
                            // Another wrong password each time, and answers that take work.
                            ask("/metrics", "Basic YW5uOndyb25n");
                            ask(["/metrics", "/api/v1/interfaces"][number % 2], bearer);
                        }
                    });
                });
            }
            let start = Instant::now();
            while start.elapsed() < WHILE {
                sleep(Duration::from_millis(100));
            }
            let after = metrics();
            stop.store(true, Relaxed);
            [before, after]
        })
    };
    let grown = |family: &str| sum(&after, family, &[]) - sum(&before, family, &[]);
    let (all, packets) = (grown("process_cpu_seconds_total"), grown("flowd_cpu_seconds_total"));
    println!("{all} s of processor time in {WHILE:?}, {packets} s of it for packets");
    assert!(all > 0.1 * WHILE.as_secs_f64(), "{all} s: the web server was not busy");
    assert_eq!(sum(&after, "flowd_governor_changes_total", &[]), 0.0, "{}", daemon.stderr());
    daemon.stop();
}
