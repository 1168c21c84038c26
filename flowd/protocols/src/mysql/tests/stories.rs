//! Whole conversations.

use super::kit::*;
use crate::privacy::Statements;

#[test]
fn a_login_and_queries() {
    let lines = converse(&[
        (Server, &greeting()),
        (Client, &login(PLAIN)),
        (Server, &packet(2, b"\xfemysql_native_password\0salt\0")),
        (Client, &packet(3, b"scrambled")),
        (Server, &packet(4, &ok(2))),
        (Client, &query("select a from t")),
        (Server, &rows(1, 2)),
        (Client, &query("/* why */ (selec)")),
        (Server, &packet(1, &error(1064))),
        (Client, &command(2, b"shop")),
        (Server, &packet(1, &ok(2))),
        (Client, &command(9, b"")),
        (Server, &packet(1, b"Uptime: 5  Threads: 1")),
        (Client, &command(4, b"t\0%")),
        (Server, &packets(1, &[COLUMN, COLUMN, &eof(2)])),
        (Client, &command(0x0e, b"")),
        (Server, &packet(1, &ok(2))),
        (Client, &command(1, b"")),
    ]);
    assert_eq!(
        lines,
        [
            "LOGIN ok 1-2",
            "SELECT ok 5-6",
            "SELEC 1064 7-8",
            "INIT_DB ok 9-10",
            "STATISTICS ok 11-12",
            "FIELD_LIST ok 13-14",
            "PING ok 15-16",
            "QUIT - 17"
        ]
    );
}

#[test]
fn a_refused_login() {
    let lines =
        converse(&[(Server, &greeting()), (Client, &login(PLAIN)), (Server, &packet(2, &error(1045)))]);
    assert_eq!(lines, ["LOGIN 1045 1-2"]);
}

#[test]
fn nothing_is_told_behind_tls() {
    let mut request = login(PLAIN | SSL);
    request.truncate(36);
    request[0] = 32;
    let hello = b"\x16\x03\x01\x02\0\x01\0\0\x06";
    assert!(converse(&[(Server, &greeting()), (Client, &request), (Client, hello)]).is_empty());
}

#[test]
fn a_statement_that_is_prepared_once() {
    let lines = converse(&[
        (Client, &prepare("insert into t values (?)")),
        (Server, &prepared(7)),
        (Client, &execute(7)),
        (Server, &packet(1, &ok(2))),
        (Client, &command(0x18, b"\x07\0\0\0\0\0long")),
        (Client, &execute(7)),
        (Server, &packet(1, &error(1062))),
        (Client, &command(0x1a, b"\x07\0\0\0")),
        (Server, &packet(1, &ok(2))),
        (Client, &command(0x19, b"\x07\0\0\0")),
        (Client, &execute(7)),
        (Server, &packet(1, &error(1243))),
        (Client, &prepare("selec")),
        (Server, &packet(1, &error(1064))),
    ]);
    assert_eq!(
        lines,
        [
            "STMT_PREPARE ok 0-1",
            "INSERT ok 2-3",
            "STMT_SEND_LONG_DATA - 4",
            "INSERT 1062 5-6",
            "STMT_RESET ok 7-8",
            "STMT_CLOSE - 9",
            "EXECUTE 1243 10-11",
            "STMT_PREPARE 1064 12-13"
        ]
    );
}

#[test]
fn a_statement_is_prepared_and_executed_at_once() {
    let lines = converse(&[
        (Client, &join(&[&prepare("update t set a = ?"), &execute(u32::MAX)])),
        (Server, &prepared(3)),
        (Server, &packet(1, &ok(2))),
        (Client, &execute(3)),
        (Server, &short_rows(1, 2)),
    ]);
    assert_eq!(lines, ["STMT_PREPARE ok 0-1", "UPDATE ok 0-2", "UPDATE ok 3-4"]);
}

#[test]
fn an_error_in_a_later_result() {
    let lines = converse(&[
        (Client, &query("select 1; update t; select nothing")),
        (Server, &rows(1, MORE)),
        (Server, &packet(7, &ok(MORE))),
        (Server, &packet(8, &error(1054))),
        (Client, &query("call p()")),
        (Server, &join(&[&short_rows(1, MORE), &short_rows(6, MORE), &packet(11, &ok(2))])),
        (Client, &query("select 1")),
        (Server, &packets(1, &[b"\x01", COLUMN, &eof(0), b"\x01x", &error(1317)])),
    ]);
    assert_eq!(lines, ["SELECT 1054 0-1", "CALL ok 4-5", "SELECT 1317 6-7"]);
}

#[test]
fn rows_of_a_cursor_are_fetched() {
    let cursor = eof(0x40);
    let lines = converse(&[
        (Client, &prepare("select a from t")),
        (Server, &prepared(1)),
        (Client, &execute(1)),
        (Server, &packets(1, &[b"\x01", COLUMN, &cursor])),
        (Client, &command(0x1c, b"\x01\0\0\0\x05\0\0\0")),
        (Server, &packets(1, &[b"\0\0\x01x\0\0\0\0", b"\0\0\x01y\0\0\0\0", &eof(0x80)])),
        (Client, &query("select 1")),
        (Server, &rows(1, 0)),
    ]);
    assert_eq!(lines, ["STMT_PREPARE ok 0-1", "SELECT ok 2-3", "STMT_FETCH ok 4-5", "SELECT ok 6-7"]);
}

#[test]
fn attributes_stand_in_front_of_a_statement() {
    // A number, a text, NULL, a date.
    let attributes = b"\x04\x01\x04\x01\x08\0\x02id\xfe\0\x04name\x06\0\0\x0a\0\x01d\x07\0\0\0\0\0\0\0\x03ann\x04\xe8\x07\x01\x02";
    let with = [&attributes[..], b"delete from t"].concat();
    let conversation = |statement: &[u8]| {
        converse(&[
            (Server, &greeting()),
            (Client, &login(PLAIN | QUERY_ATTRIBUTES)),
            (Server, &packet(2, &ok(2))),
            (Client, &command(3, statement)),
            (Server, &packet(1, &ok(2))),
        ])
    };
    assert_eq!(conversation(&with), ["LOGIN ok 1-2", "DELETE ok 3-4"]);
    assert_eq!(conversation(b"\0\x01update t"), ["LOGIN ok 1-2", "UPDATE ok 3-4"]);
    // The login was not seen.
    assert_eq!(converse(&[(Client, &command(3, &with))]), ["DELETE ? 0"]);
    assert_eq!(converse(&[(Client, &command(3, b"\tupdate t"))]), ["UPDATE ? 0"]);
}

#[test]
fn another_user() {
    let lines = converse(&[
        (Client, &prepare("select 1")),
        (Server, &prepared(1)),
        (Client, &command(0x11, b"bob\0\x03abcshop\0")),
        (Server, &packet(1, b"\xfemysql_native_password\0salt\0")),
        (Client, &packet(2, b"scrambled")),
        (Server, &packet(3, &ok(2))),
        (Client, &execute(1)),
        (Server, &packet(1, &error(1243))),
        (Client, &command(0x11, b"eve\0\x03abcshop\0")),
        (Server, &packet(1, &error(1045))),
    ]);
    assert_eq!(
        lines,
        ["STMT_PREPARE ok 0-1", "CHANGE_USER ok 2-3", "EXECUTE 1243 6-7", "CHANGE_USER 1045 8-9"]
    );
}

#[test]
fn a_file_is_no_command() {
    let lines = converse(&[
        (Client, &query("load data local infile 'x' into table t")),
        (Server, &packet(1, b"\xfbx")),
        (Client, &packets(2, &[b"\x03select 1", b"\x0e", b""])),
        (Server, &packet(5, &ok(2))),
        (Client, &command(0x0e, b"")),
        (Server, &packet(1, &ok(2))),
    ]);
    assert_eq!(lines, ["LOAD ok 0-1", "PING ok 4-5"]);
    // The server was not seen; numbers begin at 0 again.
    let blocks: Vec<_> = (0..300).flat_map(|i| packet((i as u8).wrapping_add(2), b"\x03select 1")).collect();
    let lines = converse(&[
        (Client, &query("load data local infile 'x' into table t")),
        (Client, &blocks),
        (Client, &packet(46, b"")),
        (Client, &command(0x0e, b"")),
    ]);
    assert_eq!(lines, ["LOAD ? 0", "PING ? 3"]);
}

#[test]
fn packets_of_the_greatest_length() {
    let long = vec![b'x'; 0xff_ffff - 8];
    let first = packet(0, &[b"\x03insert ", &*long].concat());
    let lines = crate::conversation::kit::with_gaps(
        start(),
        &[
            (Client, Ok(&first)),
            (Client, Ok(&packet(1, b"\x03select"))),
            (Server, Ok(&packet(2, &ok(2)))),
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&rows(1, 0))),
        ],
    );
    assert_eq!(lines, ["INSERT ok 0-2", "SELECT ok 3-4"]);
}

#[test]
fn a_server_that_tells_how_far_it_has_come() {
    let progress = b"\xff\xff\xff\x01\x01\x01\0\0\0\x05steps";
    let lines = converse(&[
        (Client, &query("alter table t")),
        (Server, &packet(1, progress)),
        (Server, &packet(2, &ok(2))),
        (Client, &query("select 1")),
        (Server, &short_rows(1, 0)),
    ]);
    assert_eq!(lines, ["ALTER ok 0-1", "SELECT ok 3-4"]);
}

#[test]
fn a_replica_reads_events() {
    let lines = converse(&[
        (Client, &command(0x12, b"\x04\0\0\0\0\0\x07\0\0\0bin.1")),
        (Server, &packet(1, b"\0event")),
        (Server, &packets(2, &[b"\0event", b"\0event"])),
    ]);
    assert_eq!(lines, ["BINLOG_DUMP ok 0-1"]);
}

#[test]
fn one_client_alone() {
    for statements in [Statements::Drop, Statements::Normalized, Statements::Keep] {
        let lines = crate::conversation::kit::converse(
            || started(statements),
            &[
                (Client, &login(PLAIN)),
                (Client, &packet(3, b"scrambled")),
                (Client, &query("select 1")),
                (Client, &prepare("update t set a = ?")),
                (Client, &execute(1)),
                (Client, &command(1, b"")),
            ],
        );
        assert_eq!(lines, ["LOGIN ? 0", "SELECT ? 2", "STMT_PREPARE ? 3", "EXECUTE ? 4", "QUIT - 5"]);
    }
}

/// What escapes a quote decides where a literal ends, and so what is left of one.
#[test]
fn literals_end_where_the_server_says() {
    const NO_BACKSLASH_ESCAPES: [u8; 7] = [0, 0, 0, 2, 2, 0, 0];
    let [escaped, plain] = [r"select 'it\'s secret', 1", r"select 'secret\', 1"].map(query);
    let shown = crate::conversation::kit::statements(
        started(Statements::Normalized),
        &[
            (Server, &greeting()),
            (Client, &login(PLAIN)),
            (Server, &packet(2, &ok(2))),
            (Client, &escaped),
            (Server, &packet(1, &NO_BACKSLASH_ESCAPES)),
            (Client, &plain),
            (Server, &packet(1, &ok(2))),
            (Client, &escaped),
            (Server, &packet(1, &ok(2))),
        ],
    );
    let shown: Vec<_> = shown.into_iter().flatten().collect();
    assert_eq!(shown, ["select ?, ?"; 3]);
}
