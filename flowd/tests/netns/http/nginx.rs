//! The HTTP log against nginx's access log.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    daemon::{Daemon, Ended},
    nginx::Nginx,
    privileged,
    process::run,
    requests::{by_flowd, by_nginx},
    router::{LAN, Router, SERVER_V4, SERVER_V6, WAN},
    until,
};

/// 1,000 requests: GET and POST, kept alive, each on a connection of its own, and pipelined; IPv4 and IPv6.
fn thousand(router: &Router, body: &str) {
    for server in [SERVER_V4.to_owned(), format!("[{SERVER_V6}]")] {
        for close in [false, true] {
            let mut get = router.client.command("curl");
            get.args(["-sS", "--max-time", "10", "-o", "/dev/null"]);
            let mut post = router.client.command("curl");
            post.args(["-sS", "--max-time", "10", "-o", "/dev/null", "--data-binary", &format!("@{body}")]);
            for curl in [&mut get, &mut post] {
                if close {
                    curl.args(["-H", "Connection: close"]);
                }
            }
            get.args(
                ["echo/[1-62]?secret=1", "missing/[1-20]", "page/[1-30]", "large/[1-10]"]
                    .map(|path| format!("http://{server}/{path}")),
            );
            post.args(["made/[1-60]", "echo/[1-62]"].map(|path| format!("http://{server}/{path}")));
            for curl in [&mut get, &mut post] {
                run(curl);
            }
        }
    }
    router.client.enter(|| {
        for server in [SERVER_V4, SERVER_V6] {
            for round in 0..4 {
                pipeline(server, round);
            }
        }
    });
}

/// Three requests in one segment, on one connection. Not more: where their responses come in one segment as
/// well, the heads beyond `head_bytes` are not copied.
fn pipeline(server: &str, round: u32) {
    let mut stream = TcpStream::connect((server, 80)).unwrap();
    let mut text = String::new();
    for number in 0..3 {
        let close = if number == 2 { "Connection: close\r\n" } else { "" };
        text += &format!("GET /echo/p{round}-{number} HTTP/1.1\r\nHost: x\r\n{close}\r\n");
    }
    stream.write_all(text.as_bytes()).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

/// Sends them past a flowd that watches `interfaces`; gives what it said while it ran and in the end.
fn story(interfaces: &[&str]) -> (f64, Ended) {
    let router = Router::new(false);
    let nginx = Nginx::start(&router.server);
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("body");
    std::fs::write(&body, "0123456789".repeat(700)).unwrap();
    let daemon = Daemon::start(&router.gateway, interfaces, "");
    thousand(&router, body.to_str().unwrap());
    let truth = nginx.logged(1_000);
    assert_eq!(truth.len(), 1_000);
    // Wait for the log and not the drain, as the counts follow the lines.
    until("flowd logs the requests", 10, || (daemon.http().len() >= 1_000).then_some(()));
    daemon.drained();
    let counted = daemon.metric("flowd_http_requests_total", &[]);
    for device in
        [LAN, WAN].iter().filter(|device| interfaces.concat().contains("gw*") || interfaces.contains(device))
    {
        let kernel = router.gateway.quiet(device);
        let seen = daemon.passages(device).map(|passage| passage.wire());
        assert!(
            seen[0].packets > 4_000 && seen[0].packets <= kernel[0].packets,
            "{device}: {seen:?} {kernel:?}"
        );
    }
    let ended = daemon.stop();
    let (ours, theirs) = (by_flowd(&ended.http), by_nginx(&truth));
    assert_eq!(ours.len(), theirs.len(), "connections");
    for (connection, lines) in &theirs {
        assert_eq!(ours.get(connection), Some(lines), "{connection:?}");
    }
    assert_eq!(ours, theirs);
    println!("{} requests on {} connections, as nginx has them", ended.http.len(), ours.len());
    (counted, ended)
}

#[test]
fn the_http_log_is_nginx_access_log() {
    if !privileged("the_http_log_is_nginx_access_log") {
        return;
    }
    let (counted, ended) = story(&[LAN]);
    assert_eq!(counted, 1_000.0);
    assert!(ended.http.iter().all(|line| line["outcome"] == "complete"));
    assert!(ended.http.iter().all(|line| !line["target"].as_str().unwrap().contains("secret")));
}

#[test]
fn both_sides_watched_log_each_request_once() {
    if !privileged("both_sides_watched_log_each_request_once") {
        return;
    }
    let (counted, ended) = story(&["gw*"]);
    assert_eq!(counted, 1_000.0);
    for interface in [LAN, WAN] {
        let flows =
            ended.flows.iter().filter(|flow| flow["iface"] == interface && flow["transport"] == "tcp");
        assert_eq!(flows.count(), by_flowd(&ended.http).len(), "{interface}");
    }
}

/// Five small responses in one segment: the heads that are copied have their status, the rest say so.
#[test]
fn responses_in_one_segment_are_logged_as_far_as_they_were_copied() {
    if !privileged("responses_in_one_segment_are_logged_as_far_as_they_were_copied") {
        return;
    }
    let router = Router::new(false);
    let listener = router.server.enter(|| TcpListener::bind((SERVER_V4, 80)).unwrap());
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    let mut client = router.client.enter(|| TcpStream::connect((SERVER_V4, 80)).unwrap());
    let mut server = listener.accept().unwrap().0;
    let requests: String = (0..5).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: x\r\n\r\n")).collect();
    client.write_all(requests.as_bytes()).unwrap();
    server.read_exact(&mut vec![0; requests.len()]).unwrap();
    let response = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 6\r\n\r\nhello\n", "x".repeat(100));
    server.write_all(response.repeat(5).as_bytes()).unwrap();
    drop(server);
    client.read_to_end(&mut Vec::new()).unwrap();
    drop(client);
    router.gateway.quiet(LAN);
    let ended = daemon.stop();
    assert_eq!(ended.http.len(), 5);
    for (number, line) in ended.http.iter().enumerate() {
        println!("{} {} {}", line["target"], line["status"], line["outcome"]);
        assert_eq!(line["target"], format!("/{number}"));
        // A status that was not seen is not made up.
        let unseen = number > 2 && line["status"].is_null() && line["outcome"] == "partial";
        assert!(line["status"] == 200 || unseen, "{line}");
    }
}
