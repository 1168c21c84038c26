//! Stories, recognition, and what strangers may send.

use super::{REGISTERED, dialect::Redis, recognise::recognise, words::OPERATIONS};
use crate::{
    conversation::{
        Dialect, Recognition, Side,
        kit::{Client, Server, converse, with_gaps},
        mischief::endures,
    },
    protocol::Follow,
};

fn start() -> Box<dyn Dialect> {
    Box::new(Redis::default())
}

fn talk(parts: &[(Side, &str)]) -> Vec<String> {
    let parts: Vec<_> = parts.iter().map(|(side, text)| (*side, text.as_bytes())).collect();
    converse(start, &parts)
}

#[test]
fn the_words_are_sorted_and_the_protocol_is_a_dialect() {
    assert!(OPERATIONS.is_sorted());
    assert!(matches!(REGISTERED.follow, Follow::Dialect(_)));
}

/// What a script fails with may be anything.
#[test]
fn an_error_without_a_code_is_none_of_its_words() {
    let command = "*1\r\n$4\r\nPING\r\n";
    let replies = [
        "-ann@example.org is locked\r\n",
        "-NO_AUTH2 x\r\n",
        "- x\r\n",
        "!6\r\nsecret\r\n",
        "!4\r\nA b\n\r\n",
    ];
    let parts: Vec<_> = replies.iter().flat_map(|reply| [(Client, command), (Server, *reply)]).collect();
    let wanted = ["PING ERR 0-1", "PING NO_AUTH2 2-3", "PING ERR 4-5", "PING ERR 6-7", "PING A 8-9"];
    assert_eq!(talk(&parts), wanted);
}

#[test]
fn each_command_of_a_pipeline_has_its_reply() {
    let lines = talk(&[
        (
            Client,
            "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n*1\r\n\r\n*2\r\n$3\r\nget\r\n$1\r\na\r\n*2\r\n$4\r\nLPOP\r\n$1\r\na\r\n",
        ),
        (Server, "+OK\r\n$4\r\n*1\r\n\r\n-WRONGTYPE Operation\r\n"),
        (Client, "*4\r\n$6\r\nLRANGE\r\n$1\r\nl\r\n$1\r\n0\r\n$2\r\n-1\r\n*1\r\n$7\r\nNO.SUCH\r\n"),
        (Server, "*3\r\n*2\r\n:1\r\n$-1\r\n*0\r\n$3\r\n-ER\r\n-ERR unknown command\r\n"),
    ]);
    assert_eq!(lines, ["SET ok 0-1", "GET ok 0-1", "LPOP WRONGTYPE 0-1", "LRANGE ok 2-3", "NO.SUCH ERR 2-3"]);
}

#[test]
fn commands_on_lines_are_commands() {
    let lines =
        talk(&[(Client, "ping\r\n\r\nSET a \"x y\"\nGET a\r\n"), (Server, "+PONG\r\n+OK\r\n$3\r\nx y\r\n")]);
    assert_eq!(lines, ["PING ok 0-1", "SET ok 0-1", "GET ok 0-1"]);
}

#[test]
fn a_line_is_text_from_its_beginning() {
    let ask = (Client, "PING\r\n");
    assert_eq!(talk(&[ask, (Server, "+PONG\r\n"), (Client, "GET \u{e9}\r\n")]), ["PING ok 0-1", "GET ? 2"]);
    assert_eq!(talk(&[ask, (Server, "+PONG\r\n"), (Client, "GET \u{1}\r\n")]), ["PING ok 0-1"]);
}

#[test]
fn a_transaction_answers_each_of_its_commands() {
    let lines = talk(&[
        (Client, "*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*1\r\n$4\r\nEXEC\r\n"),
        (Server, "+OK\r\n+QUEUED\r\n*1\r\n-WRONGTYPE in it\r\n"),
        (Client, "*1\r\n$4\r\nEXEC\r\n"),
        (Server, "-EXECABORT Transaction discarded\r\n"),
    ]);
    assert_eq!(lines, ["MULTI ok 0-1", "INCR ok 0-1", "EXEC ok 0-1", "EXEC EXECABORT 2-3"]);
}

#[test]
fn the_first_acknowledgement_answers_a_subscription_and_messages_answer_nothing() {
    let lines = talk(&[
        (Client, "*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$10\r\nPSUBSCRIBE\r\n$2\r\na*\r\n"),
        (Server, "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
        (Server, "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n"),
        (Server, "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:3\r\n"),
        (Client, "*1\r\n$4\r\nPING\r\n"),
        (Server, "*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$1\r\na\r\n$1\r\nx\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n"),
        (Client, "*1\r\n$11\r\nUNSUBSCRIBE\r\n*1\r\n$5\r\nRESET\r\n"),
        (
            Server,
            "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n+RESET\r\n",
        ),
    ]);
    let wanted =
        ["SUBSCRIBE ok 0-1", "PSUBSCRIBE ok 0-3", "PING ok 4-5", "UNSUBSCRIBE ok 6-7", "RESET ok 6-7"];
    assert_eq!(lines, wanted);
}

#[test]
fn pushes_and_attributes_of_resp3_stand_between_replies() {
    let lines = talk(&[
        (
            Client,
            "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n",
        ),
        (Server, "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n"),
        (Server, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n"),
        (Server, "|1\r\n+ttl\r\n:3600\r\n,1.5\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"),
        (Client, "*2\r\n$4\r\nEVAL\r\n$1\r\nx\r\n*2\r\n$6\r\nZSCORE\r\n$1\r\nz\r\n"),
        (Server, "!9\r\nSYNTAX xx\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n_\r\n"),
    ]);
    let wanted = ["HELLO ok 0-1", "GET ok 0-3", "SUBSCRIBE ok 0-3", "EVAL SYNTAX 4-5", "ZSCORE ok 4-5"];
    assert_eq!(lines, wanted);
}

#[test]
fn what_the_client_wants_no_reply_to_is_one_way() {
    let lines = talk(&[
        (Client, "CLIENT REPLY SKIP\r\nSET a 1\r\nGET a\r\n"),
        (Server, "$1\r\n1\r\n"),
        (Client, "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n"),
        (Client, "CLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n"),
        (Server, "+OK\r\n+PONG\r\n"),
    ]);
    let wanted = [
        "CLIENT - 0",
        "SET - 0",
        "GET ok 0-1",
        "CLIENT - 2",
        "GET - 2",
        "CLIENT - 3",
        "PING - 3",
        "CLIENT ok 3-4",
        "PING ok 3-4",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn what_a_monitor_or_a_replica_gets_is_no_reply() {
    let monitor = talk(&[
        (Client, "MONITOR\r\n"),
        (Server, "+OK\r\n+1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"\r\n"),
        (Client, "QUIT\r\n"),
        (Server, "+1339518087.877697 [0 127.0.0.1:60866] \"dbsize\"\r\n+OK\r\n"),
    ]);
    assert_eq!(monitor, ["MONITOR ok 0-1", "QUIT ok 2-3"]);
    let replica = talk(&[
        (Client, "*3\r\n$5\r\nPSYNC\r\n$1\r\n?\r\n$2\r\n-1\r\n"),
        (Server, "\n\n+FULLRESYNC 0123 0\r\n$3\r\nREDIS*1\r\n$4\r\nPING\r\n"),
        (Client, "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n"),
    ]);
    assert_eq!(replica, ["PSYNC ok 0-1"]);
    // What a replica has received is no question, on whatever connection.
    let told = talk(&[(Client, "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n")]);
    assert_eq!(told, ["REPLCONF - 0"]);
}

#[test]
fn values_may_be_missing_and_gaps_pair_nothing_wrong() {
    let skipped = with_gaps(
        start(),
        &[
            (Client, Ok(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$9000\r\n")),
            (Client, Err(9_002)),
            (Server, Ok(b"+OK\r\n")),
            (Client, Ok(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n")),
            (Server, Ok(b"$9000\r\nabc")),
            (Server, Err(8_999)),
            (Client, Ok(b"*1\r\n$4\r\nPING\r\n")),
            (Server, Ok(b"+PONG\r\n")),
        ],
    );
    assert_eq!(skipped, ["SET ok 0-2", "GET ok 3-4", "PING ok 6-7"]);
    // The reply to GET is missing, which shows only when the next one came: PING's is not taken for it.
    let reply_lost = with_gaps(
        start(),
        &[
            (Client, Ok(b"GET a\r\n")),
            (Server, Err(9)),
            (Client, Ok(b"PING\r\n")),
            (Server, Ok(b"+PONG\r\n")),
            (Client, Ok(b"INCR b\r\n")),
            (Server, Ok(b":1\r\n")),
        ],
    );
    assert_eq!(reply_lost, ["GET ? 0", "PING ? 2", "INCR ok 4-5"]);
    // A pipeline lost a reply: nobody knows which.
    let pipeline = with_gaps(
        start(),
        &[
            (Client, Ok(b"GET a\r\nGET b\r\nGET c\r\n")),
            (Server, Err(3)),
            (Server, Ok(b":2\r\n")),
            (Client, Ok(b"PING\r\n")),
            (Server, Ok(b":3\r\n+PONG\r\n")),
        ],
    );
    assert_eq!(pipeline, ["GET ? 0", "GET ? 0", "GET ? 0", "PING ? 3"]);
}

#[test]
fn redis_is_known_by_a_command_and_nothing_else_is_redis() {
    use Recognition::{Maybe, No, Yes};
    let say = |client: &str, server: &str| recognise(client.as_bytes(), server.as_bytes());
    let own = [
        ("*2\r\n$3\r\nget\r\n$1\r\na", ""),
        ("*1\r\n$4\r\nPING\r\n", "+PONG\r\n"),
        ("*3\r\n$3\r\nSET\r\n$5\r\nhello\r\n$5\r\nthere\r\n", "+OK\r\n"),
        ("*1\r\n$9\r\nJSON.MORE\r\n", "-ERR unknown\r\n"),
        ("PING\r\n", "+PONG\r\n"),
        ("PUBLISH a \"b c\"\r\n", ":2\r\n"),
        ("HSET a b c\r\nHGET a b\r\nLLEN x\r\n", ""),
        ("*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
    ];
    for (client, server) in own {
        assert_eq!(say(client, server), Yes, "{client:?} {server:?}");
        assert_ne!(say(server, client), Yes, "{client:?} {server:?}");
    }
    for (client, server) in
        [("*2\r\n$3\r\nfoo\r\n$3\r\nbar\r\n", ""), ("*1\r\n$4", ""), ("PI", ""), ("QUIT\r\n", "+OK\r\n")]
    {
        assert_eq!(say(client, server), Maybe, "{client:?} {server:?}");
    }
    let foreign = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n"),
        ("get a\r\n", "END\r\n"),
        ("USER a\r\n", "+OK POP3\r\n"),
        ("EHLO a\r\n", "220 a\r\n250 b\r\n"),
        ("INFO {\"server_id\":\"N\"}\r\n", "CONNECT {}\r\n"),
        ("PING\r\n", "+OK\r\nPONG\r\n"),
        ("PING\r\n", "-ERR 'Authorization Violation'\r\n"),
        ("* OK [CAPABILITY IMAP4rev1]\r\n", ". CAPABILITY\r\n"),
        ("\x16\x03\x01\x02\x00\x01", ""),
        ("*3\r\n$7\r\nmessage\r\n:1\r\n", ""),
    ];
    for (client, server) in foreign {
        assert_eq!(say(client, server), No, "{client:?} {server:?}");
        assert_ne!(say(server, client), Yes, "{client:?} {server:?}");
    }
}

#[test]
fn mischief_is_endured() {
    let Follow::Dialect(candidate) = &REGISTERED.follow else { panic!("no dialect") };
    let parts: &[(Side, &[u8])] = &[
        (Client, b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\nabcd\r\n"),
        (Server, b"%1\r\n+a\r\n*2\r\n:1\r\n:2\r\n+OK\r\n"),
        (Client, b"*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\nGET a\r\nMULTI\r\nINCR a\r\nEXEC\r\n"),
        (Server, b"+OK\r\n+QUEUED\r\n*1\r\n!5\r\nERR x\r\n"),
        (Client, b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\nMONITOR\r\n"),
        (Server, b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n|1\r\n+ttl\r\n:1\r\n$-1\r\n"),
    ];
    endures(candidate, start, parts, 256 << 10);
}
