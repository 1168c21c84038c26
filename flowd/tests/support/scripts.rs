//! What clients and servers say by the protocols of requests, byte by byte, each word of theirs that may be private
//! written as SECRET.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    thread::scope,
};

use super::namespace::Namespace;

/// A conversation in turns.
pub struct Script {
    /// The name of the protocol's table.
    pub protocol: &'static str,
    /// Who speaks (true: the client), and what.
    turns: Vec<(bool, Vec<u8>)>,
}

/// The port of the first one; the others follow. No table of services knows them.
pub const PORT: u16 = 7_100;

/// One conversation of each protocol of requests, and one of gRPC over HTTP/2.
pub fn all() -> Vec<Script> {
    vec![
        Script { protocol: "redis", turns: redis() },
        Script { protocol: "postgresql", turns: postgresql() },
        Script { protocol: "mysql", turns: mysql() },
        Script { protocol: "kafka", turns: kafka() },
        Script { protocol: "mongodb", turns: mongodb() },
        Script { protocol: "memcached", turns: memcached() },
        Script { protocol: "mqtt", turns: mqtt() },
        Script { protocol: "amqp", turns: amqp() },
        Script { protocol: "nats", turns: nats() },
        Script { protocol: "smtp", turns: smtp() },
        Script { protocol: "http2", turns: grpc() },
    ]
}

/// Has all of them said between two hosts, each on a connection of its own.
pub fn play(scripts: &[Script], client: &Namespace, server: &Namespace, address: &str) {
    for (port, script) in (PORT..).zip(scripts) {
        let listener = server.enter(|| TcpListener::bind((address, port)).unwrap());
        scope(|scope| {
            scope.spawn(|| speak(listener.accept().unwrap().0, &script.turns, false));
            speak(client.enter(|| TcpStream::connect((address, port)).unwrap()), &script.turns, true);
        });
    }
}

/// Says one side's part, and waits for the other's.
fn speak(mut stream: TcpStream, turns: &[(bool, Vec<u8>)], is_client: bool) {
    stream.set_nodelay(true).unwrap();
    for (by_client, bytes) in turns {
        if *by_client == is_client {
            stream.write_all(bytes).unwrap();
        } else {
            stream.read_exact(&mut vec![0; bytes.len()]).unwrap();
        }
    }
    stream.shutdown(Shutdown::Write).unwrap();
    // Both have ended when this does.
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

fn turns(turns: &[(bool, &[u8])]) -> Vec<(bool, Vec<u8>)> {
    turns.iter().map(|(by_client, bytes)| (*by_client, bytes.to_vec())).collect()
}

fn redis() -> Vec<(bool, Vec<u8>)> {
    turns(&[
        (true, b"*3\r\n$4\r\nAUTH\r\n$6\r\nSECRET\r\n$6\r\nSECRET\r\n"),
        (false, b"-WRONGPASS no SECRET\r\n"),
        (true, b"*3\r\n$3\r\nSET\r\n$6\r\nSECRET\r\n$6\r\nSECRET\r\n"),
        (false, b"+OK\r\n"),
        (true, b"*2\r\n$6\r\nSECRET\r\n$6\r\nSECRET\r\n"),
        (false, b"-ERR unknown command 'SECRET'\r\n"),
        (true, b"*3\r\n$4\r\nEVAL\r\n$6\r\nSECRET\r\n$1\r\n0\r\n"),
        (false, b"-secret\x53ECRET is locked\r\n"),
        (true, b"*2\r\n$3\r\nGET\r\n$6\r\nSECRET\r\n"),
        (false, b"$6\r\nSECRET\r\n"),
    ])
}

fn postgresql() -> Vec<(bool, Vec<u8>)> {
    let message =
        |kind: u8, body: &[u8]| [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat();
    let ready = || message(b'Z', b"I");
    let startup = b"\0\x03\0\0user\0SECRET\0database\0SECRET\0\0";
    let startup = [&(startup.len() as u32 + 4).to_be_bytes()[..], startup].concat();
    let columns = [b"\0\x01SECRET\0", &[0; 6][..], b"\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0"].concat();
    let rows = [
        message(b'T', &columns),
        message(b'D', b"\0\x01\0\0\0\x06SECRET"),
        message(b'C', b"SELECT 1\0"),
        ready(),
    ];
    let error = b"SERROR\0VERROR\0C42601\0Msyntax error at SECRET\0\0";
    vec![
        (true, startup),
        (false, message(b'R', &[0, 0, 0, 3])),
        (true, message(b'p', b"SECRET\0")),
        (false, [message(b'R', &[0; 4]), ready()].concat()),
        (true, message(b'Q', b"select SECRET from SECRET where x = 'SECRET'\0")),
        (false, rows.concat()),
        (true, message(b'Q', b"SECRET SECRET\0")),
        (false, [message(b'E', error), ready()].concat()),
    ]
}

fn mysql() -> Vec<(bool, Vec<u8>)> {
    let packet = |number: u8, payload: &[u8]| {
        let [a, b, c, _] = (payload.len() as u32).to_le_bytes();
        [&[a, b, c, number], payload].concat()
    };
    let fixed = b"\x05\0\0\0saltsalt\0\xff\xf7\x21\x02\0\xff\x81\x15\0\0\0\0\0\0\0\0\0\0";
    let greeting = [b"\x0a8.0.36\0", &fixed[..], b"moresaltmore\0mysql_native_password\0"].concat();
    let capabilities = 0x0008_a205_u32.to_le_bytes();
    let login =
        [&capabilities[..], &[0, 0, 0, 1, 33], &[0; 23], b"SECRET\0\x06SECRETmysql_native_password\0"];
    let error = |code: u16| [&[0xff][..], &code.to_le_bytes(), b"#42S02SECRET"].concat();
    let ok = [0, 0, 0, 2, 0, 0, 0];
    vec![
        (false, packet(0, &greeting)),
        (true, packet(1, &login.concat())),
        (false, packet(2, &ok)),
        (true, packet(0, b"\x03insert into SECRET values ('SECRET')")),
        (false, packet(1, &ok)),
        (true, packet(0, b"\x03select 'SECRET' from SECRET")),
        (false, packet(1, &error(1146))),
        (true, packet(0, b"\x03SECRET SECRET")),
        (false, packet(1, &error(1064))),
    ]
}

fn kafka() -> Vec<(bool, Vec<u8>)> {
    let message = |parts: &[&[u8]]| {
        let body = parts.concat();
        [&(body.len() as u32).to_be_bytes(), &body[..]].concat()
    };
    let request = |key: u16, version: u16, correlation: u32, body: &[u8]| {
        let head = [&key.to_be_bytes()[..], &version.to_be_bytes(), &correlation.to_be_bytes()].concat();
        message(&[&head, b"\0\x06SECRET", body])
    };
    let response = |correlation: u32, body: &[u8]| message(&[&correlation.to_be_bytes(), body]);
    let topic = b"\0\0\0\x01\0\x06SECRET\0\0\0\x01";
    let asked = [&[0xff; 4][..], topic, &[0; 4], &[0xff; 8]].concat();
    let answered = [&topic[..], &[0; 4], &[0, 3], &[0xff; 8], &[0; 8]].concat();
    vec![
        (true, request(18, 3, 1, b"\0\x07SECRET\x021\0")),
        (false, response(1, b"\0\0\x01\0\0\0\0\0")),
        (true, request(2, 1, 7, &asked)),
        (false, response(7, &answered)),
    ]
}

fn mongodb() -> Vec<(bool, Vec<u8>)> {
    let document = |elements: &[&[u8]]| {
        let elements = elements.concat();
        [&(elements.len() as i32 + 5).to_le_bytes()[..], &elements, b"\0"].concat()
    };
    let message = |id: i32, answers: i32, document: &[u8]| {
        let head = [21 + document.len() as i32, id, answers, 2013, 0].map(i32::to_le_bytes).concat();
        [&head, &b"\0"[..], document].concat()
    };
    let filter = document(&[b"\x02SECRET\0\x07\0\0\0SECRET\0"]);
    let collection = b"\0\x07\0\0\0SECRET\0";
    let command = |name: &[u8]| {
        document(&[b"\x02", name, collection, b"\x03filter\0", &filter, b"\x02$db\0\x07\0\0\0SECRET\0"])
    };
    let batch = document(&[b"\x030\0", &filter]);
    let cursor = document(&[b"\x04firstBatch\0", &batch, b"\x12id\0", &[0; 8], b"\x02ns", collection]);
    let ok = document(&[b"\x03cursor\0", &cursor, b"\x01ok\0", &1.0_f64.to_le_bytes()]);
    let error = [b"\x01ok\0", &0.0_f64.to_le_bytes()[..], b"\x02errmsg\0\x07\0\0\0SECRET\0"].concat();
    let error = document(&[&error, b"\x10code\0", &59_i32.to_le_bytes(), b"\x02codeName\0\x02\0\0\0X\0"]);
    vec![
        (true, message(7, 0, &command(b"find"))),
        (false, message(100, 7, &ok)),
        (true, message(8, 0, &command(b"SECRET"))),
        (false, message(101, 8, &error)),
    ]
}

fn memcached() -> Vec<(bool, Vec<u8>)> {
    turns(&[
        (true, b"set SECRET 0 0 6\r\nSECRET\r\n"),
        (false, b"STORED\r\n"),
        (true, b"get SECRET\r\n"),
        (false, b"VALUE SECRET 0 6\r\nSECRET\r\nEND\r\n"),
        (true, b"incr SECRET 1\r\n"),
        (false, b"CLIENT_ERROR cannot increment SECRET\r\n"),
    ])
}

fn mqtt() -> Vec<(bool, Vec<u8>)> {
    turns(&[
        (true, b"\x10\x22\0\x04MQTT\x04\xc2\0\x3c\0\x06SECRET\0\x06SECRET\0\x06SECRET"),
        (false, b"\x20\x02\0\0"),
        (true, b"\x82\x0b\0\x01\0\x06SECRET\x01"),
        (false, b"\x90\x03\0\x01\x80"),
        (true, b"\x32\x10\0\x06SECRET\0\x02SECRET"),
        (false, b"\x40\x02\0\x02"),
    ])
}

fn amqp() -> Vec<(bool, Vec<u8>)> {
    let frame = |kind: u8, channel: u16, payload: &[u8]| {
        let head = [&[kind][..], &channel.to_be_bytes(), &(payload.len() as u32).to_be_bytes()].concat();
        [&head, payload, b"\xce"].concat()
    };
    let method = |channel: u16, class: u16, id: u16, arguments: &[u8]| {
        frame(1, channel, &[&class.to_be_bytes()[..], &id.to_be_bytes(), arguments].concat())
    };
    let login = b"\0\0\0\0\x05PLAIN\0\0\0\x0e\0SECRET\0SECRET\x05en_US";
    let header = [&60_u16.to_be_bytes()[..], &[0; 9], &[6], &[0; 2]].concat();
    let publish = [
        method(1, 60, 40, b"\0\0\x06SECRET\x06SECRET\0"),
        frame(2, 1, &header),
        frame(3, 1, b"SECRET"),
        method(1, 50, 10, b"\0\0\x06SECRET\0\0\0\0\0"),
    ];
    vec![
        (true, b"AMQP\0\0\x09\x01".to_vec()),
        (false, method(0, 10, 10, &[0, 9])),
        (true, method(0, 10, 11, login)),
        (false, method(0, 10, 30, &[0; 8])),
        (true, [method(0, 10, 31, &[0; 8]), method(0, 10, 40, b"\x06SECRET\0\0")].concat()),
        (false, method(0, 10, 41, b"\0")),
        (true, method(1, 20, 10, b"\0")),
        (false, method(1, 20, 11, &[0; 4])),
        (true, publish.concat()),
        (false, method(1, 20, 40, b"\x01\x94\x06SECRET\0\x32\0\x0a")),
    ]
}

fn nats() -> Vec<(bool, Vec<u8>)> {
    turns(&[
        (false, b"INFO {\"server_id\":\"SECRET\",\"version\":\"2.10.0\",\"max_payload\":1048576}\r\n"),
        (true, b"CONNECT {\"verbose\":true,\"user\":\"SECRET\",\"pass\":\"SECRET\"}\r\n"),
        (false, b"+OK\r\n"),
        (true, b"PING\r\n"),
        (false, b"PONG\r\n"),
        (true, b"SUB SECRET 1\r\n"),
        (false, b"+OK\r\n"),
        (true, b"PUB SECRET 6\r\nSECRET\r\n"),
        (false, b"+OK\r\nMSG SECRET 1 6\r\nSECRET\r\n"),
        (true, b"SUB SECRET.> 2\r\n"),
        (false, b"-ERR 'Permissions Violation for Subscription to SECRET'\r\n"),
    ])
}

fn smtp() -> Vec<(bool, Vec<u8>)> {
    turns(&[
        (false, b"220 mail ESMTP\r\n"),
        (true, b"EHLO SECRET\r\n"),
        (false, b"250-mail greets SECRET\r\n250 AUTH PLAIN\r\n"),
        (true, b"AUTH PLAIN SECRET\r\n"),
        (false, b"235 welcome SECRET\r\n"),
        (true, b"MAIL FROM:<SECRET@from>\r\n"),
        (false, b"250 ok\r\n"),
        (true, b"RCPT TO:<SECRET@to>\r\n"),
        (false, b"550 no SECRET here\r\n"),
        (true, b"RCPT TO:<SECRET@there>\r\n"),
        (false, b"250 ok\r\n"),
        (true, b"DATA\r\n"),
        (false, b"354 go ahead\r\n"),
        (true, b"Subject: SECRET\r\n\r\nSECRET\r\n.\r\n"),
        (false, b"250 SECRET\r\n"),
        (true, b"QUIT\r\n"),
        (false, b"221 bye\r\n"),
    ])
}

/// A call that succeeds and one that fails.
fn grpc() -> Vec<(bool, Vec<u8>)> {
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let [_, a, b, c] = (payload.len() as u32).to_be_bytes();
        [&[a, b, c, kind, flags][..], &stream.to_be_bytes(), payload].concat()
    };
    let headers = |flags: u8, stream: u32, fields: &[(&str, &str)]| {
        let mut block = Vec::new();
        for (name, value) in fields {
            // Told for later blocks.
            block.push(0x40);
            for text in [name, value] {
                block.push(text.len() as u8);
                block.extend_from_slice(text.as_bytes());
            }
        }
        frame(1, flags | END_HEADERS, stream, &block)
    };
    let asked = |stream: u32, path: &str| {
        let fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "SECRET@shop"),
            ("content-type", "application/grpc+proto"),
            ("authorization", "Bearer SECRET"),
            ("cookie", "sid=SECRET"),
            ("x-api-key", "SECRET"),
            ("referer", "http://SECRET:SECRET@from/SECRET?SECRET"),
            ("traceparent", "00-5ec2e75ec2e75ec2e75ec2e75ec2e700-5ec2e75ec2e70000-01"),
        ];
        [headers(0, stream, &fields), frame(0, END_STREAM, stream, b"\0\0\0\0\x06SECRET")].concat()
    };
    let settings = || frame(4, 0, 0, &[]);
    let head = [(":status", "200"), ("content-type", "application/grpc"), ("set-cookie", "s=SECRET")];
    let trailers = [("grpc-status", "0"), ("grpc-message", "SECRET")];
    let done =
        [headers(0, 1, &head), frame(0, 0, 1, b"\0\0\0\0\x06SECRET"), headers(END_STREAM, 1, &trailers)];
    let failed = [&head[..], &[("grpc-status", "5"), ("grpc-message", "SECRET")]].concat();
    vec![
        (
            true,
            [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings(), &asked(1, "/shop.Cart/Add?token=SECRET")]
                .concat(),
        ),
        (false, [&settings(), &done.concat()[..]].concat()),
        (true, asked(3, "/shop.Cart/Remove")),
        (false, headers(END_STREAM, 3, &failed)),
    ]
}
