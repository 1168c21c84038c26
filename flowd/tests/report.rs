//! `flowd report` of the real binary, against a server that answers as Prometheus does and against flow logs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "all of this is tests"
)]

use std::{
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Output},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

const DAY: f64 = 86_400.0;
/// Bytes per second of the link.
const SPEED: f64 = 125_000_000.0;
/// What the daily 95th percentile has reached now, and what a day adds.
const LEVEL: f64 = 60_000_000.0;
const GROWTH: f64 = 1_300_000.0;

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// A rate that follows the day: for a tenth of it at its height, else at a third. The height grows, so that
/// the 95th percentile of a day is its height at the middle of the busy time.
fn rate(time: f64, now: f64) -> f64 {
    let height = LEVEL + GROWTH * (time - now) / DAY;
    let busy = (0.45..0.55).contains(&(time / DAY).fract());
    if busy { height } else { height / 3.0 }
}

/// Serves one answer after another, made from the form of the request. The thread ends with the process.
fn serve(answer: fn(&str, &str) -> (u16, String)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Some((path, form)) = request(&mut stream) {
                let (status, body) = answer(&path, &form);
                let head = format!(
                    "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                if stream.write_all((head + &body).as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    url
}

/// Path and form of the next request.
fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut text = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let length = stream.read(&mut piece).ok().filter(|length| *length > 0)?;
        text.extend_from_slice(&piece[..length]);
        let said = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = said.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length =
                head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse::<usize>().ok()?;
            if body.len() >= length {
                return Some((head.split(' ').nth(1)?.to_owned(), body.to_owned()));
            }
        }
    }
}

fn field(form: &str, name: &str) -> f64 {
    let rest = form.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap();
    rest.parse().unwrap()
}

fn success(result: Value) -> (u16, String) {
    (200, json!({ "status": "success", "data": { "resultType": "matrix", "result": result } }).to_string())
}

/// A Prometheus that knows one growing link.
fn growing(path: &str, form: &str) -> (u16, String) {
    let labels = json!({ "instance": "gw:9435", "iface": "eth0" });
    let with = |more: Value| {
        let mut labels = labels.clone();
        labels.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        labels
    };
    if path == "/api/v1/query_range" {
        let (start, end, step) = (field(form, "start"), field(form, "end"), field(form, "step"));
        assert!((end - start) / step <= 11_000.0, "Prometheus refuses so many points");
        let now = now();
        let mut values = Vec::new();
        let mut time = start;
        while time <= end {
            values.push(json!([time, rate(time, now).to_string()]));
            time += step;
        }
        return success(json!([
            { "metric": with(json!({ "direction": "egress" })), "values": values },
            { "metric": with(json!({ "direction": "ingress" })), "values": [[end, "1000"], [end, "NaN"]] },
        ]));
    }
    assert_eq!(path, "/api/v1/query");
    let value = |number: f64| json!([field(form, "time"), number.to_string()]);
    if form.contains("flowd_interface_speed_bytes") {
        success(json!([{ "metric": labels, "value": value(SPEED) }]))
    } else if form.contains("flowd_interface_peak_bytes") {
        let metric = with(json!({ "direction": "egress" }));
        success(json!([{ "metric": metric, "value": value(100_000_000.0) }]))
    } else {
        let bytes = if form.contains("offset") { 1e12 } else { 1.5e12 };
        let metric = with(json!({ "src_net": "office", "dst_net": "internet" }));
        success(json!([{ "metric": metric, "value": value(bytes) }]))
    }
}

fn flowd(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowd")).arg("report").args(arguments).output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = flowd(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str], code: i32, words: &[&str]) {
    let output = flowd(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    // clap explains wrong usage over several lines.
    assert!(said.lines().count() == 1 || said.contains("--help"), "{said}");
}

#[test]
fn the_days_until_full_are_true() {
    let url = serve(growing);
    // 45 days need two questions for the samples.
    for days in ["10", "30", "45"] {
        let report: Value =
            serde_json::from_str(&printed(&["--prometheus", &url, "--days", days, "--format", "json"]))
                .unwrap();
        let link = &report["links"][0];
        for (key, share) in [("days_until_80", 0.8), ("days_until_100", 1.0)] {
            let truth = (SPEED * share - LEVEL) / GROWTH;
            let found = link[key].as_f64().unwrap();
            assert!((found / truth - 1.0).abs() < 0.05, "{days} days, {key}: {found}, truth {truth}");
        }
        assert_eq!(link["out"]["peak"], 100_000_000.0);
        assert_eq!(link["in"]["p95"], 1_000.0);
        assert!(link["in"]["trend"].is_null());
        let pair = &report["zone_pairs"][0];
        assert_eq!((pair["src_net"].as_str(), pair["bytes"].as_f64()), (Some("office"), Some(2.5e12)));
        assert!((pair["growth"].as_f64().unwrap() - 0.5).abs() < 1e-9);
    }
}

#[test]
fn text_and_page_give_the_answer() {
    let url = serve(growing);
    let text = printed(&["--prometheus", &url]);
    for words in [
        "eth0 at gw:9435 (1.00 Gbit/s)",
        "office to internet",
        "2.50 TB",
        "+50.0 %",
        "80 % full: 3",
        "full: 50 days",
    ] {
        assert!(text.contains(words), "no {words} in {text}");
    }
    let page = printed(&["--prometheus", &url, "--format", "html"]);
    assert_eq!(page.matches("<svg").count(), 2, "samples and days");
    assert!(page.contains("full: 50 days") || page.contains("<b>50 days</b>"), "{page}");
    for foreign in ["<script", "<link", "src=", "@import", "<img"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_stated_speed_beats_the_known_one() {
    let url = serve(growing);
    let text = printed(&["--prometheus", &url, "--speed", "eth0=400"]);
    assert!(text.contains("(400 Mbit/s)") && text.contains("full: now"), "{text}");
}

#[test]
fn flow_logs_give_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flow.log");
    let mut lines = String::new();
    // Four days, each five minutes a record of 300 bytes a second out and 30 in, and one between two hosts
    // inside.
    let day = 1_790_000_000 / 86_400 * 86_400;
    for step in 0..4 * 288 {
        let time = |second: i64| jiff::Timestamp::from_second(day + step * 300 + second).unwrap();
        for (zone, sent, received) in [("internet", 90_000, 9_000), ("private", 70, 30)] {
            let side = |bytes: u64| json!({ "frame_bytes": bytes, "ip_bytes": bytes - 14, "packets": 1 });
            let record = json!({
                "type": "flow", "start": time(0).to_string(), "end": time(299).to_string(), "iface": "eth0",
                "client_zone": "private", "server_zone": zone,
                "direction": if zone == "private" { "internal" } else { "outbound" },
                "sent": side(sent), "received": side(received),
            });
            writeln!(lines, "{record}").unwrap();
        }
        writeln!(lines, "{}", json!({ "type": "http", "status": 200 })).unwrap();
    }
    fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    let arguments = ["--flow-log", file, "--speed", "eth0=1", "--format", "json"];
    let report: Value = serde_json::from_str(&printed(&arguments)).unwrap();
    let link = &report["links"][0];
    let close = |value: &Value, truth: f64| {
        let value = value.as_f64().unwrap();
        assert!((value / truth - 1.0).abs() < 0.01, "{value} for {truth}: {report}");
    };
    close(&link["out"]["p95"], 300.0);
    close(&link["out"]["mean"], 300.0);
    close(&link["in"]["p95"], 30.0);
    close(&link["headroom"], 1.0 - 300.0 / 125_000.0);
    assert_eq!(link["out"]["daily_p95"].as_array().unwrap().len(), 4);
    assert!(
        report["notes"][0].as_str().unwrap().starts_with("115200 bytes that stayed among our zones"),
        "{report}"
    );
    let heaviest = &report["zone_pairs"][0];
    assert_eq!((&heaviest["src_net"], &heaviest["dst_net"]), (&json!("private"), &json!("internet")));
}

#[test]
fn every_failure_names_its_remedy() {
    refused(&["--prometheus", "http://127.0.0.1:1"], 1, &["http://127.0.0.1:1", "check that it runs"]);
    refused(&["--prometheus", "https://x"], 2, &["https://x", "http://"]);
    refused(&[], 2, &["--prometheus", "--flow-log"]);
    refused(&["--prometheus", "http://x", "--days", "0"], 2, &["--days", "3660"]);
    refused(&["--prometheus", "http://x", "--step", "0s"], 2, &["--step"]);
    refused(&["--prometheus", "http://x", "--speed", "eth0=fast"], 2, &["fast", "megabits"]);
    refused(&["--flow-log", "/nowhere/flow.log"], 1, &["/nowhere/flow.log", "check the path"]);
    let empty = serve(|_, _| success(json!([])));
    refused(&["--prometheus", &empty], 1, &[&empty, "flowd_interface_bytes_total", "let it scrape"]);
    let page = serve(|_, _| (200, "<html>Grafana</html>".to_owned()));
    refused(&["--prometheus", &page], 1, &[&page, "does not answer as Prometheus", "/api/v1/query"]);
    let other = serve(|_, _| (200, "{\"status\":\"success\"}".to_owned()));
    refused(&["--prometheus", &other], 1, &["without data"]);
    let missing = serve(|_, _| (404, "404 page not found\n".to_owned()));
    refused(&["--prometheus", &missing], 1, &["404", "page not found"]);
    let limits = serve(|_, _| {
        (422, json!({ "status": "error", "errorType": "execution", "error": "too many samples" }).to_string())
    });
    refused(&["--prometheus", &limits], 1, &["422", "too many samples", "shorten --days"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flow.log");
    let path = file.to_str().unwrap();
    for (text, words) in [
        ("", "no flow records"),
        ("{}\n", "line 1"),
        ("{\"type\":\"flow\"}\n", "line 1: missing field"),
        ("\u{1}", "line 1"),
    ] {
        fs::write(&file, text).unwrap();
        refused(&["--flow-log", path], 1, &[path, words]);
    }
}
