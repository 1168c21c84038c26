//! Conversations of which something is missing: pairs are right, or there are none.

use super::kit::*;
use crate::conversation::kit::with_gaps;

fn unit() -> Vec<u8> {
    join(&[&parse("", "select 1"), &bind("", ""), &execute(""), &sync()])
}

fn answer() -> Vec<u8> {
    join(&[&bare(b"12"), ROW, &done("SELECT 1"), READY])
}

#[test]
fn rows_are_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&join(&[ROWS, ROW]))),
            (Server, Err(50_000)),
            (Server, Ok(&join(&[ROW, &done("SELECT 9"), READY]))),
            (Client, Ok(&query("delete from t"))),
            (Server, Ok(&join(&[&done("DELETE 1"), READY]))),
        ],
    );
    assert_eq!(lines, ["SELECT ok 0-1", "DELETE ok 4-5"]);
}

#[test]
fn whether_it_failed_is_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Ok(ROWS)),
            (Server, Err(50)),
            (Server, Ok(READY)),
            (Client, Ok(&query("update t"))),
            (Server, Ok(&join(&[&done("UPDATE 1"), READY]))),
        ],
    );
    assert_eq!(lines, ["SELECT ? 0-1", "UPDATE ok 4-5"]);
}

#[test]
fn the_end_of_an_answer_is_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&join(&[ROWS, ROW]))),
            (Server, Err(50)),
            (Client, Ok(&query("delete from t"))),
            (Server, Ok(&join(&[&error("ERROR", "42501"), READY]))),
            (Client, Ok(&query("update t"))),
            (Server, Ok(&join(&[&done("UPDATE 1"), READY]))),
        ],
    );
    assert_eq!(lines, ["SELECT ? 0-1", "DELETE 42501 3-4", "UPDATE ok 5-6"]);
}

#[test]
fn the_beginning_of_an_answer_is_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Err(500)),
            (Server, Ok(&join(&[ROW, ROW, &done("SELECT 9"), READY]))),
            (Client, Ok(&query("delete from t"))),
            (Server, Ok(&join(&[&done("DELETE 1"), READY]))),
        ],
    );
    assert_eq!(lines, ["SELECT ? 0", "DELETE ok 3-4"]);
}

#[test]
fn a_request_is_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("select 1"))),
            (Server, Ok(&join(&[ROWS, READY]))),
            (Client, Err(30)),
            (Server, Ok(&join(&[&error("ERROR", "42501"), READY]))),
            (Client, Ok(&query("update t"))),
            (Server, Ok(&join(&[&done("UPDATE 1"), READY]))),
        ],
    );
    assert_eq!(lines, ["SELECT ok 0-1", "UPDATE ok 4-5"]);
}

#[test]
fn the_middle_of_a_batch_is_missing() {
    let one = join(&[&bind("", "s"), &execute("")]);
    let done = join(&[&bare(b"2"), &done("INSERT 0 1")]);
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&join(&[&parse("s", "insert into t"), &one]))),
            (Client, Err(one.len() as u32)),
            (Client, Ok(&join(&[&one, &sync()]))),
            (Server, Ok(&join(&[&bare(b"1"), &done, &done, &done, READY]))),
            (Client, Ok(&join(&[&one, &sync()]))),
            (Server, Ok(&join(&[&done, READY]))),
        ],
    );
    assert_eq!(lines, ["INSERT ok 0-3", "INSERT ? 2", "INSERT ok 4-5"]);
}

#[test]
fn a_client_that_asks_ahead() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&join(&[&unit(), &unit()]))),
            (Server, Ok(&join(&[&answer(), &answer()]))),
            (Client, Ok(&unit())),
            (Client, Err(60)),
            (Client, Ok(&unit())),
            (Server, Ok(&join(&[&answer(), &answer(), &answer()]))),
            (Client, Ok(&unit())),
            (Server, Ok(&answer())),
        ],
    );
    assert_eq!(lines, ["SELECT ok 0-1", "SELECT ok 0-1", "SELECT ok 2-5", "SELECT ? 4", "SELECT ok 6-7"]);
}

#[test]
fn what_is_copied_in_may_be_missing() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(&query("copy t from stdin"))),
            (Server, Ok(&message(b'G', b"\0\0\0"))),
            (Client, Err(100_000)),
            (Client, Ok(&bare(b"c"))),
            (Server, Ok(&join(&[&done("COPY 9"), READY]))),
            (Client, Ok(&query("update t"))),
            (Server, Ok(&join(&[&done("UPDATE 1"), READY]))),
        ],
    );
    assert_eq!(lines, ["COPY ok 0-1", "UPDATE ok 5-6"]);
}
