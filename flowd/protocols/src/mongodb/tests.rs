use std::io::Write;

use super::{dialect::Mongodb, recognise::recognise};
use crate::{
    conversation::{
        Candidate, Dialect, Recognition,
        kit::{Client, Server, converse, with_gaps},
        mischief::endures,
    },
    protocol::Follow,
};

fn start() -> Box<dyn Dialect> {
    Box::new(Mongodb::default())
}

fn candidate() -> &'static Candidate {
    let Follow::Dialect(candidate) = &super::REGISTERED.follow else { panic!() };
    candidate
}

fn message(id: i32, answers: i32, op: i32, body: &[u8]) -> Vec<u8> {
    let head = [16 + body.len() as i32, id, answers, op].map(i32::to_le_bytes).concat();
    [&head, body].concat()
}

fn document(elements: &[&[u8]]) -> Vec<u8> {
    let elements = elements.concat();
    [&(elements.len() as i32 + 5).to_le_bytes()[..], &elements, b"\0"].concat()
}

fn command(name: &str) -> Vec<u8> {
    document(&[b"\x02", name.as_bytes(), b"\0\x02\0\0\0c\0", b"\x02$db\0\x02\0\0\0d\0"])
}

/// OP_MSG.
fn msg(id: i32, answers: i32, flags: u32, document: &[u8]) -> Vec<u8> {
    message(id, answers, 2013, &[&flags.to_le_bytes()[..], b"\0", document].concat())
}

fn ok() -> Vec<u8> {
    let cursor = document(&[b"\x04firstBatch\0", &document(&[]), b"\x12id\0\0\0\0\0\0\0\0\0"]);
    document(&[b"\x03cursor\0", &cursor, b"\x01ok\0", &1.0_f64.to_le_bytes()])
}

fn failed(code: i32) -> Vec<u8> {
    document(&[
        b"\x01ok\0",
        &0.0_f64.to_le_bytes(),
        b"\x02errmsg\0\x04\0\0\0bad\0\x10code\0",
        &code.to_le_bytes(),
        b"\x02codeName\0\x02\0\0\0X\0",
    ])
}

/// OP_QUERY.
fn query(id: i32, collection: &str, document: &[u8]) -> Vec<u8> {
    let body = [&[0; 4][..], collection.as_bytes(), &[0; 5], &(-1_i32).to_le_bytes(), document].concat();
    message(id, 0, 2004, &body)
}

/// OP_REPLY.
fn reply(answers: i32, flags: u32, documents: &[u8]) -> Vec<u8> {
    let head = [&flags.to_le_bytes()[..], &[0; 12], &1_i32.to_le_bytes()].concat();
    message(900, answers, 1, &[&head, documents].concat())
}

fn compressed(id: i32, answers: i32, compressor: u8, inside: &[u8], bytes: &[u8]) -> Vec<u8> {
    let head = [2013, inside.len() as i32].map(i32::to_le_bytes).concat();
    message(id, answers, 2012, &[&head, &[compressor][..], bytes].concat())
}

fn zlib(inside: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(inside).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn replies_name_their_requests() {
    let sequence =
        [&[0, 0, 0, 0, 1][..], &14_i32.to_le_bytes(), b"docs\0", &document(&[]), b"\0", &command("insert")]
            .concat();
    let parts: &[_] = &[
        (Client, &*msg(7, 0, 0, &command("find"))),
        (Server, &*msg(100, 7, 0, &ok())),
        (Client, &*[msg(8, 0, 0, &command("drop")), msg(9, 0, 0, &command("ping"))].concat()),
        (Server, &*msg(101, 9, 0, &ok())),
        (Server, &*msg(102, 8, 0, &failed(26))),
        (Client, &*msg(10, 0, 2, &command("insert"))),
        (Client, &*message(11, 0, 2013, &sequence)),
        // What was asked for more than once, as with an exhaust cursor, is answered by the first.
        (Server, &*[msg(103, 11, 2, &ok()), msg(104, 103, 0, &failed(1))].concat()),
    ];
    let lines = ["find ok 0-1", "drop 26 2-4", "ping ok 2-3", "insert - 5", "insert ok 6-7"];
    assert_eq!(converse(start, parts), lines);
}

#[test]
fn older_operations_are_known() {
    let wrapped =
        document(&[b"\x03$query\0", &command("isMaster"), b"\x03$readPreference\0", &document(&[])]);
    let older = document(&[b"\x02errmsg\0\x04\0\0\0bad\0\x10code\0\x0d\0\0\0\x01ok\0", &[0; 8]]);
    let uncoded = document(&[b"\x01ok\0", &[0; 8], b"\x02errmsg\0\x04\0\0\0bad\0"]);
    let error = document(&[b"\x02$err\0\x04\0\0\0bad\0\x10code\0\x35\0\0\0"]);
    let parts: &[_] = &[
        (Client, &*query(1, "admin.$cmd", &command("ismaster"))),
        (Server, &*reply(1, 8, &ok())),
        (Client, &*query(2, "admin.$cmd", &wrapped)),
        (Server, &*reply(2, 8, &older)),
        (Client, &*query(3, "d.c", &document(&[]))),
        (Server, &*reply(3, 8, &document(&[]))),
        (Client, &*query(4, "d.c", &document(&[]))),
        (Server, &*reply(4, 2, &error)),
        (Client, &*message(5, 0, 2005, b"\0\0\0\0d.c\0\0\0\0\0\x01\0\0\0\0\0\0\0")),
        (Server, &*reply(5, 1, b"")),
        (Client, &*message(6, 0, 2002, &[b"\0\0\0\0d.c\0", &document(&[])[..]].concat())),
        (Client, &*query(7, "admin.$cmd", &command("getnonce"))),
        (Server, &*reply(7, 8, &uncoded)),
    ];
    let lines = [
        "ismaster ok 0-1",
        "isMaster 13 2-3",
        "find ok 4-5",
        "find 53 6-7",
        "getMore 43 8-9",
        "insert - 10",
        "getnonce unknown 11-12",
    ];
    assert_eq!(converse(start, parts), lines);
}

#[test]
fn what_is_compressed_is_looked_into() {
    let inside = |flags: u8, document: &[u8]| [&[flags, 0, 0, 0, 0][..], document].concat();
    let (ask, quiet) = (inside(0, &command("aggregate")), inside(2, &command("insert")));
    let (good, bad) = (inside(0, &ok()), inside(0, &failed(59)));
    // Snappy's literals alone.
    let literal = [&[bad.len() as u8, 60 << 2, bad.len() as u8 - 1][..], &bad].concat();
    let parts: &[_] = &[
        (Client, &*compressed(1, 0, 2, &ask, &zlib(&ask))),
        (Server, &*compressed(100, 1, 2, &good, &zlib(&good))),
        (Client, &*compressed(2, 0, 0, &ask, &ask)),
        (Server, &*compressed(101, 2, 1, &bad, &literal)),
        (Client, &*compressed(3, 0, 2, &quiet, &zlib(&quiet))),
        // Zstandard.
        (Client, &*compressed(4, 0, 3, &ask, b"\x28\xb5\x2f\xfd")),
        (Server, &*compressed(102, 4, 3, &good, b"\x28\xb5\x2f\xfd")),
    ];
    let lines = ["aggregate ok 0-1", "aggregate 59 2-3", "insert - 4", "_OTHER ? 5-6"];
    assert_eq!(converse(start, parts), lines);
    // A result that is long is no error.
    let long = [&good[..], &vec![7; 70_000]].concat();
    let parts: &[_] = &[parts[0], (Server, &*compressed(100, 1, 2, &long, &zlib(&long)))];
    assert_eq!(converse(start, parts), ["aggregate ok 0-1"]);
}

#[test]
fn flags_are_heeded_where_the_command_is_too_far_off() {
    let far = |flags: u8, len: usize| {
        let size = (len as i32 + 4).to_le_bytes();
        [&[flags, 0, 0, 0, 1][..], &size, &vec![7; len], b"\0", &command("insert")].concat()
    };
    let quiet = message(1, 0, 2013, &far(2, 5_000));
    let asks = message(2, 0, 2013, &far(0, 5_000));
    let answer = msg(100, 2, 0, &ok());
    let parts: &[_] = &[
        (Client, Ok(&quiet[..4_200])),
        (Client, Ok(&quiet[4_200..])),
        (Client, Ok(&asks[..4_200])),
        (Client, Ok(&asks[4_200..])),
        (Server, Ok(&*answer)),
    ];
    assert_eq!(with_gaps(start(), parts), ["_OTHER - 0", "_OTHER ok 2-4"]);
    let inside = far(2, 2_000);
    let packed = compressed(3, 0, 2, &inside, &zlib(&inside));
    assert_eq!(converse(start, &[(Client, &*packed)]), ["_OTHER - 0"]);
    // The copy of the message is cut.
    let cut = message(4, 0, 2013, &far(2, 2_000));
    let parts: &[_] = &[(Client, Ok(&cut[..100])), (Client, Err(1_000)), (Client, Ok(&cut[1_100..]))];
    assert_eq!(with_gaps(start(), parts), ["_OTHER - 0"]);
}

#[test]
fn the_name_of_a_command_is_bounded() {
    let (find, answer) = (msg(7, 0, 0, &command("find")), msg(100, 7, 0, &ok()));
    let named = |len: usize| {
        let long = msg(8, 0, 0, &command(&"n".repeat(len)));
        converse(start, &[(Client, &*find), (Server, &*answer), (Client, &*long)])
    };
    assert_eq!(named(256), ["find ok 0-1".to_owned(), format!("{} ? 2", "n".repeat(256))]);
    assert_eq!(named(257), ["find ok 0-1"]);
}

#[test]
fn after_a_gap_ids_tell_what_belongs_together() {
    let (ask, answer) = (msg(8, 0, 0, &command("find")), msg(100, 8, 0, &ok()));
    let parts: &[_] = &[
        (Client, Ok(&*ask)),
        (Server, Ok(&answer[..40])),
        (Server, Err(answer.len() as u32 - 40)),
        (Client, Err(33)),
        (Client, Ok(b"of a message".as_slice())),
        (Client, Ok(&*ask)),
        (Server, Ok(&*answer)),
    ];
    assert_eq!(with_gaps(start(), parts), ["find ? 0-1", "find ok 5-6"]);
    // What is missing may be of a value that nobody looks at.
    let long = document(&[b"\x05data\0\0\x10\0\0\0", &[1; 0x1000], b"\x10ok\0\x01\0\0\0"]);
    let long = msg(100, 8, 0, &long);
    let parts: &[_] =
        &[(Client, Ok(&*ask)), (Server, Ok(&long[..50])), (Server, Err(4_000)), (Server, Ok(&long[4_050..]))];
    assert_eq!(with_gaps(start(), parts), ["find ok 0-1"]);
}

#[test]
fn a_client_is_told_from_a_server() {
    let (ask, answer) = (msg(8, 0, 0, &command("find")), msg(100, 8, 0, &ok()));
    let older = query(1, "admin.$cmd", &command("ismaster"));
    let insert = message(6, 0, 2002, &[b"\0\0\0\0d.c\0", &document(&[])[..]].concat());
    let yes: &[(&[u8], &[u8])] =
        &[(&ask, b""), (&ask, &answer), (b"", &answer), (&older, b""), (&insert, b"")];
    for (client, server) in yes {
        assert_eq!(recognise(client, server), Recognition::Yes, "{client:?}");
        assert_ne!(recognise(server, client), Recognition::Yes, "{client:?}");
    }
    for client in [&ask[..3], &ask[..20], &older[..24]] {
        assert_eq!(recognise(client, b""), Recognition::Maybe, "{client:?}");
    }
    assert_eq!(recognise(b"", &reply(1, 8, &ok())), Recognition::Maybe);
}

#[test]
fn others_are_no_mongodb() {
    let others: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0\0\0\0\0\0",
        // MySQL's greeting.
        b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0",
        b"\0\0\0\x17\0\x12\0\x03\0\0\0\x01\0\x01c\0\0\0\0",
        &[0; 64],
    ];
    for other in others {
        assert_eq!(recognise(other, b""), Recognition::No, "{other:?}");
        assert_eq!(recognise(b"", other), Recognition::No, "{other:?}");
    }
}

#[test]
fn nothing_is_too_much() {
    let inside = [&[0; 5][..], &command("aggregate")].concat();
    let parts: &[_] = &[
        (Client, &*msg(7, 0, 0, &command("find"))),
        (Server, &*msg(100, 7, 0, &ok())),
        (Client, &*compressed(1, 0, 2, &inside, &zlib(&inside))),
        (Server, &*compressed(100, 1, 2, &inside, &zlib(&inside))),
        (Client, &*compressed(2, 0, 1, &inside, b"\x0e\x0cabcd\x11\x04\x04xy")),
        (Client, &*query(3, "admin.$cmd", &command("ismaster"))),
        (Server, &*reply(3, 8, &failed(13))),
    ];
    endures(candidate(), start, parts, 64 << 10);
}

#[test]
fn a_collection_is_not_refused_before_the_end_of_its_name() {
    let insert = |name: &[u8]| message(1, 0, 2_002, &[&[0; 4][..], name, b"\0", &[0; 8]].concat());
    let says = |bytes: &[u8]| (candidate().recognise)(bytes, b"");
    let (good, bad) = (insert(b"admin.c"), insert(b"admin"));
    for end in 0..good.len() {
        assert_ne!(says(&good[..end]), Recognition::No, "{end} bytes");
    }
    assert_eq!((says(&good), says(&bad)), (Recognition::Yes, Recognition::No));
}
