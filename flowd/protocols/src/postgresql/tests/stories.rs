//! Whole conversations.

use super::kit::*;
use crate::privacy::Statements;

#[test]
fn a_login_and_simple_queries() {
    let lines = converse(&[
        (Client, SSL),
        (Server, b"N"),
        (Client, &login()),
        (Server, b"R\0\0\0\x0c\0\0\0\x05salt"),
        (Client, &message(b'p', b"md5...\0")),
        (Server, &welcome()),
        (Client, &query("select 1; select 2")),
        (Server, &join(&[ROWS, ROW, &done("SELECT 1"), ROWS, ROW, &done("SELECT 1"), READY])),
        (Client, &query("/* why */ (selec)")),
        (Server, &error("ERROR", "42601")),
        (Server, READY),
        (Client, &query("")),
        (Server, &join(&[&bare(b"I"), READY])),
        (Client, &bare(b"X")),
    ]);
    assert_eq!(lines, ["STARTUP ok 2-3", "SELECT ok 6-7", "SELEC 42601 8-9", "EMPTY ok 11-12"]);
}

#[test]
fn a_refused_login() {
    let lines = converse(&[(Client, &login()), (Server, &error("FATAL", "28P01"))]);
    assert_eq!(lines, ["STARTUP 28P01 0-1"]);
}

#[test]
fn nothing_is_told_behind_encryption() {
    let hello = b"\x16\x03\x01\x02\0\x01\0\0\x06Q\0\0\0\x08abc\0";
    assert!(converse(&[(Client, SSL), (Server, b"S"), (Client, hello)]).is_empty());
    // The server was not seen.
    assert!(converse(&[(Client, SSL), (Client, hello)]).is_empty());
    let gss = b"\0\0\0\x08\x04\xd2\x16\x30";
    assert!(converse(&[(Client, gss), (Server, b"G"), (Client, &[0, 0, 0, 40, 0])]).is_empty());
}

#[test]
fn what_the_server_sends_unasked_answers_nothing() {
    let notification = message(b'A', b"\0\0\0\x07chan\0hi\0");
    let lines = converse(&[
        (Server, &notification),
        (Client, &query("DO $$ … $$")),
        (Server, &message(b'N', b"SNOTICE\0C00000\0Mhi\0\0")),
        (Server, &notification),
        (Server, &join(&[&done("DO"), READY])),
        (Server, &error("FATAL", "57P01")),
    ]);
    assert_eq!(lines, ["DO ok 1-4"]);
}

#[test]
fn an_execute_begins_with_its_bind() {
    let lines = converse(&[
        (Client, &join(&[&parse("s1", "insert into t values ($1)"), &message(b'D', b"Ss1\0"), &bare(b"H")])),
        (Server, &join(&[&bare(b"1"), &message(b't', b"\0\0"), &bare(b"n")])),
        (Client, &bind("", "s1")),
        (Client, &join(&[&execute(""), &bind("", "s1"), &execute(""), &bind("", "other"), &execute("")])),
        (Client, &sync()),
        (Server, &join(&[&bare(b"2"), &done("INSERT 0 1"), &bare(b"2"), &done("INSERT 0 1")])),
        (Server, &join(&[&bare(b"2"), ROW, &done("SELECT 1"), READY])),
    ]);
    assert_eq!(lines, ["INSERT ok 2-5", "INSERT ok 3-5", "EXECUTE ok 3-6"]);
}

#[test]
fn a_portal_in_parts() {
    let lines = converse(&[
        (Client, &join(&[&parse("", "select 1"), &bind("p", ""), &message(b'D', b"Pp\0")])),
        (Client, &join(&[&execute("p"), &sync()])),
        (Server, &join(&[&bare(b"12"), ROWS, ROW, &bare(b"s"), READY])),
        (Client, &join(&[&execute("p"), &sync()])),
        (Server, &join(&[ROW, &done("SELECT 1"), READY])),
        (Client, &join(&[&message(b'C', b"Pp\0"), &execute("p"), &sync()])),
        (Server, &join(&[&bare(b"3"), &error("ERROR", "34000"), READY])),
    ]);
    assert_eq!(lines, ["SELECT ok 0-2", "SELECT ok 3-4", "EXECUTE 34000 5-6"]);
}

#[test]
fn an_error_ends_a_batch() {
    let one = join(&[&bind("", "s"), &execute("")]);
    let lines = converse(&[
        (Client, &join(&[&parse("s", "update t set x = 1"), &one, &one, &one])),
        (Server, &join(&[&bare(b"12"), &done("UPDATE 1"), &bare(b"2"), &error("ERROR", "23505")])),
        (Client, &one),
        (Client, &sync()),
        (Server, READY),
        (Client, &query("commit")),
        (Server, &join(&[&done("COMMIT"), READY])),
    ]);
    assert_eq!(
        lines,
        ["UPDATE ok 0-1", "UPDATE 23505 0-1", "UPDATE 23505 0-1", "UPDATE 23505 2-4", "COMMIT ok 5-6"]
    );
}

#[test]
fn an_error_at_the_sync_is_the_last_requests() {
    let lines = converse(&[
        (Client, &join(&[&parse("", "insert into t values (1)"), &bind("", ""), &execute(""), &sync()])),
        (Server, &join(&[&bare(b"12"), &done("INSERT 0 1")])),
        (Server, &join(&[&error("ERROR", "23503"), READY])),
    ]);
    assert_eq!(lines, ["INSERT 23503 0-1"]);
}

#[test]
fn a_parse_that_fails() {
    let lines = converse(&[
        (Client, &join(&[&parse("x", "select nothing"), &message(b'D', b"Sx\0"), &bare(b"H")])),
        (Server, &error("ERROR", "42703")),
        (Client, &sync()),
        (Server, READY),
        (Client, &join(&[&parse("x", "select wrong"), &bind("", "x"), &execute(""), &sync()])),
        (Server, &join(&[&error("ERROR", "42601"), READY])),
    ]);
    assert_eq!(lines, ["SELECT 42703 0-1", "SELECT 42601 4-5"]);
}

#[test]
fn copies_of_either_protocol() {
    let (data, end, into) = (message(b'd', b"1\tx\n"), bare(b"c"), message(b'G', b"\0\0\0"));
    let lines = converse(&[
        (Client, &query("copy t from stdin")),
        (Server, &into),
        (Client, &join(&[&data, &end])),
        (Server, &join(&[&done("COPY 1"), READY])),
        (Client, &query("copy t from stdin")),
        (Server, &into),
        (Client, &join(&[&data, &message(b'f', b"no\0")])),
        (Server, &join(&[&error("ERROR", "57014"), READY])),
        // Its Sync is ignored, and comes again behind the data.
        (Client, &join(&[&parse("", "copy t from stdin"), &bind("", ""), &execute(""), &sync()])),
        (Server, &join(&[&bare(b"12"), &into])),
        (Client, &join(&[&data, &end, &sync()])),
        (Server, &join(&[&done("COPY 1"), READY])),
        (Client, &query("copy t to stdout")),
        (Server, &join(&[&message(b'H', b"\0\0\0"), &data, &data, &end, &done("COPY 2"), READY])),
        (Client, &query("table t")),
        (Server, &join(&[ROWS, &done("SELECT 0"), READY])),
    ]);
    assert_eq!(lines, ["COPY ok 0-1", "COPY 57014 4-5", "COPY ok 8-9", "COPY ok 12-13", "TABLE ok 14-15"]);
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let unit = join(&[&parse("", "select 1"), &bind("", ""), &execute(""), &sync()]);
    let answer = join(&[&bare(b"12"), ROW, &done("SELECT 1"), READY]);
    let failed = join(&[&bare(b"1"), &error("ERROR", "22012"), READY]);
    let lines = converse(&[
        (Client, &unit),
        (Client, &unit),
        (Client, &query("show x")),
        (Server, &failed),
        (Server, &answer),
        (Server, &join(&[ROWS, ROW, &done("SHOW"), READY])),
    ]);
    assert_eq!(lines, ["SELECT 22012 0-3", "SELECT ok 1-4", "SHOW ok 2-5"]);
}

#[test]
fn a_cancel_and_a_function_call_make_no_line() {
    let cancel = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07\0\0\0\x08";
    assert!(converse(&[(Client, cancel)]).is_empty());
    let call = message(b'F', b"\0\0\0\x07\0\0\0\0\0\0");
    let lines = converse(&[
        (Client, &call),
        (Server, &join(&[&message(b'V', &[255; 4]), READY])),
        (Client, &query("select 1")),
        (Server, &join(&[ROWS, READY])),
    ]);
    assert_eq!(lines, ["SELECT ok 2-3"]);
}

#[test]
fn a_connection_that_ends_with_its_query() {
    let lines = converse(&[
        (Client, &query("select pg_terminate_backend(pg_backend_pid())")),
        (Server, &error("FATAL", "57P01")),
    ]);
    assert_eq!(lines, ["SELECT 57P01 0-1"]);
    assert_eq!(converse(&[(Client, &query("select 1"))]), ["SELECT ? 0"]);
}

#[test]
fn a_long_statement_and_long_rows_are_skipped() {
    let long = "x".repeat(100_000);
    let row = message(b'D', &[b"\0\x01\0\x01\x86\xa0", long.as_bytes()].concat());
    let lines = converse(&[
        (Client, &query(&format!("insert into t values ('{long}')"))),
        (Server, &join(&[&done("INSERT 0 1"), READY])),
        (Client, &query("select v from t")),
        (Server, &join(&[ROWS, &row, &done("SELECT 1"), READY])),
    ]);
    assert_eq!(lines, ["INSERT ok 0-1", "SELECT ok 2-3"]);
}

#[test]
fn what_is_far_behind_in_an_error_is_not_looked_at() {
    let fields = format!("SERROR\0VERROR\0C42601\0M{}\0C42602\0\0", "syntax ".repeat(40));
    let lines =
        converse(&[(Client, &query("select")), (Server, &join(&[&message(b'E', fields.as_bytes()), READY]))]);
    assert_eq!(lines, ["SELECT 42601 0-1"]);
}

#[test]
fn one_client_alone() {
    for statements in [Statements::Drop, Statements::Normalized, Statements::Keep] {
        let lines = crate::conversation::kit::converse(
            || started(statements),
            &[
                (Client, SSL),
                (Client, &login()),
                (Client, &message(b'p', b"secret\0")),
                (Client, &query("begin")),
                (Client, &join(&[&parse("", "select 1"), &bind("", ""), &execute(""), &sync()])),
            ],
        );
        assert_eq!(lines, ["STARTUP ? 1", "BEGIN ? 3", "SELECT ? 4"]);
    }
}

/// What escapes a quote decides where a literal ends, and so what is left of one.
#[test]
fn literals_end_where_the_server_says() {
    let strings = |value: &str| message(b'S', format!("standard_conforming_strings\0{value}\0").as_bytes());
    let [off, on] = ["off", "on"].map(strings);
    let done = join(&[&done("SELECT 0"), READY]);
    let [escaped, plain] = [r"select 'it\'s secret', 1", r"select 'secret\', 1"].map(query);
    let shown = crate::conversation::kit::statements(
        started(Statements::Normalized),
        &[
            (Client, &login()),
            (Server, &welcome()),
            (Client, &plain),
            (Server, &join(&[&off, &done])),
            (Client, &escaped),
            (Server, &join(&[&on, &done])),
            (Client, &plain),
            (Server, &done),
        ],
    );
    let shown: Vec<_> = shown.into_iter().flatten().collect();
    assert_eq!(shown, ["select ?, ?"; 3]);
}

#[test]
fn what_is_no_sqlstate_is_not_shown() {
    for code in ["", "4260", "426011", "secre", "42\u{9b}01"] {
        let answer = join(&[&error("ERROR", code), READY]);
        assert_eq!(
            converse(&[(Client, &query("select")), (Server, &answer)]),
            ["SELECT _OTHER 0-1"],
            "{code}"
        );
    }
}
