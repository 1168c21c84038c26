use flow_common::app::App;

use super::{dialect::Mqtt, recognise::recognise};
use crate::{
    conversation::{
        Candidate, Dialect, Recognition,
        kit::{Client, Server, converse, with_gaps},
        mischief::endures,
    },
    protocol::Follow,
};

const CONNECT: &[u8] = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a";
const CONNECT_5: &[u8] = b"\x10\x0e\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01a";
const CONNECT_3_1: &[u8] = b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01a";
const CONNACK: &[u8] = b"\x20\x02\x00\x00";
const SUBSCRIBE: &[u8] = b"\x82\x08\x00\x01\x00\x03a/b\x01";
const QOS_0: &[u8] = b"\x30\x07\x00\x03a/bhi";
const QOS_1: &[u8] = b"\x32\x09\x00\x03a/b\x00\x02hi";
const QOS_2: &[u8] = b"\x34\x09\x00\x03a/b\x00\x03hi";

fn start() -> Box<dyn Dialect> {
    Box::new(Mqtt::default())
}

fn candidate() -> &'static Candidate {
    let Follow::Dialect(candidate) = &super::REGISTERED.follow else { panic!("{}", App::Mqtt.name()) };
    candidate
}

#[test]
fn each_quality_of_service_has_its_own_answer() {
    let parts: &[_] = &[
        (Client, CONNECT),
        (Server, CONNACK),
        (Client, QOS_0),
        (Client, &[QOS_1, QOS_2].concat()),
        (Server, b"\x50\x02\x00\x03"),
        (Client, b"\x62\x02\x00\x03"),
        (Server, b"\x40\x02\x00\x02\x70\x02\x00\x03"),
        (Client, b"\xc0\x00"),
        (Server, b"\xd0\x00"),
        (Client, b"\xe0\x00"),
    ];
    let lines = [
        "CONNECT ok 0-1",
        "PUBLISH - 2",
        "PUBLISH ok 3-6",
        "PUBLISH ok 3-4",
        "PINGREQ ok 7-8",
        "DISCONNECT - 9",
    ];
    assert_eq!(converse(start, parts), lines);
}

#[test]
fn codes_of_every_version_are_told() {
    let three: &[_] = &[
        (Client, CONNECT_3_1),
        (Server, CONNACK),
        (Client, b"\x82\x0e\x00\x01\x00\x03a/b\x01\x00\x03a/c\x02"),
        (Server, b"\x90\x04\x00\x01\x01\x80"),
    ];
    assert_eq!(converse(start, three), ["CONNECT ok 0-1", "SUBSCRIBE 128 2-3"]);
    let refused: &[_] = &[(Client, CONNECT), (Server, b"\x20\x02\x00\x05")];
    assert_eq!(converse(start, refused), ["CONNECT 5 0-1"]);
    let five: &[_] = &[
        (Client, CONNECT_5),
        (Server, b"\x20\x06\x00\x00\x03\x22\x00\x0a"),
        (Client, b"\x82\x09\x00\x01\x00\x00\x03a/b\x01"),
        (Server, b"\x90\x0a\x00\x01\x06\x1f\x00\x03bad\x87"),
        (Client, b"\x34\x0a\x00\x03a/b\x00\x03\x00hi"),
        (Server, b"\x50\x03\x00\x03\x97"),
        (Client, b"\xa2\x08\x00\x04\x00\x00\x03a/b"),
        (Server, b"\xb0\x04\x00\x04\x00\x11"),
    ];
    let lines = ["CONNECT ok 0-1", "SUBSCRIBE 135 2-3", "PUBLISH 151 4-5", "UNSUBSCRIBE ok 6-7"];
    assert_eq!(converse(start, five), lines);
    // Begun in the middle, the version shows in what is subscribed to.
    assert_eq!(converse(start, &five[2..4]), ["SUBSCRIBE 135 0-1"]);
    assert_eq!(converse(start, &three[2..]), ["SUBSCRIBE 128 0-1"]);
}

#[test]
fn deliveries_and_their_answers_are_no_requests() {
    let parts: &[_] = &[
        (Client, SUBSCRIBE),
        (Server, b"\x90\x03\x00\x01\x01"),
        (Server, QOS_1),
        (Client, b"\x40\x02\x00\x02"),
    ];
    assert_eq!(converse(start, parts), ["SUBSCRIBE ok 0-1"]);
}

#[test]
fn an_identifier_used_again_ends_the_request_before() {
    let parts: &[_] = &[
        (Client, QOS_1),
        // Sent again (DUP).
        (Client, b"\x3a\x09\x00\x03a/b\x00\x02hi"),
        // The same identifier where another packet answers.
        (Client, b"\x34\x09\x00\x03a/b\x00\x02hi"),
        (Server, b"\x40\x02\x00\x02"),
        (Server, b"\x50\x02\x00\x02"),
        (Client, QOS_1),
        (Server, b"\x40\x02\x00\x02"),
    ];
    let lines = ["PUBLISH ? 0", "PUBLISH ok 1-3", "PUBLISH ok 2-4", "PUBLISH ok 5-6"];
    assert_eq!(converse(start, parts), lines);
}

#[test]
fn bytes_of_a_message_are_skipped_and_a_gap_is_overcome() {
    let long = [b"\x32\x80\x08\x00\x03a/b\x00\x02".as_slice(), &[0xc0; 1_017]].concat();
    let parts: &[_] = &[
        (Client, Ok(long.as_slice())),
        (Server, Ok(b"\x40\x02\x00\x02".as_slice())),
        (Client, Err(40)),
        (Client, Ok(b"no packet".as_slice())),
        (Client, Ok(QOS_1)),
        (Server, Ok(b"\x40\x02\x00\x02".as_slice())),
    ];
    assert_eq!(with_gaps(start(), parts), ["PUBLISH ok 0-1", "PUBLISH ok 4-5"]);
    // The message itself may be what is missing.
    let parts: &[_] = &[
        (Client, Ok(&long[..20])),
        (Client, Err(1_007)),
        (Client, Ok(QOS_0)),
        (Server, Ok(b"\x40\x02\x00\x02".as_slice())),
    ];
    assert_eq!(with_gaps(start(), parts), ["PUBLISH ok 0-3", "PUBLISH - 2"]);
}

#[test]
fn a_client_is_told_from_a_broker() {
    let yes: &[(&[u8], &[u8])] = &[
        (CONNECT, b""),
        (CONNECT_5, b""),
        (CONNECT_3_1, CONNACK),
        (SUBSCRIBE, b""),
        (&[QOS_0, b"\xe0\x00"].concat(), b""),
        (b"\xc0\x00", b"\xd0\x00"),
    ];
    for (client, server) in yes {
        assert_eq!(recognise(client, server), Recognition::Yes, "{client:?}");
        assert_ne!(recognise(server, client), Recognition::Yes, "{client:?}");
    }
    for (client, server) in [(&CONNECT[..5], &b""[..]), (QOS_0, b""), (b"", CONNACK), (b"\xc0\x00", b"")] {
        assert_eq!(recognise(client, server), Recognition::Maybe, "{client:?}");
    }
}

#[test]
fn messages_have_no_direction() {
    let several = QOS_0.repeat(3);
    for (one, other) in [(QOS_1, &b"\x40\x02\x00\x02"[..]), (&several, b"")] {
        assert_eq!(recognise(one, other), Recognition::Yes, "{one:?}");
        assert_eq!(recognise(other, one), Recognition::Yes, "{one:?}");
    }
    // A SUBSCRIBE has.
    assert_eq!(recognise(&several, SUBSCRIBE), Recognition::No);
}

#[test]
fn others_are_no_mqtt() {
    let others: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"*1\r\n$4\r\nPING\r\n",
        b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x10\x20\x00\x04AMQP",
        b"\x00\x00\x00\x20\x00\x03\x00\x00",
    ];
    for other in others {
        assert_eq!(recognise(other, b""), Recognition::No, "{other:?}");
        assert_eq!(recognise(b"", other), Recognition::No, "{other:?}");
    }
}

#[test]
fn nothing_is_too_much() {
    let parts: &[_] = &[
        (Client, CONNECT_5),
        (Server, CONNACK),
        (Client, SUBSCRIBE),
        (Server, b"\x90\x0a\x00\x01\x06\x1f\x00\x03bad\x87"),
        (Client, QOS_1),
        (Server, b"\x40\x02\x00\x02"),
        (Client, QOS_2),
        (Server, b"\x50\x03\x00\x03\x97"),
        (Client, b"\xc0\x00"),
        (Server, b"\xd0\x00"),
    ];
    endures(candidate(), start, parts, 64 << 10);
}
