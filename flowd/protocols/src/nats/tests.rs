//! Stories, recognition, and what strangers may send.

use super::{
    REGISTERED,
    dialect::Nats,
    message::{OPERATIONS, says},
    recognise::recognise,
};
use crate::{
    conversation::{
        Dialect, Recognition, Side,
        kit::{Client, Server, converse, with_gaps},
        mischief::endures,
    },
    privacy::Statements,
    protocol::Follow,
};

const INFO: &str = "INFO {\"server_id\":\"N\",\"version\":\"2.10.7\",\"headers\":true}\r\n";

fn start() -> Box<dyn Dialect> {
    Box::new(Nats::default())
}

fn talk(parts: &[(Side, &str)]) -> Vec<String> {
    let parts: Vec<_> = parts.iter().map(|(side, text)| (*side, text.as_bytes())).collect();
    converse(start, &parts)
}

#[test]
fn only_ping_is_answered_unless_the_client_is_verbose() {
    assert!(OPERATIONS.is_sorted());
    let lines = talk(&[
        (Server, INFO),
        (Client, "CONNECT {\"verbose\": false,\"lang\":\"go\"}\r\nPING\r\n"),
        (Server, "PONG\r\nPING\r\n"),
        (Client, "PONG\r\nSUB a.* q 1\r\npub a.b 6\r\nPING\r\n\r\nPUB a.b reply 0\r\n\r\nPING\r\n"),
        (Server, "MSG a.b 1 6\r\nPONG\r\n\r\n-ERR 'Slow Consumer'\r\nPONG\r\n"),
        (Client, "HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nUNSUB 1 5\r\n"),
    ]);
    let wanted = [
        "CONNECT - 1",
        "PING ok 1-2",
        "SUB - 3",
        "PUB - 3",
        "PUB - 3",
        "PING ok 3-4",
        "HPUB - 5",
        "UNSUB - 5",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn what_was_refused_stays_refused_when_its_line_ends() {
    for line in ["-ERR '\x7f", "PUB \x01"] {
        for line in [line.to_owned(), format!("{line}'\r\n")] {
            assert_eq!(recognise(line.as_bytes(), b""), Recognition::No, "{line:?}");
            assert_eq!(recognise(b"", line.as_bytes()), Recognition::No, "{line:?}");
        }
    }
    assert_eq!(recognise("PUB \u{e9}".as_bytes(), b""), Recognition::Maybe);
    assert_eq!(recognise("PUB \u{e9} 1\r\nx\r\n".as_bytes(), b""), Recognition::Yes);
}

#[test]
fn a_verbose_client_has_a_verdict_on_each_message() {
    let lines = talk(&[
        (Server, INFO),
        (Client, "CONNECT {\"verbose\":true}\r\n"),
        (Server, "+OK\r\nPING\r\n"),
        (Client, "PONG\r\nSUB a 1\r\nPUB b 1\r\nx\r\nDEADBEEF\r\nPING\r\n"),
        (Server, "+OK\r\n-ERR 'Permissions Violation for Publish to \"b\"'\r\n"),
        (Server, "-ERR 'Unknown Protocol Operation'\r\nPONG\r\n"),
    ]);
    let wanted = [
        "CONNECT ok 1-2",
        "SUB ok 3-4",
        "PUB Permissions Violation for Publish 3-4",
        "DEADBEEF Unknown Protocol Operation 3-5",
        "PING ok 3-5",
    ];
    assert_eq!(lines, wanted);
}

/// Errors may name a subject, or be made up by a server.
#[test]
fn errors_say_more_on_demand() {
    let parts: &[_] = &[
        (Server, INFO.as_bytes()),
        (Client, b"CONNECT {\"verbose\":true}\r\nSUB a 1\r\nSUB b 2\r\n"),
        (Server, b"+OK\r\n-ERR 'permissions violation for subscription to \"a\"'\r\n-ERR 'no b'\r\n"),
    ];
    let lines = |statements| converse(|| Box::new(Nats::new(statements)), parts);
    for statements in [Statements::Drop, Statements::Normalized] {
        let wanted = ["CONNECT ok 1-2", "SUB Permissions Violation for Subscription 1-2", "SUB _OTHER 1-2"];
        assert_eq!(lines(statements), wanted);
    }
    let wanted =
        ["CONNECT ok 1-2", "SUB permissions violation for subscription to \"a\" 1-2", "SUB no b 1-2"];
    assert_eq!(lines(Statements::Keep), wanted);
}

#[test]
fn behind_tls_nothing_is_told() {
    let lines = talk(&[(Server, INFO), (Client, "\u{16}\u{3}\u{1}"), (Client, "PING\r\n")]);
    assert!(lines.is_empty());
}

/// Before the ClientHello, so that it is not taken for a message.
#[test]
fn a_server_that_requires_tls_is_left_at_once() {
    let lines = |tls: &str| {
        let info = format!("INFO {{\"server_id\":\"N\",\"tls_required\":{tls}}}\r\n");
        talk(&[(Server, info.as_str()), (Client, "PING\r\n"), (Server, "PONG\r\n")])
    };
    assert!(lines("true").is_empty());
    assert_eq!(lines("false"), ["PING ok 1-2"]);
}

#[test]
fn a_value_that_reads_like_a_key_is_none() {
    let cases = [
        (r#"{"verbose":true}"#, Some(true)),
        (r#"{"name" : "verbose", "verbose" : false}"#, Some(false)),
        (r#"{"name":"\"verbose\":true","verbose":false}"#, Some(false)),
        (r#"{"name":"\\","verbose":false}"#, Some(false)),
        (r#"{"name":"verbose"}"#, None),
        (r#"{"verbose":null}"#, None),
        (r#"{"name":"verbose"#, None),
        ("{}", None),
    ];
    for (object, wanted) in cases {
        assert_eq!(says(object.as_bytes(), "verbose"), wanted, "{object}");
    }
    let lines = talk(&[
        (Server, INFO),
        (Client, "CONNECT {\"name\":\"verbose\",\"verbose\":false}\r\nPING\r\n"),
        (Server, "PONG\r\n"),
    ]);
    assert_eq!(lines, ["CONNECT - 1", "PING ok 1-2"]);
}

#[test]
fn payloads_may_be_missing_and_lost_answers_pair_nothing_wrong() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(b"PUB a 5000\r\nxx")),
            (Client, Err(5_000)),
            (Client, Ok(b"PING\r\n")),
            (Server, Err(6)),
            (Client, Ok(b"SUB a 1\r\nPING\r\n")),
            (Server, Ok(b"MSG a 1 2\r\nhi\r\n")),
            (Client, Ok(b"PUB a 1\r\nx\r\n")),
            (Client, Ok(b"PING\r\n")),
            (Server, Ok(b"PONG\r\n")),
        ],
    );
    assert_eq!(lines, ["PUB - 0", "PING ? 2", "SUB - 4", "PING ? 4", "PUB - 6", "PING ok 7-8"]);
}

#[test]
fn nats_is_known_and_nothing_else_is_nats() {
    use Recognition::{Maybe, No, Yes};
    let say = |client: &str, server: &str| recognise(client.as_bytes(), server.as_bytes());
    let own = [
        ("", INFO),
        ("CONNECT {\"verbose\":false}\r\nPING\r\n", INFO),
        ("CONNECT {\"verbose\":false}\r\n", ""),
        ("PING\r\nPUB a 2\r\nhi\r\n", "PONG\r\n"),
        ("PUB a 2000\r\nhi", ""),
        ("SUB a 1\r\nSUB b 2\r\n", ""),
        ("SUB a 1\r\n", "+OK\r\n"),
        ("PONG\r\n", "MSG a 1 2\r\nhi\r\n"),
        ("CONNECT {\"verbose\":fal", ""),
        ("PING\r\n", "-ERR 'Authorization Violation'\r\n"),
    ];
    for (client, server) in own {
        assert_eq!(say(client, server), Yes, "{client:?} {server:?}");
        assert_ne!(say(server, client), Yes, "{client:?} {server:?}");
    }
    for (client, server) in [("PING\r\n", "PONG\r\n"), ("PI", ""), ("", "PING\r\n"), ("", "+OK\r\n+OK\r\n")] {
        assert_eq!(say(client, server), Maybe, "{client:?} {server:?}");
    }
    let foreign = [
        ("CONNECT a:443 HTTP/1.1\r\n", ""),
        ("PING\r\n", "+PONG\r\n"),
        ("SUB topic channel\nRDY 1\n", ""),
        ("PUB a 2\r\nhiXX", ""),
        ("PING :x\r\n", "PONG x\r\n"),
        ("EHLO a\r\n", "220 a\r\n"),
        ("\u{16}\u{3}\u{1}", "\u{16}\u{3}\u{3}"),
        ("GET / HTTP/1.1\r\n\r\n", ""),
        ("INFO\r\n", "$5\r\nabcde\r\n"),
    ];
    for (client, server) in foreign {
        assert_eq!(say(client, server), No, "{client:?} {server:?}");
        assert_ne!(say(server, client), Yes, "{client:?} {server:?}");
    }
}

#[test]
fn mischief_is_endured() {
    let Follow::Dialect(candidate) = REGISTERED.follow else { panic!("no dialect") };
    let parts: [(Side, &[u8]); 6] = [
        (Server, INFO.as_bytes()),
        (Client, b"CONNECT {\"verbose\":true}\r\nPING\r\n"),
        (Server, b"+OK\r\nPONG\r\n-ERR 'x'\r\n"),
        (Client, b"PUB a 2\r\nhi\r\nHPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\nUNSUB 1\r\n"),
        (Server, b"+OK\r\n+OK\r\nHMSG a 1 12 14\r\nNATS/1.0\r\n\r\nhi\r\n"),
        (Client, b"DEADBEEF\r\nSUB a 1\r\n"),
    ];
    endures(&candidate, start, &parts, 400_000);
}
