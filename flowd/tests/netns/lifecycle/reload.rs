//! SIGHUP while traffic passes: logs that move lose and double nothing, and what cannot be used changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::support::{
    daemon::Daemon,
    nginx::Nginx,
    privileged,
    process::run,
    router::{LAN, Router, SERVER_V4},
    until, user,
};

const REQUESTS: usize = 1_600;
/// How fast they come.
const RATE: &str = "400/s";

fn request(router: &Router, paths: &str) {
    request_at(router, "1000/s", paths);
}

fn request_at(router: &Router, rate: &str, paths: &str) {
    let mut curl: Command = router.client.command("curl");
    run(curl.args([
        "-sS",
        "--rate",
        rate,
        "--max-time",
        "60",
        "-o",
        "/dev/null",
        &format!("http://{SERVER_V4}/{paths}"),
    ]));
}

fn targets(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let target =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["target"].as_str().unwrap().to_owned();
    whole.lines().map(target).collect()
}

fn taken(daemon: &Daemon<'_>, times: usize) {
    until("the reload", 10, || {
        (daemon.stderr().matches("configuration read again").count() >= times).then_some(())
    });
}

#[test]
fn a_log_that_moves_under_load_has_every_line_once() {
    if !privileged("a_log_that_moves_under_load_has_every_line_once") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let folder = user::folder();
    let files = ["a.log", "b.log"].map(|name| folder.path().join(name));
    let logs = files.each_ref().map(|path| format!("http_log = {:?}\n", path.to_str().unwrap()));
    let mut daemon = Daemon::start(&router.gateway, &[LAN], &logs[0]);
    let done = AtomicBool::new(false);
    let mut moves = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            request_at(&router, RATE, &format!("echo/[1-{REQUESTS}]"));
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            moves += 1;
            daemon.configure(&logs[moves % 2]);
            taken(&daemon, moves);
            thread::sleep(Duration::from_millis(50));
        }
    });
    let all = || -> Vec<String> { files.iter().flat_map(|path| targets(path)).collect() };
    until("every line", 10, || (all().len() >= REQUESTS).then_some(()));
    let written = daemon.metric("flowd_export_records_total", &["sink=\"http_log\""]);
    let ended = daemon.stop();
    let mut times = BTreeMap::new();
    all().into_iter().for_each(|target| *times.entry(target).or_insert(0) += 1);
    println!("{moves} moves; lines: {:?}", files.each_ref().map(|path| targets(path).len()));
    assert!(moves >= 4, "{moves}");
    assert!(files.iter().all(|path| !targets(path).is_empty()));
    assert_eq!(times.len(), REQUESTS, "{}", ended.stderr);
    assert!(times.values().all(|times| *times == 1));
    assert_eq!(written, REQUESTS as f64, "the counter goes on over reloads");
}

#[test]
fn a_reload_takes_all_that_can_change_or_nothing() {
    if !privileged("a_reload_takes_all_that_can_change_or_nothing") {
        return;
    }
    let router = Router::new(false);
    let _nginx = Nginx::start(&router.server);
    let [folder, elsewhere] = [user::folder(), user::folder()];
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let log = format!("http_log = \"{}\"\n", path("http.log"));
    let mut daemon = Daemon::start(&router.gateway, &[LAN], &log);
    let lines = || targets(&folder.path().join("http.log"));
    let shows = |target: &str| {
        until(target, 10, || lines().last().is_some_and(|last| last == target).then_some(()));
    };
    request(&router, "echo/1?a=1");
    shows("/echo/1");

    // One of the logs cannot be opened: neither the query nor the interval is taken over.
    daemon
        .configure(&format!("{log}flow_log = \"/no/such/flow.log\"\nquery = \"keep\"\ninterval = \"1h\"\n"));
    until("the refusal", 5, || daemon.stderr().contains("all stays as it was").then_some(()));
    assert!(daemon.stderr().contains("flow_log to /no/such/flow.log"), "{}", daemon.stderr());
    request(&router, "echo/2?a=1");
    shows("/echo/2");
    daemon.drained();
    assert!(!daemon.stderr().contains("configuration read again"));

    // Beyond what the sandbox lets it touch.
    if daemon.stderr().contains("files (Landlock") {
        let beyond = elsewhere.path().join("http.log");
        daemon.configure(&format!("http_log = {:?}\nquery = \"keep\"\n", beyond.to_str().unwrap()));
        until("the remedy", 5, || daemon.stderr().contains("start flowd again: its sandbox").then_some(()));
        request(&router, "echo/3?a=1");
        shows("/echo/3");
        assert!(!beyond.exists());
    }

    // What is fixed is named, the rest is taken.
    let rest = "[http]\nredact = [\"b\"]\ntemplates = [\"/echo/{id}\"]\n[api]\nhttp_lines = 1\n[dns]\nlog = \"DNS\"\n";
    daemon.configure(&format!(
        "{log}head_bytes = 100\nflows = 2048\nquery = \"keep\"\ninterval = \"400ms\"\n{rest}"
    ));
    taken(&daemon, 1);
    let said = daemon.stderr();
    assert!(said.contains("only after a restart: dns.log, flows, head_bytes\n"), "{said}");
    request(&router, "echo/4?a=1&b=2");
    shows("/echo/{id}?a=1&b=***");
    request(&router, "echo/5?a=1");
    shows("/echo/{id}?a=1");
    let kept: Value = serde_json::from_str(&daemon.get("/api/v1/http")).unwrap();
    assert_eq!(kept["lines"].as_array().unwrap().len(), 1);

    // A log that comes on, and one that goes.
    daemon.configure(&format!("http_log = \"\"\nflow_log = \"{}\"\n", path("late.log")));
    taken(&daemon, 2);
    let before = lines().len();
    request(&router, "echo/6");
    let ended = daemon.stop();
    assert_eq!(lines().len(), before);
    assert!(fs::read_to_string(path("late.log")).unwrap().contains("\"port\":80}"), "{}", ended.stderr);
}
