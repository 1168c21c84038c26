use super::{dialect::Amqp, recognise::recognise};
use crate::{
    conversation::{
        Candidate, Dialect, Recognition,
        kit::{Client, Server, converse, with_gaps},
        mischief::endures,
    },
    protocol::Follow,
};

const HEADER: &[u8] = b"AMQP\0\0\x09\x01";

fn start() -> Box<dyn Dialect> {
    Box::new(Amqp::default())
}

fn candidate() -> &'static Candidate {
    let Follow::Dialect(candidate) = &super::REGISTERED.follow else { panic!() };
    candidate
}

fn frame(kind: u8, channel: u16, payload: &[u8]) -> Vec<u8> {
    [&[kind][..], &channel.to_be_bytes(), &(payload.len() as u32).to_be_bytes(), payload, b"\xce"].concat()
}

fn method(channel: u16, class: u16, id: u16, arguments: &[u8]) -> Vec<u8> {
    frame(1, channel, &[&class.to_be_bytes()[..], &id.to_be_bytes(), arguments].concat())
}

/// A message of two bytes.
fn publish(channel: u16) -> Vec<u8> {
    let header = [&60_u16.to_be_bytes()[..], &[0; 9], &[2], &[0; 2]].concat();
    [method(channel, 60, 40, b"\0\0\x02ex\x01k\0"), frame(2, channel, &header), frame(3, channel, b"hi")]
        .concat()
}

fn queue_declare(bits: u8) -> Vec<u8> {
    method(1, 50, 10, &[b"\0\0\x01q", &[bits][..], &[0; 4]].concat())
}

fn queue_declare_ok() -> Vec<u8> {
    method(1, 50, 11, &[b"\x01q", &[0; 8][..]].concat())
}

fn closed(channel: u16, (class, id): (u16, u16), code: u16, failed: [u16; 2]) -> Vec<u8> {
    let failed = failed.map(u16::to_be_bytes).concat();
    method(channel, class, id, &[&code.to_be_bytes()[..], b"\x03bad", &failed].concat())
}

fn confirmed(id: u16, tag: u8, multiple: u8) -> Vec<u8> {
    method(1, 60, id, &[0, 0, 0, 0, 0, 0, 0, tag, multiple])
}

#[test]
fn methods_are_answered_on_their_channel() {
    let parts: &[_] = &[
        (Client, HEADER),
        (Server, &*method(0, 10, 10, &[0, 9])),
        (Client, &*method(0, 10, 11, b"\0\0\0\0\x05PLAIN")),
        (Server, &*method(0, 10, 30, &[0; 8])),
        (Client, &*[method(0, 10, 31, &[0; 8]), method(0, 10, 40, b"\x01/\0\0")].concat()),
        (Server, &*method(0, 10, 41, b"\0")),
        (Client, &*[method(1, 20, 10, b"\0"), method(2, 20, 10, b"\0")].concat()),
        (Server, &*method(2, 20, 11, &[0; 4])),
        (Server, &*method(1, 20, 11, &[0; 4])),
        (Client, &*frame(8, 0, b"")),
        (Client, &*queue_declare(0)),
        (Server, &*[method(2, 60, 60, b"\x01t"), queue_declare_ok()].concat()),
        (Client, &*[queue_declare(0b1_0000), publish(1)].concat()),
        (Client, &*method(1, 60, 70, b"\0\0\x01q\0")),
        (Server, &*method(1, 60, 72, b"\0")),
    ];
    let lines = [
        "connection.start-ok ok 2-3",
        "connection.open ok 4-5",
        "channel.open ok 6-8",
        "channel.open ok 6-7",
        "queue.declare ok 10-11",
        "queue.declare - 12",
        "basic.publish - 12",
        "basic.get ok 13-14",
    ];
    assert_eq!(converse(start, parts), lines);
}

#[test]
fn a_close_is_the_answer_of_what_waits() {
    let parts: &[_] = &[
        (Client, &*queue_declare(0)),
        (Server, &*closed(1, (20, 40), 404, [50, 10])),
        (Client, &*[method(1, 20, 41, b""), method(1, 20, 10, b"\0")].concat()),
        (Server, &*closed(0, (10, 50), 530, [20, 10])),
        (Client, &*method(0, 10, 51, b"")),
    ];
    assert_eq!(converse(start, parts), ["queue.declare 404 0-1", "channel.open 530 2-3"]);
    // Nobody waits for the answer of a message.
    let parts: &[_] = &[(Client, &*publish(1)), (Server, &*closed(1, (20, 40), 404, [60, 40]))];
    assert_eq!(converse(start, parts), ["basic.publish - 0"]);
    // What comes behind it is not answered.
    let parts: &[_] = &[
        (Client, &*[queue_declare(0), method(1, 60, 70, b"\0\0\x01q\0")].concat()),
        (Server, &*closed(1, (20, 40), 406, [50, 10])),
        (Client, &*method(1, 20, 41, b"")),
    ];
    assert_eq!(converse(start, parts), ["queue.declare 406 0-1", "basic.get ? 0"]);
}

#[test]
fn confirms_answer_messages() {
    let parts: &[_] = &[
        (Client, &*method(1, 85, 10, b"\0")),
        (Server, &*method(1, 85, 11, b"")),
        (Client, &*[publish(1), publish(1), publish(2)].concat()),
        (Client, &*[publish(1), publish(1)].concat()),
        (Server, &*confirmed(80, 2, 1)),
        (Server, &*confirmed(120, 4, 0)),
        (Client, &*confirmed(80, 3, 0)),
        (Server, &*closed(1, (20, 40), 404, [60, 40])),
    ];
    let lines = [
        "confirm.select ok 0-1",
        "basic.publish ok 2-4",
        "basic.publish ok 2-4",
        "basic.publish - 2",
        "basic.publish 404 3-7",
        "basic.publish nack 3-5",
        "basic.ack - 6",
    ];
    assert_eq!(converse(start, parts), lines);
}

#[test]
fn after_a_gap_nothing_is_paired_with_what_was_before() {
    let (ask, answer) = (queue_declare(0), queue_declare_ok());
    let message = publish(1);
    let parts: &[_] = &[
        (Client, Ok(&*ask)),
        (Server, Err(30)),
        (Server, Ok(&*answer)),
        (Client, Ok(&*ask)),
        (Server, Ok(&*answer)),
        (Client, Ok(&message[..message.len() - 5])),
        (Client, Err(5)),
        (Client, Ok(&*ask)),
        (Server, Ok(&*answer)),
    ];
    let lines = ["queue.declare ? 0", "queue.declare ok 3-4", "basic.publish - 5", "queue.declare ok 7-8"];
    assert_eq!(with_gaps(start(), parts), lines);
}

#[test]
fn a_client_is_told_from_a_server() {
    let (publish, deliver, ack) = (publish(1), method(1, 60, 60, b"\x01t"), confirmed(80, 1, 0));
    let yes: &[(&[u8], &[u8])] =
        &[(HEADER, b""), (&publish, b""), (&ack, &deliver), (b"", &deliver), (&publish, &ack)];
    for (client, server) in yes {
        assert_eq!(recognise(client, server), Recognition::Yes, "{client:?}");
        assert_ne!(recognise(server, client), Recognition::Yes, "{client:?}");
    }
    assert_eq!(recognise(&ack, b""), Recognition::Yes);
    assert_eq!(recognise(b"", &ack), Recognition::Yes);
    for client in [&HEADER[..5], &frame(8, 0, b""), &publish[..9]] {
        assert_eq!(recognise(client, b""), Recognition::Maybe, "{client:?}");
    }
}

#[test]
fn others_are_no_amqp() {
    let others: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"AMQP\0\x01\0\0",
        b"AMQP\x01\x01\0\x0a",
        b"\x01\0\0\0\0\0\x04\0\x0a\0\x0b\0",
        b"\0\0\0\x17\0\x12\0\x03\0\0\0\x01",
        b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a",
    ];
    for other in others {
        assert_eq!(recognise(other, b""), Recognition::No, "{other:?}");
        assert_eq!(recognise(b"", other), Recognition::No, "{other:?}");
    }
}

#[test]
fn nothing_is_too_much() {
    let parts: &[_] = &[
        (Client, HEADER),
        (Server, &*method(0, 10, 10, &[0, 9])),
        (Client, &*method(1, 85, 10, b"\0")),
        (Server, &*method(1, 85, 11, b"")),
        (Client, &*[publish(1), publish(1)].concat()),
        (Server, &*confirmed(80, 2, 1)),
        (Client, &*queue_declare(0)),
        (Server, &*closed(1, (20, 40), 404, [60, 40])),
    ];
    endures(candidate(), start, parts, 128 << 10);
}
