use std::io::Read as _;

use flow_common::app::App;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::{
    aggregate::{Ledger, LedgerOptions, Watched},
    clock::WallClock,
    export::{
        feed::{Bounds, Group},
        testing as lines,
    },
    flow::testing,
    telemetry::SinkCounters,
};

fn state() -> State {
    let watched = Watched {
        slot: 1,
        name: Arc::from("eth0"),
        one_point: false,
        physical: false,
        speed: None,
        mac: String::new(),
        mtu: 1500,
        ifindex: 2,
    };
    let options = LedgerOptions { conversations: 100, active_timeout: None };
    let mut ledger = Ledger::new(options, Arc::default(), vec![(watched, None)], WallClock::CAPTURE);
    for port in 1..=60 {
        let mut record = testing::connection(1, 40_000 + port, 80, 1);
        let client = record.client();
        testing::send(&mut record, client, u64::from(port), 100, 5);
        ledger.absorb(u32::from(port), &record, None, 5, &mut |_| {});
    }
    let telemetry = Arc::new(Telemetry::new(Vec::new()));
    let board = Board::new(ledger.numbers().clone(), Vec::new(), Arc::clone(&telemetry));
    let lines = Arc::new(Feed::new(Bounds { keep: [3; 2], clients: 2 }, SinkCounters::new));
    State { board: Arc::new(board), live: Arc::clone(ledger.live()), telemetry, lines }
}

async fn get(state: &State, path: &str, accept: &str) -> (u16, String, String) {
    let request = warp::test::request().path(path).header("accept", accept);
    let response = request.reply(&routes(&Desk::new(state.clone()), Guard::default())).await;
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), kind, String::from_utf8(response.body().to_vec()).unwrap())
}

#[tokio::test]
async fn metrics_come_in_both_formats() {
    let state = state();
    let prometheus =
        "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let (status, kind, body) = get(&state, "/metrics", prometheus).await;
    assert_eq!((status, kind.as_str()), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(body.ends_with("# EOF\n"));
    for accept in ["*/*", "text/plain", "application/openmetrics-text;q=0.1, text/plain"] {
        let (status, kind, body) = get(&state, "/metrics", accept).await;
        assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"), "{accept}");
        assert!(body.contains("# TYPE flowd_flow_bytes_total counter"));
    }
}

#[tokio::test]
async fn readiness_is_apart_from_health() {
    let state = state();
    assert_eq!(get(&state, "/healthz", "").await.0, 200);
    assert_eq!(get(&state, "/readyz", "").await.0, 503);
    state.telemetry.set_ready(true);
    assert_eq!(get(&state, "/readyz", "").await.0, 200);
    state.telemetry.set_lost(vec![Arc::from("eth1")], false);
    let (status, _, body) = get(&state, "/readyz", "").await;
    assert_eq!((status, body.as_str()), (200, "degraded: lost eth1\n"));
    state.telemetry.set_lost(vec![Arc::from("eth0"), Arc::from("eth1")], true);
    let (status, _, body) = get(&state, "/readyz", "").await;
    assert_eq!((status, body.as_str()), (503, "lost eth0, eth1\n"));
    state.telemetry.set_lost(Vec::new(), false);
}

#[tokio::test]
async fn flows_are_filtered_and_the_heaviest_come_first() {
    let state = state();
    let (status, _, body) = get(&state, "/api/v1/flows", "").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, body["flows"].as_array().unwrap().len()), (200, 50));
    assert_eq!(body["flows"][0]["client"]["port"], 40_060);
    let (_, _, body) = get(&state, "/api/v1/flows?top=2&cidr=10.0.0.0/8&port=80&protocol=tcp", "").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["flows"].as_array().unwrap().len(), 2);
    assert_eq!(body["flows"][0]["iface"], "eth0");
    assert!(body["flows"][0]["end_reason"].is_null());
}

#[tokio::test]
async fn interfaces_show_every_tally() {
    let (status, _, body) = get(&state(), "/api/v1/interfaces", "").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let interface = &body["interfaces"][0];
    assert_eq!((status, interface["name"].as_str()), (200, Some("eth0")));
    for direction in ["ingress", "egress"] {
        let direction = &interface[direction];
        assert_eq!(direction["seen"]["ipv4"]["skb_bytes"], 0);
        assert_eq!(direction["skipped"]["table_full"]["packets"], 0);
        assert_eq!(direction["kernel"]["bytes"], 0);
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let state = state();
    for (query, named) in [
        ("top=0", "top=0"),
        ("top=many", "top=many"),
        ("cidr=10.0.0.0%2F33", "cidr=10.0.0.0/33"),
        ("port=65536", "port=65536"),
        ("protocol=tpc", "protocol=tpc"),
        ("prot=6", "unknown parameter prot"),
    ] {
        let (status, kind, body) = get(&state, &format!("/api/v1/flows?{query}"), "").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, kind.as_str()), (400, "application/json"), "{query}");
        assert!(body["error"].as_str().unwrap().contains(named), "{query}: {body}");
    }
    let (status, _, body) = get(&state, "/nothing", "").await;
    assert_eq!(status, 404);
    assert!(body.contains("/metrics"));
    let response = warp::test::request()
        .method("POST")
        .path("/metrics")
        .reply(&routes(&Desk::new(state), Guard::default()))
        .await;
    assert_eq!(response.status().as_u16(), 405);
}

#[tokio::test]
async fn a_busy_port_is_named_with_the_remedy() {
    let first = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = first.local_addr().unwrap();
    let error = bind(address).await.unwrap_err().to_string();
    assert!(error.contains(&address.to_string()) && error.contains("--listen"), "{error}");
    assert!(!error.contains('\n'));
}

fn exchange(path: &str, status: u16) -> Record {
    let mut exchange = lines::exchange(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"));
    exchange.status = Some(status);
    Record::App(Arc::new(exchange))
}

#[tokio::test]
async fn the_latest_requests_are_filtered() {
    let state = state();
    for (path, status) in [("/0", 200), ("/1", 200), ("/2", 503), ("/3", 200)] {
        state.lines.push(Group::Http, &exchange(path, status));
    }
    for (query, paths) in [
        ("", &["/1", "/2", "/3"][..]),
        ("?limit=2", &["/2", "/3"]),
        ("?status=5xx", &["/2"]),
        ("?path=%2F3&host=h", &["/3"]),
        ("?client=192.0.2.0%2F24", &[]),
    ] {
        let (status, kind, body) = get(&state, &format!("/api/v1/http{query}"), "").await;
        assert_eq!((status, kind.as_str()), (200, "application/json"));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let shown: Vec<_> = body["lines"].as_array().unwrap().iter().map(|line| &line["target"]).collect();
        assert_eq!(shown, paths, "{query}");
    }
    for query in ["limit=0", "limit=65537", "status=x", "clients=1"] {
        for path in ["/api/v1/http", "/api/v1/http/stream", "/api/v1/requests", "/api/v1/requests/stream"] {
            // A stream may begin with nothing of the past.
            if query == "limit=0" && path.ends_with("/stream") {
                continue;
            }
            let (status, _, body) = get(&state, &format!("{path}?{query}"), "").await;
            let name = query.split('=').next().unwrap();
            assert!(status == 400 && body.contains(name) && body.contains("error"), "{path} {query}: {body}");
        }
    }
}

/// Lines of other types come where their protocol is named.
#[tokio::test]
async fn requests_of_all_protocols_have_one_list() {
    let state = state();
    let request = |app, operation, error| Record::App(Arc::new(lines::request(app, operation, error)));
    state.lines.push(Group::Requests, &request(App::Redis, "GET", None));
    state.lines.push(Group::Http, &exchange("/0", 200));
    state.lines.push(Group::Requests, &request(App::Mysql, "SELECT", Some("1146")));
    for (query, types) in [
        ("", &["redis", "mysql"][..]),
        ("?limit=1", &["mysql"]),
        ("?status=error", &["mysql"]),
        ("?operation=get", &["redis"]),
        ("?protocol=redis,http", &["redis", "http"]),
        ("?protocol=tls", &[]),
    ] {
        let (status, _, body) = get(&state, &format!("/api/v1/requests{query}"), "").await;
        assert_eq!(status, 200, "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let lines = body["lines"].as_array().unwrap().iter();
        let shown: Vec<_> = lines.map(|line| line.get("protocol").unwrap_or(&line["type"])).collect();
        assert_eq!(shown, types, "{query}");
    }
    let (address, _stop, _server) = served(&state).await;
    let mut stream =
        ask(address, "GET /api/v1/requests/stream?limit=2&protocol=redis HTTP/1.0\r\n\r\n").await;
    let mut text = String::new();
    read_until(&mut stream, &mut text, "\"GET\"").await;
    state.lines.push(Group::Requests, &request(App::Mysql, "SELECT", None));
    state.lines.push(Group::Requests, &request(App::Redis, "SET", None));
    read_until(&mut stream, &mut text, "\"SET\"").await;
    assert!(!text.contains("SELECT"), "{text}");
}

fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut text).unwrap();
    text
}

/// All but the processor time, which goes on between two answers.
fn standing(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap();
    text.lines().filter(|line| !line.starts_with("process_cpu_seconds_total ")).collect()
}

#[tokio::test]
async fn answers_are_compressed_where_asked() {
    let state = state();
    for path in ["/metrics", "/api/v1/flows"] {
        for (accepted, packed) in [
            ("gzip", true),
            ("deflate, gzip;q=0.5", true),
            ("*", true),
            ("", false),
            ("br", false),
            ("gzip;q=0, *", false),
            ("identity", false),
        ] {
            let request = warp::test::request().path(path).header("accept-encoding", accepted);
            let response = request.reply(&routes(&Desk::new(state.clone()), Guard::default())).await;
            assert_eq!(response.headers().contains_key("content-encoding"), packed, "{path} {accepted}");
            assert_eq!(response.headers()["vary"], "Accept, Accept-Encoding");
            let plain = get(&state, path, "").await.2;
            let body = response.body();
            if packed {
                assert!(body.len() * 2 < plain.len(), "{} of {}", body.len(), plain.len());
                assert_eq!(standing(&unpacked(body)), standing(plain.as_bytes()));
            } else {
                assert_eq!(standing(body), standing(plain.as_bytes()));
            }
        }
    }
    let request = warp::test::request().path("/healthz").header("accept-encoding", "gzip");
    assert!(
        !request
            .reply(&routes(&Desk::new(state), Guard::default()))
            .await
            .headers()
            .contains_key("content-encoding"),
        "too small"
    );
}

/// A server on a port of its own, and how to stop it.
async fn served(
    state: &State,
) -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>, impl Future + use<>) {
    served_to(state, Guard::default()).await
}

/// The same for those whom the guard lets in.
async fn served_to(
    state: &State,
    guard: Guard,
) -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>, impl Future + use<>) {
    let listener = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, state.clone(), guard, Limits::default(), async {
        let _ = stopped.await;
    }));
    (address, stop, server)
}

async fn ask(address: std::net::SocketAddr, request: &str) -> tokio::net::TcpStream {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut tokio::net::TcpStream, text: &mut String, part: &str) {
    while !text.contains(part) {
        let mut buffer = [0; 4_096];
        let read = timeout(Duration::from_secs(5), stream.read(&mut buffer));
        let read = read.await.unwrap_or_else(|_| panic!("no {part} in {text}")).unwrap();
        assert!(read > 0, "ended without {part}: {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
}

#[tokio::test]
async fn a_stream_has_past_and_news_and_ends_with_the_daemon() {
    let state = state();
    state.lines.push(Group::Http, &exchange("/0", 200));
    state.lines.push(Group::Http, &exchange("/1", 200));
    let (address, stop, server) = served(&state).await;
    let request = "GET /api/v1/http/stream?limit=1&status=200 HTTP/1.0\r\n\r\n";
    let mut stream = ask(address, request).await;
    let mut text = String::new();
    read_until(&mut stream, &mut text, "\"/1\"").await;
    assert!(text.contains("text/event-stream") && !text.contains("\"/0\""), "{text}");
    state.lines.push(Group::Http, &exchange("/2", 503));
    state.lines.push(Group::Http, &exchange("/3", 200));
    read_until(&mut stream, &mut text, "\"/3\"").await;
    assert!(!text.contains("\"/2\""), "{text}");
    // One more may follow, the third may not.
    let _second = state.lines.follow(Group::Http, 0, Box::new(|_| true)).unwrap();
    let mut refused = String::new();
    ask(address, request).await.read_to_string(&mut refused).await.unwrap();
    assert!(refused.contains(" 503 ") && refused.contains("api.streams"), "{refused}");
    state.lines.close();
    drop(stop);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    timeout(Duration::from_secs(5), server).await.unwrap();
}

#[tokio::test]
async fn heads_are_bounded() {
    let state = state();
    let (address, _stop, _server) = served(&state).await;
    for (fields, status) in [
        (String::new(), " 200 "),
        ("X: y\r\n".repeat(65), " 431 "),
        (format!("X: {}\r\n", "y".repeat(20_000)), " 431 "),
    ] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
        let mut text = String::new();
        let mut stream = ask(address, &request).await;
        // The rest of a head that is refused may meet a reset.
        let _ = stream.read_to_string(&mut text).await;
        assert!(text.starts_with("HTTP/1.1") && text.contains(status), "{status}: {text}");
    }
}

#[tokio::test]
async fn clients_that_do_not_read_share_one_exposition() {
    let desk = Desk::new(state());
    let form = |gzip| Form { open_metrics: false, gzip };
    let mut held = vec![desk.scrapes.answer(form(false)).await, desk.scrapes.answer(form(true)).await];
    let one = desk.budget.used();
    for number in 0..200 {
        held.push(desk.scrapes.answer(form(number % 2 == 0)).await);
    }
    assert_eq!(desk.budget.used(), one);
    assert!(held.iter().all(|answer| answer.status() == StatusCode::OK));
    drop(held);
    tokio::time::sleep(Duration::from_secs(1)).await;
    desk.scrapes.forget();
    assert_eq!(desk.budget.used(), 0, "what is freed is given back");
}

#[tokio::test]
async fn each_scrape_of_one_client_is_new_unless_they_come_too_fast() {
    let state = state();
    let desk = Desk::new(state.clone());
    let routes = routes(&desk, Guard::default());
    let mut seen = Vec::new();
    for _ in 0..40 {
        state.telemetry.drained(Duration::from_millis(1), 0, 0);
        let answer = warp::test::request().path("/metrics").reply(&routes).await;
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        let count = text.lines().find_map(|line| line.strip_prefix("flowd_drain_duration_seconds_count "));
        seen.push(count.unwrap().parse::<u64>().unwrap());
    }
    assert_eq!(seen[..20], (1..=20).collect::<Vec<_>>());
    assert!(seen[39] < 40 && seen.is_sorted(), "{seen:?}");
}

/// A connection from that address of loopback.
async fn connect(from: [u8; 4], to: std::net::SocketAddr) -> tokio::net::TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // So that a client that does not read holds up the server soon.
    socket.set_recv_buffer_size(4_096).unwrap();
    socket.bind((from, 0).into()).unwrap();
    timeout(Duration::from_secs(5), socket.connect(to)).await.unwrap().unwrap()
}

/// The status line of an answer to a request from that address, within a second.
async fn status(from: [u8; 4], to: std::net::SocketAddr, path: &str) -> String {
    let mut stream = connect(from, to).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    timeout(Duration::from_secs(1), stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text.lines().next().unwrap().to_owned()
}

const OK: &str = "HTTP/1.1 200 OK";

#[tokio::test]
async fn silent_connections_shut_nobody_out() {
    let state = state();
    state.telemetry.set_ready(true);
    let (address, _stop, _server) = served(&state).await;
    let mut silent = Vec::new();
    for number in 0..600_u32 {
        // From one address, and from many.
        let from = if number < 300 { [127, 0, 0, 2] } else { [127, 0, 1, (number % 200) as u8 + 1] };
        silent.push(connect(from, address).await);
    }
    for from in [[127, 0, 0, 1], [127, 0, 0, 2], [127, 0, 1, 1]] {
        for path in ["/healthz", "/readyz", "/metrics", "/api/v1/flows"] {
            assert_eq!(status(from, address, path).await, OK, "{path} from {from:?}");
        }
    }
}

#[tokio::test]
async fn health_and_scrapes_find_a_place_beside_clients_that_do_not_read() {
    let state = state();
    state.telemetry.set_ready(true);
    let (address, _stop, _server) = served(&state).await;
    let mut stuck = Vec::new();
    for number in 0..280_u32 {
        let mut stream = connect([127, 0, 0, (number / 60) as u8 + 2], address).await;
        // More than all buffers between here and there hold; at the end of the places the answer is a refusal.
        let requests = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(40);
        let _ = stream.write_all(requests.as_bytes()).await;
        stuck.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for from in [[127, 0, 0, 1], [127, 0, 0, 2]] {
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(status(from, address, path).await, OK, "{path} from {from:?}");
        }
        // A list may have to wait until one of them is given up, but is answered.
        let answer = status(from, address, "/api/v1/flows").await;
        assert!(answer == OK || answer.contains("503"), "{answer}");
    }
}

/// Head and body of the answer to a whole request.
async fn answer(address: std::net::SocketAddr, request: &str) -> (String, String) {
    let mut text = String::new();
    ask(address, request).await.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn answers_say_what_a_browser_may_do_with_them() {
    let state = state();
    let (address, _stop, _server) = served(&state).await;
    for (request, status, part) in [
        ("GET /healthz HTTP/1.1\r\nHost: any.example", "200", "ok"),
        ("GET /metrics HTTP/1.1\r\nHost: any.example", "200", "flowd_series"),
        ("GET /api/v1/flows HTTP/1.1\r\nHost: localhost", "200", "flows"),
        ("GET /api/v1/flows HTTP/1.1\r\nHost: any.example", "403", "web.hosts"),
        ("GET / HTTP/1.1\r\nHost: any.example", "403", "web.hosts"),
        ("GET /api/v1/http HTTP/1.1\r\nHost: localhost\r\nOrigin: http://any.example", "403", "another site"),
        ("GET /healthz HTTP/1.1", "400", "Host"),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a", "400", "Host"),
        ("GET /api/v1/flows?top=0 HTTP/1.1\r\nHost: localhost", "400", "top=0"),
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: \u{e9}", "400", "header field"),
        ("GET /nothing HTTP/1.1\r\nHost: localhost", "404", "/metrics"),
        ("DELETE /metrics HTTP/1.1\r\nHost: localhost", "405", "use GET"),
    ] {
        let (head, body) = answer(address, &format!("{request}\r\nConnection: close\r\n\r\n")).await;
        assert!(
            head.starts_with(&format!("http/1.1 {status} ")) && body.contains(part),
            "{request}: {head} {body}"
        );
        for field in ["x-content-type-options: nosniff", "cache-control: no-store"] {
            assert!(head.contains(field), "{request}: {head}");
        }
        assert_eq!(head.contains("allow: get, head"), status == "405", "{head}");
        // No words of the program's source.
        assert!(!body.contains("Rejection") && !body.contains("InvalidHeader"), "{body}");
    }
    for (refusal, count) in [(Refusal::Host, 4), (Refusal::CrossSite, 1)] {
        assert_eq!(state.telemetry.refusals.of(refusal), count, "{refusal:?}");
    }
}

#[tokio::test]
async fn a_revoked_token_ends_its_stream_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens");
    let tokens = ["0123456789abcdef", "fedcba9876543210"];
    std::fs::write(&path, tokens.join("\n")).unwrap();
    let web = crate::config::Web { tokens: path.to_str().unwrap().to_owned(), ..Default::default() };
    let guard = Guard::load(&web).unwrap();
    let state = state();
    let (address, _stop, _server) = served_to(&state, guard.clone()).await;
    let mut streams = Vec::new();
    for token in tokens {
        let request = format!("GET /api/v1/http/stream HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n");
        let mut stream = ask(address, &request).await;
        let mut text = String::new();
        read_until(&mut stream, &mut text, "text/event-stream").await;
        streams.push(stream);
    }
    // The same files once more are no news.
    guard.take_over(guard.renewed(&web).unwrap());
    std::fs::write(&path, tokens[1]).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    state.lines.push(Group::Http, &exchange("/between", 200));
    for stream in &mut streams {
        read_until(stream, &mut String::new(), "/between").await;
    }
    guard.take_over(guard.renewed(&web).unwrap());
    let mut rest = String::new();
    timeout(Duration::from_secs(2), streams[0].read_to_string(&mut rest)).await.expect("it ends").unwrap();
    state.lines.push(Group::Http, &exchange("/after", 200));
    read_until(&mut streams[1], &mut String::new(), "/after").await;
    assert!(!rest.contains("/after"), "{rest}");
}

#[tokio::test]
async fn wrong_logins_are_counted_and_slowed_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    std::fs::write(&path, "ann:$2b$04$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n").unwrap();
    let web = crate::config::Web { users: path.to_str().unwrap().to_owned(), ..Default::default() };
    let state = state();
    let (address, _stop, _server) = served_to(&state, Guard::load(&web).unwrap()).await;
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let request = "GET /metrics HTTP/1.0\r\nAuthorization: Basic YW5uOndyb25n\r\n\r\n";
        let (head, _) = answer(address, request).await;
        assert_eq!(head.contains("retry-after: "), head.contains(" 429 "), "{head}");
        statuses.push(head[9..12].to_owned());
    }
    assert_eq!(statuses, ["401", "401", "401", "401", "401", "429", "429"]);
    // No login at all is none that failed.
    assert!(answer(address, "GET /metrics HTTP/1.0\r\n\r\n").await.0.contains(" 401 "));
    assert_eq!(
        [Refusal::Login, Refusal::LoginRate].map(|refusal| state.telemetry.refusals.of(refusal)),
        [5, 2]
    );
}
