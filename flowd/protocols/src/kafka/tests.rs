use super::{dialect::Kafka, recognise::recognise};
use crate::{
    conversation::{
        Candidate, Dialect, Recognition,
        kit::{Client, Server, converse, with_gaps},
        mischief::endures,
    },
    protocol::Follow,
};

fn start() -> Box<dyn Dialect> {
    Box::new(Kafka::default())
}

fn candidate() -> &'static Candidate {
    let Follow::Dialect(candidate) = &super::REGISTERED.follow else { panic!() };
    candidate
}

fn message(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32).to_be_bytes(), &body[..]].concat()
}

/// A request of a client called `c`.
fn request(key: u16, version: u16, correlation: u32, body: &[u8]) -> Vec<u8> {
    let head =
        [&key.to_be_bytes()[..], &version.to_be_bytes(), &correlation.to_be_bytes(), b"\0\x01c"].concat();
    message(&[&head, body])
}

fn response(correlation: u32, body: &[u8]) -> Vec<u8> {
    message(&[&correlation.to_be_bytes(), body])
}

fn api_versions() -> Vec<u8> {
    request(18, 3, 1, b"\0\x02c\x021\0")
}

/// Of a topic `t`, partitions 0 and 1, old version.
fn list_offsets() -> Vec<u8> {
    let partitions = [[&[0; 4][..], &[0xff; 8]].concat(), [&[0, 0, 0, 1][..], &[0xff; 8]].concat()].concat();
    request(2, 1, 7, &[b"\xff\xff\xff\xff\0\0\0\x01\0\x01t\0\0\0\x02", &partitions[..]].concat())
}

/// Of those partitions, with their error codes.
fn offsets(codes: [u8; 2]) -> Vec<u8> {
    let partition = |id: u8, code: u8| [&[0, 0, 0, id, 0, code][..], &[0xff; 8], &[0; 8]].concat();
    let partitions = [partition(0, codes[0]), partition(1, codes[1])].concat();
    response(7, &[b"\0\0\0\x01\0\x01t\0\0\0\x02", &partitions[..]].concat())
}

/// Flexible, to a topic `t`.
fn produce(correlation: u32, acks: i16) -> Vec<u8> {
    let body =
        [b"\0\0", &acks.to_be_bytes()[..], b"\0\0\x03\xe8\x02\x02t\x02\0\0\0\0\x05abcd\0\0\0"].concat();
    request(0, 9, correlation, &body)
}

#[test]
fn a_response_that_lacks_fields_is_none_however_it_is_cut() {
    let partition = |id: u8| [&[0, 0, 0, id, 0, 0][..], &[0xff; 8], &[0; 8]].concat();
    let answer = response(7, &[b"\0\0\0\x01\0\x01t\0\0\0\x03", &*partition(0), &*partition(1)].concat());
    assert_eq!(converse(start, &[(Client, &*list_offsets()), (Server, &*answer)]), ["ListOffsets ? 0-1"]);
}

#[test]
fn no_client_is_called_by_control_characters() {
    let named = |name: &[u8]| message(&[b"\0\x0c\0\x04\0\0\0\x09\0", &[name.len() as u8], name, b"\0"]);
    let lines = |name: &[u8]| {
        let answer = response(1, b"\0\0\x01\0\0\0\0\0");
        converse(start, &[(Client, &*api_versions()), (Server, &*answer), (Client, &*named(name))])
    };
    assert_eq!(lines(b"client"), ["ApiVersions ok 0-1", "Heartbeat ? 2"]);
    assert_eq!(lines(b"clien\x01"), ["ApiVersions ok 0-1"]);
}

#[test]
fn each_version_has_its_own_fields() {
    let parts: &[_] = &[
        (Client, &*api_versions()),
        (Server, &*response(1, b"\0\0\x01\0\0\0\0\0")),
        (Client, &*list_offsets()),
        (Server, &*offsets([0, 3])),
        (Client, &*produce(8, -1)),
        (Server, &*response(8, b"\0\x02\x02t\x02\0\0\0\0\0\x13")),
        (Client, &*[produce(9, 1), request(12, 4, 10, b"\0\x02g\0\0\0\x01\x02m\0\0")].concat()),
        (Server, &*response(9, b"\0\x02\x02t\x02\0\0\0\0\0\0")),
        (Server, &*response(10, b"\0\0\0\0\0\0\x1b\0")),
    ];
    let lines = [
        "ApiVersions ok 0-1",
        "ListOffsets 3 2-3",
        "Produce 19 4-5",
        // The last tagged field of a structure is missing: what it says is not known.
        "Produce ? 6-7",
        "Heartbeat 27 6-8",
    ];
    assert_eq!(converse(start, parts), lines);
    assert_eq!(converse(start, &[parts[2], (Server, &offsets([0, 0]))]), ["ListOffsets ok 0-1"]);
}

#[test]
fn a_produce_may_ask_for_no_answer() {
    let parts: &[_] = &[
        (Client, &*produce(1, 0)),
        (Client, &*list_offsets()),
        // Some brokers answer it all the same.
        (Server, &*response(1, b"\0\x01\0")),
        (Server, &*offsets([0, 0])),
    ];
    assert_eq!(converse(start, parts), ["Produce - 0", "ListOffsets ok 1-3"]);
}

#[test]
fn a_version_that_nobody_knows_has_no_status() {
    let parts: &[_] = &[
        (Client, &*request(18, 99, 1, b"")),
        (Server, &*response(1, b"\0\x23\0\0\0\0")),
        (Client, &*request(140, 0, 2, b"")),
        (Server, &*response(2, b"\0\0")),
    ];
    assert_eq!(converse(start, parts), ["ApiVersions 35 0-1", "140 ? 2-3"]);
}

#[test]
fn tokens_without_a_head_are_passed_over() {
    let parts: &[_] = &[
        (Client, &*request(17, 0, 1, b"\0\x05PLAIN")),
        (Server, &*response(1, b"\0\0\0\0\0\0")),
        (Client, &*message(&[b"\0user\0pencil and more"])),
        (Server, &*message(&[])),
        (Client, &*list_offsets()),
        (Server, &*offsets([0, 0])),
    ];
    assert_eq!(converse(start, parts), ["SaslHandshake ok 0-1", "ListOffsets ok 4-5"]);
}

#[test]
fn after_a_gap_ids_tell_what_belongs_together() {
    let (ask, answer) = (list_offsets(), offsets([0, 0]));
    let parts: &[_] = &[
        (Client, Ok(&*api_versions())),
        (Client, Ok(&*ask)),
        (Server, Err(20)),
        (Server, Ok(&*answer)),
        (Client, Err(33)),
        (Client, Ok(&*ask)),
        (Server, Ok(&answer[..20])),
        (Server, Err(answer.len() as u32 - 20)),
        (Client, Ok(&*ask)),
        (Server, Ok(&*answer)),
    ];
    let lines = ["ApiVersions ? 0", "ListOffsets ok 1-3", "ListOffsets ? 5-6", "ListOffsets ok 8-9"];
    assert_eq!(with_gaps(start(), parts), lines);
}

#[test]
fn a_client_is_told_from_a_broker() {
    let yes: &[(&[u8], &[u8])] = &[
        (&api_versions(), b""),
        (&list_offsets(), b""),
        (&produce(1, 1), b""),
        (&list_offsets(), &offsets([0, 0])),
        (&request(18, 99, 1, b""), &response(1, b"\0\x23\0\0\0\0")),
    ];
    for (client, server) in yes {
        assert_eq!(recognise(client, server), Recognition::Yes, "{client:?}");
        assert_ne!(recognise(server, client), Recognition::Yes, "{client:?}");
    }
    assert_eq!(recognise(&api_versions()[..9], b""), Recognition::Maybe);
}

#[test]
fn others_with_lengths_are_no_kafka() {
    let zookeeper = message(&[&[0; 14], b"\x75\x30", &[0; 10], b"\x10", &[0; 17]]);
    let others: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        // PostgreSQL: StartupMessage and SSLRequest.
        b"\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0\0",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        // Pulsar, ZooKeeper, OpenWire, Thrift.
        b"\0\0\0\x18\0\0\0\x14\x08\x02\x12\x10\x0a\x062.10.0\x20\x13\x2a\x04none",
        &zookeeper,
        b"\0\0\0\xf0\x01ActiveMQ\0\0\0\x0c\x01\0\0",
        b"\0\0\0\x11\x80\x01\0\x01\0\0\0\x04ping\0\0\0\0\0",
        &[0; 64],
    ];
    for other in others {
        assert_ne!(recognise(other, b""), Recognition::Yes, "{other:?}");
        assert_ne!(recognise(other, other), Recognition::Yes, "{other:?}");
    }
}

#[test]
fn nothing_is_too_much() {
    let parts: &[_] = &[
        (Client, &*api_versions()),
        (Server, &*response(1, b"\0\0\x01\0\0\0\0\0")),
        (Client, &*list_offsets()),
        (Server, &*offsets([0, 3])),
        (Client, &*produce(8, -1)),
        (Server, &*response(8, b"\0\x02\x02t\x02\0\0\0\0\0\x13")),
    ];
    endures(candidate(), start, parts, 64 << 10);
}
