//! Frames for tests, and what comes of them.

use std::sync::Arc;

use crate::{
    Query, Statements,
    conversation::{Dialect, Side, kit},
    http::HttpExchange,
    http2::{REGISTERED, dialect::Http2, frame::PREFACE},
    protocol::Options,
};

pub(crate) use kit::{Client, Server};

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const BOTH: u8 = END_STREAM | END_HEADERS;

pub(super) fn start() -> Box<dyn Dialect> {
    started(Query::Drop)
}

pub(super) fn started(query: Query) -> Box<dyn Dialect> {
    Box::new(Http2::new(&options(query, (REGISTERED.keys.defaults)())))
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = (payload.len() as u32).to_be_bytes();
    [&[a, b, c, kind, flags][..], &stream.to_be_bytes(), payload].concat()
}

/// A header block of literals; those whose name begins with `+` are told for later blocks.
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(if name.starts_with('+') { 0x40 } else { 0 });
        for text in [name.trim_start_matches('+'), value] {
            assert!(text.len() < 127);
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

pub(super) fn headers(flags: u8, stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(1, flags, stream, &block(fields))
}

/// A request without a body.
pub(super) fn get(stream: u32, path: &str) -> Vec<u8> {
    request(BOTH, stream, "GET", path)
}

pub(super) fn request(flags: u8, stream: u32, method: &str, path: &str) -> Vec<u8> {
    let fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "h")];
    headers(flags, stream, &fields)
}

pub(super) fn response(flags: u8, stream: u32, status: &str) -> Vec<u8> {
    headers(flags, stream, &[(":status", status)])
}

/// Both sides' prefaces.
pub(super) fn prefaces() -> [(Side, Vec<u8>); 2] {
    let settings = frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]);
    [(Client, [PREFACE, &settings].concat()), (Server, settings)]
}

/// The gist of the lines of a conversation behind the prefaces: `GET /a 200 complete 2-3`, with the numbers of the
/// parts in which request and response began. Asserts that smaller segments give the same.
pub(super) fn gist(parts: &[(Side, Vec<u8>)]) -> Vec<String> {
    let parts: Vec<_> = prefaces().into_iter().chain(parts.iter().cloned()).collect();
    gist_from_start(&parts)
}

pub(super) fn gist_from_start(parts: &[(Side, Vec<u8>)]) -> Vec<String> {
    let borrowed: Vec<_> = parts.iter().map(|(side, bytes)| (*side, bytes.as_slice())).collect();
    let lines = kit::records(start(), &borrowed);
    let whole: Vec<_> = lines.iter().map(|line| (text(line), times(line))).collect();
    for most in [1, 2, 7, 100] {
        let cut: Vec<_> = borrowed
            .iter()
            .flat_map(|(side, bytes)| bytes.chunks(most).map(|bytes| (*side, bytes)))
            .collect();
        let cut = kit::records(start(), &cut);
        let texts: Vec<_> = whole.iter().map(|(text, _)| text).collect();
        assert_eq!(cut.iter().map(text).collect::<Vec<_>>(), texts.into_iter().cloned().collect::<Vec<_>>());
    }
    whole.into_iter().map(|(text, times)| text + &times).collect()
}

/// The same where parts are missing.
pub(super) fn gist_with_gaps(parts: &[(Side, Result<Vec<u8>, u32>)]) -> Vec<String> {
    let prefaces = prefaces().map(|(side, bytes)| (side, Ok(bytes)));
    let parts: Vec<_> = prefaces.into_iter().chain(parts.iter().cloned()).collect();
    let borrowed: Vec<_> =
        parts.iter().map(|(side, part)| (*side, part.as_deref().map_err(|len| *len))).collect();
    kit::records_with_gaps(start(), &borrowed).iter().map(|line| text(line) + &times(line)).collect()
}

/// The one line of a conversation behind the prefaces.
pub(super) fn line(dialect: Box<dyn Dialect>, parts: &[(Side, Vec<u8>)]) -> serde_json::Value {
    let parts: Vec<_> = prefaces().into_iter().chain(parts.iter().cloned()).collect();
    let borrowed: Vec<_> = parts.iter().map(|(side, bytes)| (*side, bytes.as_slice())).collect();
    let mut lines = kit::records(dialect, &borrowed);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

/// The same as it is.
pub(super) fn exchange(parts: &[(Side, Vec<u8>)]) -> HttpExchange {
    let parts: Vec<_> = prefaces().into_iter().chain(parts.iter().cloned()).collect();
    let borrowed: Vec<_> = parts.iter().map(|(side, bytes)| (*side, bytes.as_slice())).collect();
    kit::raw_records(start(), &borrowed)[0].get::<HttpExchange>().unwrap().clone()
}

fn text(line: &serde_json::Value) -> String {
    assert_eq!((line["type"].as_str(), line["version"].as_str()), (Some("http"), Some("2")));
    let word = |name: &str| match &line[name] {
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let informational = match word("informational").as_str() {
        "[]" => String::new(),
        some => format!("{some} "),
    };
    let grpc = line["grpc_status"].as_u64().map(|status| format!(" grpc {status}")).unwrap_or_default();
    format!(
        "{} {} {informational}{}{grpc} {}",
        word("method"),
        word("target"),
        word("status"),
        word("outcome")
    )
}

/// When request and response began: numbers of parts.
fn times(line: &serde_json::Value) -> String {
    let nanoseconds = |time: &serde_json::Value| {
        let text = time.as_str().unwrap();
        text.rsplit('.').next().unwrap().trim_end_matches('Z').parse::<u64>().unwrap()
    };
    let begin = nanoseconds(&line["time"]);
    let took =
        line["response_time_us"].as_f64().map(|us| format!("-{}", begin + (us * 1_000.0).round() as u64));
    format!(" {begin}{}", took.unwrap_or_default())
}

pub(super) fn options(query: Query, keys: Arc<dyn crate::section::Section>) -> Options {
    Options { on: true, head_bytes: 512, query, statements: Statements::default(), keys }
}
