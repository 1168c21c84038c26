//! Own bytes and foreign ones.

use super::kit::{BOTH, END_HEADERS, frame, get, headers, prefaces, response};
use crate::{
    conversation::{
        Recognition,
        Recognition::{Maybe, No, Yes},
        kit,
    },
    http2::{REGISTERED, frame::PREFACE},
    protocol::Follow,
};

fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    let Follow::Dialect(candidate) = REGISTERED.follow else { unreachable!() };
    kit::recognise(&candidate, client, server)
}

#[test]
fn the_preface_says_it() {
    let [(_, client), (_, server)] = prefaces();
    assert_eq!(recognise(&client, b""), Yes);
    assert_eq!(recognise(&client, &server), Yes);
    assert_ne!(recognise(&server, &client), Yes);
    for end in 1..PREFACE.len() {
        assert_eq!(recognise(&client[..end], &server), Maybe);
    }
    assert_eq!(recognise(b"", b""), Maybe);
    assert_eq!(recognise(b"", &server), Maybe);
}

#[test]
fn an_upgrade_is_known_by_its_preface() {
    let asked: &[u8] = b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let answered: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
    for end in 1..asked.len() {
        assert_eq!(recognise(&asked[..end], b""), Maybe, "{end}");
    }
    assert_eq!(recognise(asked, answered), Maybe);
    assert_eq!(recognise(&[asked, PREFACE].concat(), answered), Yes);
    assert_eq!(recognise(answered, asked), No);
    assert_eq!(recognise(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b""), No);
}

#[test]
fn so_do_frames_with_a_head_that_reads_well() {
    let window = frame(8, 0, 0, &[0, 0, 1, 0]);
    let asked = [&window[..], &frame(1, BOTH, 11, &[0x83, 0x86, 0xc3, 0xbe])].concat();
    let answered = [&response(END_HEADERS, 11, "200")[..], &frame(0, 1, 11, &[0; 9_000])[..700]].concat();
    assert_eq!(recognise(&asked, b""), Yes);
    assert_eq!(recognise(&get(1, "/a"), &answered), Yes);
    assert_eq!(recognise(&window, &answered), Yes);
    assert_ne!(recognise(&answered, &asked), Yes);
    assert_eq!(recognise(b"", &answered), Maybe);
    for end in 1..asked.len() {
        assert_eq!(recognise(&asked[..end], b""), Maybe, "{end}");
    }
}

#[test]
fn other_bytes_are_not() {
    for bytes in [
        &b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"[..],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"EHLO mail.example.org\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\0\0\0\x24\0\x12\0\x03\0\0\0\x01\0\x09",
        b"\x10\x16\0\x04MQTT\x04\x02\0\x3c",
        b"AMQP\0\0\x09\x01",
        b"CONNECT {\"verbose\":false}\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\0\0\x04\x01\x05\0\0\0\x01\xff\xff\xff\xff",
        b"\0\0\x03\x01\x05\0\0\0\x01\x82\x88\x84",
        &headers(BOTH, 2, &[(":method", "GET")]),
    ] {
        assert_eq!(recognise(bytes, b""), No, "{bytes:?}");
    }
}
