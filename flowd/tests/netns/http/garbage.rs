//! What only begins like HTTP, over real connections: every line is JSON, and the daemon goes on.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread::scope,
};

use serde_json::Value;

use crate::support::{
    daemon::Daemon,
    privileged,
    router::{LAN, Router, SERVER_V4},
    until,
};

/// What the client sends, and the server.
fn talks() -> Vec<(Vec<u8>, Vec<u8>)> {
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    let mut noise: Vec<u8> = (0..5_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    noise.splice(..4, *b"GET ");
    let long = |filler: &str, count| {
        format!("GET /long HTTP/1.1\r\nX: {}\r\n\r\n", filler.repeat(count)).into_bytes()
    };
    let get = |text: &[u8]| [b"GET ", text, b" HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
    let smuggle = |fields: &str| {
        let inner = "GET /inner HTTP/1.1\r\nHost: y\r\n\r\n";
        format!("POST /outer HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n0\r\n\r\n{inner}").into_bytes()
    };
    vec![
        (noise.clone(), noise),
        (long("x", 65_536), ok.clone()),
        (long("x\r\nY: ", 10_000), ok.clone()),
        (get(&[b'/', 0, 1, 0x7f, 0, b'z']), ok.clone()),
        (get(&[b'/', 0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]), ok.clone()),
        (get(b"/quote\"\\\x1b[31m"), b"HTTP/1.1 999 \xff\0\r\nContent-Type: \"\xfe\r\n\r\n".to_vec()),
        (b"GET /host HTTP/1.1\r\nHost: \xff\0\"x\r\nUser-Agent: \x01\xf0\x28\r\n\r\n".to_vec(), ok.clone()),
        (smuggle("Content-Length: 5\r\nTransfer-Encoding: chunked"), ok.clone()),
        (smuggle("Content-Length: 5\r\nContent-Length: 50"), ok.clone()),
        (smuggle("Transfer-Encoding : chunked\r\nContent-Length: +5"), ok.clone()),
        (smuggle("Content-Length: 99999999999999999999"), ok.clone()),
        (b"GET /folded HTTP/1.1\r\nHost: x\r\n y\r\n\tz\r\n\r\n".to_vec(), ok.clone()),
        (b"GET \r\n\r\nGET\r\nGET /\r\nHTTP/1.1 200\r\n\r\n".to_vec(), b"HTTP/9.9 1\r\n\r\n".to_vec()),
        (get(b"/good"), ok),
    ]
}

#[test]
fn every_line_of_garbage_is_json() {
    if !privileged("every_line_of_garbage_is_json") {
        return;
    }
    let router = Router::new(false);
    let listener = router.server.enter(|| TcpListener::bind((SERVER_V4, 80)).unwrap());
    let daemon = Daemon::start(&router.gateway, &[LAN], "query = \"keep\"\n");
    let talks = talks();
    scope(|scope| {
        scope.spawn(|| {
            for (request, response) in &talks {
                let mut stream = listener.accept().unwrap().0;
                stream.read_exact(&mut vec![0; request.len()]).unwrap();
                stream.write_all(response).unwrap();
            }
        });
        for (request, _) in &talks {
            let mut stream = router.client.enter(|| TcpStream::connect((SERVER_V4, 80)).unwrap());
            stream.write_all(request).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        }
    });
    // Each line was read as JSON here.
    let good = |lines: &[Value]| lines.iter().any(|line| line["target"] == "/good" && line["status"] == 200);
    until("the last request", 10, || good(&daemon.http()).then_some(()));
    let shown: Value = serde_json::from_str(&daemon.get("/api/v1/http?limit=1000")).unwrap();
    assert!(good(shown["lines"].as_array().unwrap()));
    daemon.drained();
    assert!(daemon.metric("flowd_http_requests_total", &[]) > 0.0);
    // As it is in the file: what a terminal or a script would stumble over is escaped.
    for (path, text) in daemon.http_files() {
        assert!(text.lines().all(|line| !line.contains(char::is_control)), "{path:?}: {text:?}");
    }
    let ended = daemon.stop();
    println!("{} lines", ended.http.len());
    for target in ["/long", "/folded", "/outer", "/host"] {
        assert!(ended.http.iter().any(|line| line["target"] == target), "{target}: {:?}", ended.http);
    }
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}
