//! Whose bytes are recognised, and whose are not.

use super::kit::*;
use crate::{
    conversation::{
        Recognition::{self, Maybe, No, Yes},
        kit,
    },
    mysql::CANDIDATE,
};

fn recognise(client: &[u8], server: &[u8]) -> Recognition {
    kit::recognise(&CANDIDATE, client, server)
}

fn in_frame(packets: &[u8]) -> Vec<u8> {
    [&[packets.len() as u8, 0, 0, 0, 0, 0, 0], packets].concat()
}

#[test]
fn its_own() {
    for client in [
        login(PLAIN),
        login(PLAIN | SSL),
        query("select 1"),
        query(&format!("insert into t values ('{}')", "x".repeat(5_000))),
        prepare("update t set a = ?"),
        execute(3),
        join(&[&command(0x19, b"\x07\0\0\0"), &prepare("select 1")]),
        in_frame(&query("show tables")),
    ] {
        assert_eq!(recognise(&client, b""), Yes, "{client:?}");
        assert_eq!(recognise(b"", &client), No, "{client:?}");
        for cut in 1..client.len().min(300) {
            assert_ne!(recognise(&client[..cut], b""), No, "{cut} of {client:?}");
        }
    }
    assert_eq!(recognise(b"", &greeting()), Yes);
    assert_eq!(recognise(b"", &rows(1, 2)), Yes);
    for cut in 1..greeting().len() {
        assert_ne!(recognise(b"", &greeting()[..cut]), No, "{cut}");
    }
    for client in [command(0x0e, b""), command(2, b"shop"), query("selec nothing")] {
        assert_eq!(recognise(&client, b""), Maybe, "{client:?}");
        assert_eq!(recognise(&client, &packet(1, &ok(2))), Yes, "{client:?}");
        assert_eq!(recognise(&client, &packet(1, &error(1064))), Yes, "{client:?}");
    }
}

#[test]
fn what_others_say() {
    let others: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"\x16\x03\x01\0\xc4\x01\0\0\xc0\x03\x03",
        b"\x16\x03\x01\x01\x2c\x01\0\x01\x28\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"220 mail.example.org\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"Q\0\0\0\x0dselect 1\0",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02ab",
        b"AMQP\0\0\x09\x01",
        b"\0\0\0\x17\0\x12\0\x04\0\0\0\x01\0\x07client1\0\x01\x01\x01",
        b"\x3a\0\0\0\x01\0\0\0\0\0\0\0\xd4\x07\0\0\0\0\0\0admin.$cmd\0",
        b"\x0c\0\0\0\x08\x96\x01\x12\x07testing",
        b"\x07\0\0\0\x03\x01\x02\x03\x04\x05\x06",
    ];
    for bytes in others {
        assert_eq!(recognise(bytes, b""), No, "{bytes:?}");
    }
    assert_eq!(recognise(b"", b""), Maybe);
    assert_eq!(recognise(b"", b"+OK ready\r\n"), No);
    assert_ne!(recognise(b"\x0d\0\0\0\x03hello there,", b"\x05\0\0\x01hello"), Yes);
}

#[test]
fn segments_that_begin_with_a_packet() {
    let mut dialect = start();
    kit::weight(start(), &[]);
    for (side, bytes, expected) in [
        (Client, query("select 1"), true),
        (Client, join(&[&query("select 1"), &command(0x0e, b"")]), true),
        (Client, query("select 1")[3..].to_vec(), false),
        (Client, b"values (1, 2), (3, 4)".to_vec(), false),
        (Server, rows(7, 0), true),
        (Server, packets(9, &[b"\x01x", b"\x01y"])[..8].to_vec(), false),
        (Server, packets(9, &[b"\x01x", b"\x01y", b"\x01z"])[..14].to_vec(), true),
        (Server, rows(7, 0)[1..].to_vec(), false),
    ] {
        assert_eq!(dialect.resume(side, &bytes), expected, "{bytes:?}");
    }
}

#[test]
fn what_follows_a_command_is_not_refused_before_its_end() {
    let file = join(&[&command(0x19, &[1, 0, 0, 0]), &packet(10, &[7; 18])]);
    for end in 0..=file.len() {
        assert_eq!(recognise(&file[..end], b""), Maybe, "{end} bytes");
    }
}
