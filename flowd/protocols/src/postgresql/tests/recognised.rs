//! Whose bytes are recognised, and whose are not.

use super::kit::*;
use crate::{
    conversation::{
        Recognition::{self, Maybe, No, Yes},
        kit,
    },
    postgresql::CANDIDATE,
};

fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    kit::recognise(&CANDIDATE, client, server)
}

#[test]
fn its_own() {
    let extended = join(&[&parse("", "select 1"), &bind("", ""), &execute(""), &sync()]);
    for client in [
        SSL.to_vec(),
        login(),
        query("select 1"),
        query(&format!("select '{}'", "x".repeat(5_000))),
        extended.clone(),
        join(&[&bind("", "s1"), &execute(""), &sync()]),
        join(&[&execute("p"), &sync()]),
    ] {
        assert_eq!(recognise(&client, b""), Yes, "{client:?}");
        assert_eq!(recognise(b"", &client), No, "{client:?}");
        for cut in 1..client.len().min(300) {
            assert_ne!(recognise(&client[..cut], b""), No, "{cut} of {client:?}");
        }
    }
    for server in [
        welcome(),
        join(&[ROWS, ROW, &done("SELECT 1"), READY]),
        join(&[&done("INSERT 0 1"), READY]),
        join(&[&bare(b"2"), &done("INSERT 0 1"), READY]),
        error("FATAL", "28P01"),
    ] {
        assert_eq!(recognise(b"", &server), Yes, "{server:?}");
        assert_eq!(recognise(&server, b""), No, "{server:?}");
    }
    assert_eq!(recognise(&query("x"), b""), Maybe);
    assert_eq!(recognise(&query("x"), &error("ERROR", "42601")), Yes);
}

#[test]
fn what_others_say() {
    let others: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"EHLO example.org\r\n",
        b"220 mail.example.org\r\n",
        b"CONNECT {}\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"set a 0 0 1\r\nx\r\n",
        b"\x4a\0\0\0\x0a8.0.35\0",
        b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02ab",
        b"AMQP\0\0\x09\x01",
        b"\0\0\0\x17\0\x12\0\x04\0\0\0\x01\0\x07client1\0\x01\x01\x01",
        b"\0\0\0\x08\0\0\0\0",
        b"S\0\0\0\x04S\0\0\0\x04 and more",
        b"D\0\0\0\x04",
    ];
    for bytes in others {
        assert_eq!(recognise(bytes, b""), No, "{bytes:?}");
    }
    assert_eq!(recognise(b"", b""), Maybe);
    assert_eq!(recognise(b"", b"+OK ready\r\n"), No);
}

#[test]
fn segments_that_begin_with_a_message() {
    let mut dialect = start();
    for (side, bytes, expected) in [
        (Client, query("select 1"), true),
        (Client, bare(b"c"), true),
        (Client, ROWS.to_vec(), false),
        (Client, b"values (1, 2), (3, 4)".to_vec(), false),
        (Server, join(&[ROW, ROW]), true),
        (Server, ROW[..8].to_vec(), true),
        (Server, ROW[1..].to_vec(), false),
        (Server, join(&[ROW, b"rest"]), false),
        (Server, b"D".to_vec(), false),
    ] {
        assert_eq!(dialect.resume(side, &bytes), expected, "{bytes:?}");
    }
}
