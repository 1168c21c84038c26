//! Stories, recognition, and what strangers may send.

use super::{
    REGISTERED,
    dialect::Memcached,
    recognise::recognise,
    words::{OPCODES, OPERATIONS},
};
use crate::{
    conversation::{
        Candidate, Dialect, Recognition, Side,
        kit::{Client, Server, converse, with_gaps},
        mischief::endures,
    },
    protocol::Follow,
};

fn start() -> Box<dyn Dialect> {
    Box::new(Memcached::default())
}

fn talk(parts: &[(Side, &str)]) -> Vec<String> {
    let parts: Vec<_> = parts.iter().map(|(side, text)| (*side, text.as_bytes())).collect();
    converse(start, &parts)
}

/// A message of the binary protocol.
fn message(magic: u8, opcode: u8, status: u16, opaque: u8, extras: &[u8], key: &str, value: &str) -> Vec<u8> {
    let body = (extras.len() + key.len() + value.len()) as u32;
    let mut message = vec![magic, opcode, 0, key.len() as u8, extras.len() as u8, 0];
    message.extend(status.to_be_bytes());
    message.extend(body.to_be_bytes());
    message.extend([0, 0, 0, opaque, 0, 0, 0, 0, 0, 0, 0, 0]);
    [&message[..], extras, key.as_bytes(), value.as_bytes()].concat()
}

fn candidate() -> Candidate {
    let Follow::Dialect(candidate) = REGISTERED.follow else { panic!("no dialect") };
    candidate
}

#[test]
fn the_lists_agree() {
    assert!(OPERATIONS.is_sorted());
    assert!(OPCODES.iter().all(|name| name.is_empty() || OPERATIONS.contains(name)));
}

#[test]
fn values_that_look_like_commands_are_values() {
    let lines = talk(&[
        (Client, "set a 0 0 12\r\nget b\r\nend\r\n\r\n\r\nget a b\r\ngets a\r\n"),
        (Server, "STORED\r\nVALUE a 0 13\r\nEND\r\nSTORED\r\n\r\nEND\r\n"),
        (Server, "VALUE a 0 1 77\r\nx\r\nEND\r\n"),
        (Client, "cas a 0 0 1 77\r\nx\r\nincr a 1\r\nbogus\r\ndecr n 2\r\n"),
        (Server, "EXISTS\r\nCLIENT_ERROR cannot increment\r\nERROR\r\n8 \r\n"),
        (Client, "stats\r\n"),
        (Server, "STAT pid 1\r\nSTAT x y\r\nEND\r\n"),
        (Client, "set b 0 0 3\r\nabc\r\nquit\r\n"),
        (Server, "SERVER_ERROR out of memory storing object\r\n"),
    ]);
    let wanted = [
        "set ok 0-1",
        "get ok 0-1",
        "gets ok 0-2",
        "cas ok 3-4",
        "incr CLIENT_ERROR 3-4",
        "bogus ERROR 3-4",
        "decr ok 3-4",
        "stats ok 5-6",
        "set SERVER_ERROR 7-8",
        "quit - 7",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn what_says_noreply_is_one_way() {
    let lines = talk(&[
        (Client, "set a 0 0 1 noreply\r\nx\r\ndelete b noreply\r\nflush_all noreply\r\nget a\r\n"),
        (Server, "VALUE a 0 1\r\nx\r\nEND\r\n"),
    ]);
    assert_eq!(lines, ["set - 0", "delete - 0", "flush_all - 0", "get ok 0-1"]);
}

#[test]
fn quiet_meta_commands_may_stay_silent() {
    let lines = talk(&[
        (Client, "mg a v q O1\r\nmg b v q O2\r\nms c 2 q\r\nxx\r\nmd d q\r\nmn\r\n"),
        (Server, "VA 1 O2\r\nx\r\nNS\r\nMN\r\n"),
        (Client, "mg a v\r\nms a 1 T0\r\nx\r\nma n\r\nmg z q\r\n"),
        (Server, "EN\r\nHD\r\nCLIENT_ERROR no\r\n"),
    ]);
    let wanted = [
        "mg - 0",
        "mg ok 0-1",
        "ms ok 0-1",
        "md - 0",
        "mn ok 0-1",
        "mg ok 2-3",
        "ms ok 2-3",
        "ma CLIENT_ERROR 2-3",
        "mg - 2",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn an_error_behind_a_quiet_command_is_nobodys() {
    let lines = talk(&[
        (Client, "mg k v q\r\nincr a 1\r\nmn\r\n"),
        (Server, "CLIENT_ERROR no\r\nMN\r\n"),
        (Client, "mg k v q\r\n"),
    ]);
    assert_eq!(lines, ["mg ? 0", "incr ? 0", "mn ? 0", "mg ? 2"]);
    // Nobody else waits, or those that wait come behind.
    let lines = talk(&[
        (Client, "mg k v q\r\n"),
        (Server, "CLIENT_ERROR no\r\n"),
        (Client, "incr a 1\r\nmg k v q\r\nmn\r\n"),
        (Server, "CLIENT_ERROR no\r\nMN\r\n"),
    ]);
    assert_eq!(lines, ["mg CLIENT_ERROR 0-1", "incr CLIENT_ERROR 2-3", "mg - 2", "mn ok 2-3"]);
}

#[test]
fn codes_of_meta_commands_answer_no_other_command() {
    for code in ["HD", "VA 0", "EN", "NF", "NS", "EX", "ME a", "MN"] {
        let code = format!("{code}\r\n");
        let lines = talk(&[
            (Client, "version\r\n"),
            (Server, "VERSION 1.6.18\r\n"),
            (Client, "incr a 1\r\n"),
            (Server, code.as_str()),
        ]);
        assert_eq!(lines, ["version ok 0-1", "incr ? 2"], "{code}");
    }
}

#[test]
fn a_watcher_is_left() {
    let lines = talk(&[
        (Client, "watch fetchers\r\n"),
        (Server, "OK\r\nts=1 gid=1 type=item_get\r\n"),
        (Client, "get a\r\n"),
    ]);
    assert_eq!(lines, ["watch ok 0-1"]);
}

#[test]
fn binary_operations_are_paired_by_opcode_and_opaque() {
    let asked = [
        message(0x80, 0x01, 0, 1, &[0; 8], "a", "v"),
        message(0x80, 0x0d, 0, 0, &[], "x", ""),
        message(0x80, 0x0d, 0, 0, &[], "y", ""),
        message(0x80, 0x11, 0, 3, &[0; 8], "z", "v"),
        message(0x80, 0x0a, 0, 4, &[], "", ""),
        message(0x80, 0x05, 0, 5, &[0; 20], "a", ""),
        message(0x80, 0x04, 0, 6, &[], "q", ""),
        message(0x80, 0x10, 0, 7, &[], "", ""),
        message(0x80, 0x40, 0, 8, &[], "", ""),
        message(0x80, 0x17, 0, 9, &[], "", ""),
    ]
    .concat();
    let answered = [
        message(0x81, 0x01, 0, 1, &[], "", ""),
        message(0x81, 0x0d, 0, 0, &[0; 4], "y", "v"),
        message(0x81, 0x0a, 0, 4, &[], "", ""),
        message(0x81, 0x05, 6, 5, &[], "", "Non-numeric"),
        message(0x81, 0x04, 1, 6, &[], "", "Not found"),
        message(0x81, 0x10, 0, 7, &[], "pid", "1"),
        message(0x81, 0x10, 0, 7, &[], "", ""),
        message(0x81, 0x40, 0x81, 8, &[], "", ""),
    ]
    .concat();
    let lines = converse(start, &[(Client, &asked), (Server, &answered)]);
    let wanted = [
        "set ok 0-1",
        "getkq - 0",
        "getkq ok 0-1",
        "setq - 0",
        "noop ok 0-1",
        "increment 6 0-1",
        "delete ok 0-1",
        "stat ok 0-1",
        "0x40 129 0-1",
        "quitq - 0",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn values_may_be_missing_and_a_lost_response_is_nobodys() {
    let lines = with_gaps(
        start(),
        &[
            (Client, Ok(b"set a 0 0 5000\r\nxx")),
            (Client, Err(5_000)),
            (Server, Ok(b"STORED\r\n")),
            (Client, Ok(b"get a\r\n")),
            (Server, Ok(b"VALUE a 0 5000\r\nxx")),
            (Server, Err(5_000)),
            (Server, Ok(b"END\r\n")),
            (Client, Ok(b"delete a\r\n")),
            (Server, Err(9)),
            (Client, Ok(b"get b\r\n")),
            (Server, Ok(b"END\r\n")),
            (Client, Ok(b"incr n 1\r\n")),
            (Server, Ok(b"4\r\n")),
        ],
    );
    assert_eq!(lines, ["set ok 0-2", "get ok 3-4", "delete ? 7", "get ? 9", "incr ok 11-12"]);
}

#[test]
fn memcached_is_known_and_nothing_else_is_memcached() {
    use Recognition::{Maybe, No, Yes};
    let own = [
        ("set a 0 0 3\r\nabc\r\n", ""),
        ("set a 0 0 3000\r\nabc", ""),
        ("version\r\nset a 0 0 3 noreply\r\nabc\r\n", ""),
        ("get a\r\n", "END\r\n"),
        ("get a b\r\n", "VALUE b 0 5\r\nhello\r\nEND\r\n"),
        ("incr a 1\r\n", "5\r\n"),
        ("mg foo v\r\n", "EN\r\n"),
        ("ms foo 2 S2\r\nhi\r\n", "HD\r\n"),
        ("version\r\n", "VERSION 1.6.18\r\n"),
    ];
    for (client, server) in own {
        assert_eq!(recognise(client.as_bytes(), server.as_bytes()), Yes, "{client:?} {server:?}");
        assert_ne!(recognise(server.as_bytes(), client.as_bytes()), Yes, "{client:?} {server:?}");
    }
    let get = message(0x80, 0, 0, 1, &[], "alpha", "");
    let answer = message(0x81, 0, 0, 1, &[0; 4], "", "one");
    assert_eq!([recognise(&get, b""), recognise(&get, &answer), recognise(&answer, &get)], [Yes, Yes, No]);
    assert_eq!(recognise(b"get a\r\n", b""), Maybe);
    let foreign = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("set a 1\r\n", "+OK\r\n"),
        ("get a\r\n", "$1\r\nx\r\n"),
        ("delete 15\r\n", "DELETED\r\n"),
        ("put 0 0 60 2\r\nhi\r\n", "INSERTED 1\r\n"),
        ("set key 1 2\r\n", "OK\r\n"),
        ("EHLO a\r\n", "220 a\r\n"),
        ("\u{16}\u{3}\u{1}", ""),
        ("ls -l\r\n", ""),
    ];
    for (client, server) in foreign {
        assert_ne!(recognise(client.as_bytes(), server.as_bytes()), Yes, "{client:?} {server:?}");
        assert_ne!(recognise(server.as_bytes(), client.as_bytes()), Yes, "{client:?} {server:?}");
    }
    // A record of ONC RPC (RFC 5531, section 11): the last fragment, a call of version 2.
    let call = b"\x80\x00\x00\x28\x12\x00\x56\x78\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01\x86\xa3\x00\x00\x00\x03\x00\x00";
    assert_eq!(recognise(call, b""), No);
}

#[test]
fn mischief_is_endured() {
    let set = message(0x80, 0x01, 0, 1, &[0; 8], "a", "v");
    let stat = message(0x81, 0x10, 0, 7, &[], "pid", "1");
    let text: [(Side, &[u8]); 8] = [
        (Client, b"set a 0 0 5\r\nhello\r\nget a\r\n"),
        (Server, b"STORED\r\nVALUE a 0 5\r\nhello\r\nEND\r\n"),
        (Client, b"mg a v q O1\r\nmn\r\nstats\r\n"),
        (Server, b"VA 1 O1\r\nx\r\nMN\r\nSTAT a b\r\nEND\r\n"),
        (Client, b"delete a noreply\r\nincr a 1\r\nbogus\r\n"),
        (Server, b"7\r\nERROR\r\n"),
        (Client, b"watch fetchers\r\n"),
        (Server, b"OK\r\n"),
    ];
    endures(&candidate(), start, &text, 400_000);
    endures(&candidate(), start, &[(Client, &set), (Server, &stat), (Client, b"get a\r\n")], 400_000);
}
