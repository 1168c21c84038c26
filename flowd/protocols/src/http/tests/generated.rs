use flow_common::event::PayloadKind;
use proptest::{collection::vec, prelude::*};

use super::kit::{SECOND, Story, key, line};
use crate::http::{
    HttpExchange, HttpOptions, Privacy, Query,
    parse::{self, Head},
};

/// What arbitrary bytes rarely hit by themselves.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "GET ",
        "/a?b=c&d ",
        "HTTP/1.1",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 100 C",
        "HTTP/1.1 101 S",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "Host: h",
        "Content-Length: 4",
        "Content-Length: 99999999999",
        "CONNECT h:1 ",
        "HEAD ",
        "Transfer-Encoding: chunked",
        "http://u:p@h/",
        " folded",
        "HTTP/1.1 304 N",
        "POST / ",
        "?#@:/",
    ]);
    prop_oneof![4 => known.prop_map(|text| text.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..40)]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(fragment(), 0..12).prop_map(|parts| parts.concat())
}

#[derive(Debug, Clone)]
struct Step {
    client: bool,
    kind: u8,
    port: u16,
    seq: u32,
    flags: u8,
    bytes: Vec<u8>,
    pause: u64,
    expire: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let seq = prop_oneof![3 => 0..300_u32, 1 => any::<u32>()];
    let flags = prop_oneof![8 => Just(0_u8), 1 => Just(1), 1 => Just(4)];
    let pause = prop_oneof![4 => 0..SECOND, 1 => 0..40 * SECOND, 1 => Just(u64::MAX / 8)];
    (any::<bool>(), 0..4_u8, 1000..1006_u16, seq, flags, bytes(), pause, any::<bool>()).prop_map(
        |(client, kind, port, seq, flags, bytes, pause, expire)| Step {
            client,
            kind,
            port,
            seq,
            flags,
            bytes,
            pause,
            expire,
        },
    )
}

fn kind(number: u8) -> PayloadKind {
    match number {
        0 => PayloadKind::Request,
        1 => PayloadKind::Response,
        2 => PayloadKind::Continuation,
        _ => PayloadKind::End,
    }
}

/// A request whose body, if it has one, is framed so that the next message can be found.
fn request(number: usize, shape: u8) -> Vec<u8> {
    match shape % 4 {
        0 => format!("GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n"),
        1 => format!("POST /{number} HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\nGET / x"),
        2 => format!("HEAD /{number} HTTP/1.0\n\n"),
        _ => format!("DELETE /{number} HTTP/1.1\r\nUser-Agent: a\r\n b\r\n\r\n"),
    }
    .into_bytes()
}

fn response(request: u8, shape: u8) -> Vec<u8> {
    let head = request % 4 == 2;
    match (shape % 4, head) {
        (0, false) => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/",
        (0, true) => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        (1, _) => "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
        (2, false) => "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201\r\nContent-Length: 0\r\n\r\n",
        (2, true) => "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\n",
        (_, _) => "HTTP/1.1 204 No Content\r\n\r\n",
    }
    .as_bytes()
    .to_vec()
}

/// Sends messages in segments that end at `cuts`; only a segment that begins with a message is marked so.
fn send(story: &mut Story, client: bool, messages: &[Vec<u8>], cuts: &[usize]) {
    let mut starts = vec![0];
    for message in messages {
        starts.push(starts.last().unwrap() + message.len());
    }
    let stream = messages.concat();
    let mut edges: Vec<usize> = cuts.iter().map(|cut| cut % stream.len().max(1)).collect();
    edges.extend([0, stream.len()]);
    edges.sort_unstable();
    edges.dedup();
    for edge in edges.windows(2) {
        let segment = &stream[edge[0]..edge[1]];
        match (client, starts.contains(&edge[0])) {
            (true, true) => story.client(segment),
            (true, false) => story.client_more(segment),
            (false, true) => story.server(segment),
            (false, false) => story.server_more(segment),
        };
    }
}

fn play(shapes: &[(u8, u8)], cuts: Option<(&[usize], &[usize])>) -> Vec<HttpExchange> {
    let requests: Vec<_> = shapes.iter().enumerate().map(|(n, shape)| request(n, shape.0)).collect();
    let responses: Vec<_> = shapes.iter().map(|shape| response(shape.0, shape.1)).collect();
    let mut story = Story::default();
    match cuts {
        Some((client, server)) => {
            send(&mut story, true, &requests, client);
            send(&mut story, false, &responses, server);
        }
        None => {
            for message in &requests {
                story.client(message);
            }
            for message in &responses {
                story.server(message);
            }
        }
    }
    story.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_may_come(steps in vec(step(), 0..60), query in 0..3_u8) {
        let query = [Query::Drop, Query::Keys, Query::Keep][usize::from(query)];
        let mut story = Story::with(HttpOptions {
            privacy: Privacy { query, ..Privacy::default() }, head_bytes: 100, max_pending_per_flow: 3, max_connections: 4, ..HttpOptions::default()
        });
        let mut messages = 0;
        for step in &steps {
            story.key = key(step.port).0;
            story.time = story.time.saturating_add(step.pause);
            story.raw(step.client, kind(step.kind), step.seq, &step.bytes, step.flags);
            messages += step.bytes.len();
            if step.expire {
                story.expire();
            }
            prop_assert!(story.tracker.connections() <= 4);
            prop_assert!(story.tracker.outstanding() <= 4 * 3);
            prop_assert!(story.tracker.buffered() <= 4 * 2 * 2 * 100);
        }
        let out = story.finish();
        prop_assert!(out.len() <= messages, "no line without bytes");
        for exchange in &out {
            let value = line(exchange);
            prop_assert_eq!(&value["type"], "http");
            if query != Query::Keep && let Some(target) = value["target"].as_str() {
                prop_assert!(!target.contains('#') && (query == Query::Keys || !target.contains('?')), "{}", target);
            }
        }
        prop_assert_eq!(story.tracker.connections(), 0);
    }

    #[test]
    fn segments_do_not_matter(
        shapes in vec((any::<u8>(), any::<u8>()), 1..8),
        client in vec(any::<usize>(), 0..20),
        server in vec(any::<usize>(), 0..20),
    ) {
        prop_assert_eq!(play(&shapes, Some((&client, &server))), play(&shapes, None));
    }

    /// Where a strict parser is content, the tolerant one must read the same.
    #[test]
    fn httparse_agrees(head in bytes()) {
        let keep = Privacy { query: Query::Keep, ..Privacy::default() };
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut strict = httparse::Request::new(&mut headers);
        // Empty lines before a message are the stream's business; an empty method token is httparse's alone.
        let blank = matches!(head.first(), Some(b'\r' | b'\n'));
        if let Ok(httparse::Status::Complete(end)) = strict.parse(&head) && !blank {
            let method = strict.method.unwrap_or_default();
            if method.bytes().all(|b| b.is_ascii_uppercase()) {
                let Some(Head::Request(ours)) = parse::read(&head[..end], true, &keep) else {
                    return Err(TestCaseError::fail("refused"));
                };
                prop_assert_eq!(ours.method, method);
                let host = strict.headers.iter().find(|h| h.name.eq_ignore_ascii_case("host"));
                if let Some(host) = host && strict.path.is_some_and(|path| path.starts_with('/')) {
                    let host = String::from_utf8_lossy(host.value).trim().to_owned();
                    prop_assert_eq!(ours.fields.host.unwrap_or_default(), host);
                }
            }
        }
    }
}
