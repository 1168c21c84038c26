//! Lines of requests against the counts of real servers.

mod culprit;
mod grpc;
mod memcached;
mod mqtt;
mod mysql;
mod nghttp2;
mod peer;
mod postgresql;
mod quic;

use std::{net::TcpStream, process::Stdio};

use serde_json::Value;

use crate::support::{
    daemon::Daemon,
    namespace::Namespace,
    nginx::{HTTP2, Nginx},
    privileged,
    process::{Process, run},
    requests::{by_flowd, by_nginx},
    router::{Router, SERVER_V4},
    until,
};

/// A port that no table of services knows.
const PORT: &str = "7001";

/// Redis without a file.
fn redis(namespace: &Namespace) -> Process {
    let mut command = namespace.command("redis-server");
    command.args(["--port", PORT, "--save", "", "--appendonly", "no", "--bind", "0.0.0.0"]);
    command.args(["--protected-mode", "no", "--daemonize", "no"]);
    command.args(["--enable-debug-command", "yes"]).stdout(Stdio::null());
    let process = Process::start(&mut command);
    until("redis", 10, || namespace.enter(|| TcpStream::connect(format!("127.0.0.1:{PORT}")).ok()));
    process
}

fn ask(namespace: &Namespace, program: &str, arguments: &str) -> String {
    let mut command = namespace.command(program);
    command.args(["-h", SERVER_V4, "-p", PORT]).args(arguments.split_whitespace());
    run(command.stdin(Stdio::null()))
}

/// Calls of a command by the server's own count.
fn calls(stats: &str, command: &str) -> usize {
    let line = stats.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    let calls = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[test]
fn redis_lines_are_what_the_server_counts() {
    if !privileged("redis_lines_are_what_the_server_counts") {
        return;
    }
    let router = Router::new(false);
    let _redis = redis(&router.server);
    let daemon = Daemon::start(&router.gateway, &["gw*"], "[redis]\nlog = \"REQUESTS\"\n");
    // One after the other on twenty connections, then sixteen at once on each.
    ask(&router.client, "redis-benchmark", "-q -c 20 -n 2000 -t set,get");
    ask(&router.client, "redis-benchmark", "-q -c 20 -n 2000 -P 16 -t lpush,incr");
    ask(&router.client, "redis-cli", "SET text abc");
    // An error of the server's.
    ask(&router.client, "redis-cli", "INCR text");
    let stats = ask(&router.client, "redis-cli", "INFO commandstats");
    let wanted: Vec<_> = ["set", "get", "lpush", "incr"].map(|word| (word, calls(&stats, word))).into();
    until("flowd has counted them", 20, || {
        let counted = daemon.metric("flowd_requests_total", &["protocol=\"redis\"", "status=\"error\""]);
        (counted >= 1.0).then_some(())
    });
    let lost = daemon.metric("flowd_events_lost_total", &[]);
    let ended = daemon.stop();
    let of = |word: &str| {
        let lines = ended.requests.iter().filter(|line| line["operation"] == word.to_uppercase());
        lines.collect::<Vec<&Value>>()
    };
    for (word, calls) in wanted {
        let lines = of(word);
        let whole = lines.iter().filter(|line| line["outcome"] == "complete").count();
        println!(
            "{word}: the server counts {calls}, flowd has {} lines, {whole} of them complete",
            lines.len()
        );
        assert!(lines.len() <= calls, "{word}: more than there were");
        assert!(whole * 100 >= calls * 98, "{word}: {whole} of {calls}; {lost} copies lost");
    }
    let errors: Vec<&Value> = ended.requests.iter().filter(|line| line["status"] == "error").collect();
    assert_eq!(errors.iter().map(|line| &line["error"]).collect::<Vec<_>>(), ["ERR"], "{errors:#?}");
    assert!(ended.requests.iter().all(|line| line["type"] == "request" && line["protocol"] == "redis"));
    let flows = ended.flows.iter().filter(|flow| flow["server"]["port"] == 7001);
    assert!(
        flows.clone().count() > 20 && flows.clone().all(|flow| flow["app"] == "redis"),
        "{:?}",
        flows.filter(|flow| flow["app"] != "redis").collect::<Vec<_>>()
    );
}

#[test]
fn http2_lines_are_nginxs_access_log() {
    if !privileged("http2_lines_are_nginxs_access_log") {
        return;
    }
    let router = Router::new(false);
    let nginx = Nginx::start(&router.server);
    let daemon = Daemon::start(&router.gateway, &["gw*"], "[http2]\nenabled = true\n");
    let ask = |load: &str, path: &str| {
        let mut h2load = router.client.command("h2load");
        h2load.args(load.split_whitespace()).arg(format!("http://{SERVER_V4}:{HTTP2}/{path}"));
        let said = run(h2load.stdin(Stdio::null()).stderr(Stdio::null()));
        assert!(said.contains(" 0 failed, 0 errored"), "{said}");
    };
    // Connections that are over before flowd has looked at them for the first time, of one request and of more, one
    // after the other and ten at once.
    ask("-n 20 -c 20", "echo/one?secret=1");
    ask("-n 100 -c 10 -m 1", "echo/two");
    ask("-n 200 -c 10 -m 10", "page/three");
    // Bodies longer than a packet, for longer than flowd takes to see what is spoken.
    ask("-n 30 -c 1 -m 2 --rps 50", "large/four");
    let wanted = nginx.logged(350);
    until("flowd has told them", 20, || (daemon.http().len() >= wanted.len()).then_some(()));
    let lines = daemon.stop().http;
    assert!(lines.iter().all(|line| line["version"] == "2" && line["grpc_status"].is_null()), "{lines:#?}");
    let partial = |line: &Value| line["outcome"] == "partial" && line["target"] == "/large/four";
    assert!(lines.iter().all(|line| line["outcome"] == "complete" || partial(line)), "{lines:#?}");
    let cut = lines.iter().filter(|line| partial(line)).count();
    assert!(cut <= 15, "{cut} of 30 bodies cut");
    assert_eq!(by_flowd(&lines), by_nginx(&wanted));
}
