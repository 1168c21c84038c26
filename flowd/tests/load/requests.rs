//! Requests whose answer is known before.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

/// The target tells the status, so that a wrong pair shows.
pub const KINDS: [(&str, &str, u64); 4] =
    [("GET", "/echo/", 200), ("GET", "/missing/", 404), ("POST", "/made/", 201), ("GET", "/broken/", 503)];

/// Reads one response.
fn answer(stream: &mut TcpStream) {
    let (mut buffer, mut len) = ([0; 4096], 0);
    loop {
        let read = stream.read(&mut buffer[len..]).unwrap();
        assert!(read > 0, "the server closed");
        len += read;
        let text = std::str::from_utf8(&buffer[..len]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.split("Content-Length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        if body.len() >= length.parse().unwrap() {
            return;
        }
    }
}

/// One request, and all of its response.
pub fn ask(stream: &mut TcpStream, method: &str, target: &str) {
    let request = format!("{method} {target}?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    answer(stream);
}

/// Every complete line has the status that its target asks for.
pub fn assert_pairs(lines: &[Value]) {
    for line in lines.iter().filter(|line| line["outcome"] == "complete") {
        let target = line["target"].as_str().unwrap();
        let (method, _, status) = KINDS.into_iter().find(|(_, path, _)| target.starts_with(path)).unwrap();
        assert!(line["method"] == method && line["status"] == status, "{line}");
    }
}
