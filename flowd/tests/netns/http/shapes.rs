//! Responses of every shape from a real nginx: without body, in chunks, from upstreams that are dead or slow.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use crate::support::{
    alone::alone,
    daemon::Daemon,
    lossy::ahead_of_others,
    nginx::{Nginx, UPSTREAM},
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4},
    until,
};

const THINK: Duration = Duration::from_millis(60);
const SLOW: usize = 5;

#[test]
fn every_shape_of_response_is_logged_as_nginx_has_it() {
    if !privileged("every_shape_of_response_is_logged_as_nginx_has_it") {
        return;
    }
    let _alone = alone();
    let router = Router::new(false);
    // What a busy machine makes it wait for would be think time of its own, of which the upstream knows nothing.
    let first = || {
        ahead_of_others();
        Nginx::start(&router.server)
    };
    let nginx = scope(|scope| scope.spawn(first).join().unwrap());
    let upstream = router.server.enter(|| TcpListener::bind(UPSTREAM).unwrap());
    let daemon = Daemon::start(&router.gateway, &[LAN], "");
    let curl = |more: &[&str], path: &str| {
        let mut curl = router.client.command("curl");
        curl.args(["-sS", "--max-time", "10", "-o", "/dev/null"]).args(more);
        run(curl.arg(format!("http://{SERVER_V4}/{path}")));
    };
    curl(&[], "unchanged/[1-5]");
    curl(&[], "echo/[1-20]");
    curl(&["-I"], "large/[1-5]");
    curl(&["--compressed"], "chunked/[1-5]");
    curl(&[], "dead/[1-5]");
    let mut took = scope(|scope| {
        let server = scope.spawn(|| {
            ahead_of_others();
            let serve = |_| {
                let mut stream = upstream.accept().unwrap().0;
                let mut request = [0; 4096];
                assert!(stream.read(&mut request).unwrap() > 0);
                let start = Instant::now();
                sleep(THINK);
                let took = start.elapsed();
                stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
                took.as_secs_f64() * 1e6
            };
            (0..SLOW).map(serve).collect::<Vec<f64>>()
        });
        curl(&[], "slow/[1-5]");
        server.join().unwrap()
    });
    let truth = nginx.logged(45);
    until("all lines", 10, || (daemon.http().len() >= 45).then_some(()));
    let lines = daemon.stop().http;
    let text = |line: &serde_json::Value| format!("{} {} {}", line["method"], line["target"], line["status"]);
    let sorted = |lines: &[serde_json::Value]| {
        let mut lines: Vec<String> = lines.iter().map(text).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&lines), sorted(&truth));
    let of = |part: &str| {
        lines.iter().filter(|line| line["target"].as_str().unwrap().contains(part)).collect::<Vec<_>>()
    };
    assert!(lines.iter().all(|line| line["outcome"] == "complete"));
    assert!(of("/unchanged/").iter().all(|line| line["status"] == 304));
    assert!(of("/dead/").iter().all(|line| line["status"] == 502));
    for line in of("/echo/") {
        // Several of them lie within the copied bytes of one head.
        assert!(
            line["response_content_length"] == 6 && line["response_bytes"].as_u64() > Some(100),
            "{line}"
        );
    }
    for line in of("/large/") {
        // A HEAD names the length of a body that does not come.
        assert!(line["method"] == "HEAD" && line["response_content_length"] == 120_000, "{line}");
        assert!(line["response_bytes"].as_u64().unwrap() < 1_000, "{line}");
    }
    for line in of("/chunked/") {
        assert!(
            line["response_content_length"].is_null() && line["response_bytes"].as_u64() > Some(200),
            "{line}"
        );
    }
    let mut think: Vec<f64> =
        of("/slow/").iter().map(|line| line["think_time_us"].as_f64().unwrap()).collect();
    assert!(
        think.iter().zip(&took).all(|(think, took)| *think > took - 200.0),
        "{think:.0?} us of {took:.0?}"
    );
    think.sort_by(f64::total_cmp);
    took.sort_by(f64::total_cmp);
    println!("the upstream took {took:.0?} us, flowd says {think:.0?}");
    let (think, took) = (think[SLOW / 2], took[SLOW / 2]);
    assert!((think - took).abs() <= took * 0.05, "{think} us of {took}");
}
