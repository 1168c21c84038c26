//! Conversations of which something is missing: pairs are right, or there are none.

use super::kit::*;
use crate::conversation::kit::with_gaps;

#[test]
fn rows_are_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&packets(1, &[b"\x01", COLUMN, &eof(0), b"\x01x"]))),
            (Server, Err(50_000)),
            (Server, Ok(&packets(90, &[b"\x01x", b"\x01y", &eof(2)]))),
            (Client, Ok(&query("delete from t"))),
            (Server, Ok(&packet(1, &ok(2)))),
        ],
    );
    assert_eq!(lines, ["SELECT ok 0-1", "DELETE ok 4-5"]);
}

#[test]
fn the_end_of_an_answer_is_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&packets(1, &[b"\x01", COLUMN, &eof(0), b"\x01x"]))),
            (Server, Err(50)),
            (Client, Ok(&query("delete from t"))),
            (Server, Ok(&packet(1, &error(1142)))),
            (Client, Ok(&query("update t"))),
            (Server, Ok(&packet(1, &ok(2)))),
        ],
    );
    assert_eq!(lines, ["SELECT ? 0-1", "DELETE 1142 3-4", "UPDATE ok 5-6"]);
}

#[test]
fn the_beginning_of_an_answer_is_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Err(500)),
            (Server, Ok(&packets(9, &[b"\x01x", b"\x01x", &eof(2)]))),
            (Client, Ok(&query("delete from t"))),
            (Server, Ok(&packet(1, &ok(2)))),
        ],
    );
    assert_eq!(lines, ["SELECT ? 0", "DELETE ok 3-4"]);
}

#[test]
fn an_end_of_columns_is_none_of_rows() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&packet(1, b"\x03"))),
            (Server, Err(40)),
            (Server, Ok(&packets(3, &[COLUMN, &eof(0)]))),
            (Server, Ok(&packets(5, &[b"\x01x", &error(1317)]))),
            (Client, Ok(&query("delete from t"))),
            (Server, Ok(&packet(1, &ok(2)))),
        ],
    );
    assert_eq!(lines, ["SELECT 1317 0-1", "DELETE ok 5-6"]);
}

#[test]
fn a_request_is_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&rows(1, 2))),
            (Client, Err(30)),
            (Server, Ok(&packet(1, &error(1142)))),
            (Client, Ok(&query("update t"))),
            (Server, Ok(&packet(1, &ok(2)))),
        ],
    );
    assert_eq!(lines, ["SELECT ok 0-1", "UPDATE ok 4-5"]);
}

#[test]
fn a_client_that_asks_ahead() {
    let (two, ok) = (join(&[&query("update t"), &query("delete from t")]), packet(1, &ok(2)));
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&two)),
            (Server, Ok(&ok)),
            (Server, Ok(&ok)),
            (Client, Ok(&two)),
            (Server, Err(11)),
            (Server, Ok(&ok)),
        ],
    );
    // Either may be the one that was answered.
    assert_eq!(lines, ["UPDATE ok 0-1", "DELETE ok 0-2", "UPDATE ? 3", "DELETE ? 3"]);
}

#[test]
fn an_answer_that_is_not_understood() {
    let lines = with_gaps(
        start(),
        &[
            // Its end looks like none.
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&packets(1, &[b"\x01", COLUMN, &eof(0), b"\x01x"]))),
            (Client, Ok(&query("update t"))),
            (Server, Ok(&packet(1, &ok(2)))),
            (Client, Ok(&query("delete from t"))),
            (Server, Ok(&packet(1, &ok(2)))),
        ],
    );
    assert_eq!(lines, ["SELECT ? 0-1", "UPDATE ok 2-3", "DELETE ok 4-5"]);
}
