//! How conversations of many protocols begin, for tests: each recognises its own and no other.

use super::dialect::{Candidate, Recognition, Side};

use Side::{Client, Server};

/// The first messages of a conversation.
pub(crate) struct Opening {
    /// As the registry has it, or of a protocol that nobody here follows.
    pub(crate) name: &'static str,
    pub(crate) messages: Vec<(Side, Vec<u8>)>,
}

impl Opening {
    /// What one side says.
    pub(crate) fn said(&self, by: Side) -> Vec<u8> {
        let own = self.messages.iter().filter(|(side, _)| *side == by);
        own.flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

fn text(name: &'static str, messages: &[(Side, &str)]) -> Opening {
    let bytes = |(side, text): &(Side, &str)| (*side, text.as_bytes().to_vec());
    Opening { name, messages: messages.iter().map(bytes).collect() }
}

fn bytes(name: &'static str, messages: &[(Side, &[u8])]) -> Opening {
    Opening { name, messages: messages.iter().map(|(side, bytes)| (*side, bytes.to_vec())).collect() }
}

/// Those that are followed, and others that could be taken for them.
pub(crate) fn openings() -> Vec<Opening> {
    [texts(), binaries(), strangers()].into_iter().flatten().collect()
}

fn texts() -> Vec<Opening> {
    vec![
        text(
            "redis",
            &[
                (Client, "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"),
                (Server, "$1\r\nb\r\n"),
                (Client, "*1\r\n$4\r\nPING\r\n"),
                (Server, "+PONG\r\n"),
            ],
        ),
        text(
            "memcached",
            &[
                (Client, "set a 0 0 5\r\nhello\r\n"),
                (Server, "STORED\r\n"),
                (Client, "get a\r\n"),
                (Server, "VALUE a 0 5\r\nhello\r\nEND\r\n"),
            ],
        ),
        text(
            "nats",
            &[
                (Server, "INFO {\"server_id\":\"N\",\"version\":\"2.9\"}\r\n"),
                (Client, "CONNECT {\"verbose\":true}\r\n"),
                (Client, "SUB a 1\r\n"),
                (Server, "+OK\r\n+OK\r\n"),
            ],
        ),
        text(
            "smtp",
            &[
                (Server, "220 mail.example ESMTP\r\n"),
                (Client, "EHLO client.example\r\n"),
                (Server, "250-mail.example\r\n250 SIZE 1000\r\n"),
                (Client, "MAIL FROM:<a@example>\r\n"),
                (Server, "250 OK\r\n"),
            ],
        ),
    ]
}

fn binaries() -> Vec<Opening> {
    vec![
        bytes("http2", &[
            (Client, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
            (Client, b"\0\0\x04\x01\x05\0\0\0\x01\x82\x86\x84\xbf"),
            (Server, b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\x88"),
        ]),
        bytes("postgresql", &[
            (Client, b"\0\0\0\x13\0\x03\0\0user\0bob\0\0"),
            (Server, b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"),
            (Client, b"Q\0\0\0\x12select 'abc'\0"),
            (Server, b"T\0\0\0\x1a\0\x01a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0C\0\0\0\x0dSELECT 1\0"),
        ]),
        bytes("mysql", &[
            (Server, b"\x36\0\0\0\x0a8.0.36\0\x08\0\0\0abcdefgh\0\xff\xf7\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0xy\0"),
            (Client, b"\x27\0\0\x01\x0d\xa2\x0a\0\0\0\0\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\x00\0"),
            (Server, b"\x07\0\0\x02\0\0\0\x02\0\0\0"),
            (Client, b"\x12\0\0\0\x03select a, b from c"),
            (Server, b"\x07\0\0\x01\0\0\0\x02\0\0\0"),
        ]),
        bytes("kafka", &[
            (Client, b"\0\0\0\x0d\0\x12\0\0\0\0\0\x01\0\x03cli"),
            (Server, b"\0\0\0\x10\0\0\0\x01\0\0\0\0\0\x01\0\0\0\0\0\x09"),
            (Client, b"\0\0\0\x14\0\x03\0\x01\0\0\0\x02\0\x03cli\0\0\0\x01\0\x01t"),
        ]),
        bytes("mongodb", &[
            (Client, b"\x2f\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1a\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x02\0\0\0d\0\0"),
            (Server, b"\x26\0\0\0\x09\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0\x11\0\0\0\x01ok\0\0\0\0\0\0\0\xf0\x3f\0"),
        ]),
        bytes("memcached", &[
            (Client, b"\x80\x01\0\x01\x08\0\0\0\0\0\0\x0a\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0kv"),
            (Server, b"\x81\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0"),
            (Client, b"\x80\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\0"),
        ]),
        bytes("mqtt", &[
            (Client, b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a"),
            (Server, b"\x20\x02\0\0"),
            (Client, b"\x82\x08\0\x01\0\x03a/b\x01"),
            (Server, b"\x90\x03\0\x01\x01"),
        ]),
        bytes("amqp", &[
            (Client, b"AMQP\0\0\x09\x01"),
            (Server, b"\x01\0\0\0\0\0\x06\0\x0a\0\x0a\0\x09\xce"),
            (Client, b"\x01\0\0\0\0\0\x0e\0\x0a\0\x0b\0\0\0\0\x05PLAIN\xce"),
            (Client, b"\x01\0\0\0\0\0\x08\0\x0a\0\x28\x01/\0\0\xce"),
        ]),
    ]
}

fn strangers() -> Vec<Opening> {
    let zookeeper =
        [&b"\0\0\0\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x75\x30\0\0\0\0\0\0\0\0\0\0\0\x10"[..], &[0; 17]].concat();
    vec![
        text("http", &[
            (Client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            (Server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ]),
        bytes("tls", &[
            (Client, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            (Server, b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
        ]),
        text("ssh", &[(Server, "SSH-2.0-OpenSSH_9.6\r\n"), (Client, "SSH-2.0-OpenSSH_9.2\r\n")]),
        text("ftp", &[(Server, "220 FTP\r\n"), (Client, "USER a\r\n"), (Server, "331 password\r\n")]),
        text("pop3", &[(Server, "+OK POP3\r\n"), (Client, "USER a\r\n"), (Server, "+OK\r\n"), (Client, "STAT\r\n")]),
        text("imap", &[(Server, "* OK IMAP4rev1\r\n"), (Client, "a1 CAPABILITY\r\n"), (Server, "* CAPABILITY IMAP4rev1\r\na1 OK\r\n")]),
        text("nntp", &[(Server, "200 NNTP\r\n"), (Client, "MODE READER\r\n"), (Server, "200 posting\r\n")]),
        text("irc", &[(Client, "NICK a\r\nUSER a 0 * :a\r\n"), (Server, "PING :x\r\n"), (Client, "PONG :x\r\n")]),
        text("nsq", &[(Client, "  V2"), (Client, "SUB topic channel\nRDY 1\n")]),
        text("beanstalkd", &[(Client, "put 0 0 60 2\r\nhi\r\n"), (Server, "INSERTED 1\r\n"), (Client, "delete 1\r\n"), (Server, "DELETED\r\n")]),
        bytes("ldap", &[(Client, b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0"), (Server, b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0")]),
        bytes("pulsar", &[(Client, b"\0\0\0\x18\0\0\0\x14\x08\x02\x12\x10\x0a\x062.10.0\x20\x13\x2a\x04none")]),
        bytes("openwire", &[(Server, b"\0\0\0\xf0\x01ActiveMQ\0\0\0\x0c\x01\0\0")]),
        bytes("thrift", &[(Client, b"\0\0\0\x11\x80\x01\0\x01\0\0\0\x04ping\0\0\0\0\0")]),
        Opening { name: "zookeeper", messages: vec![(Client, zookeeper)] },
        bytes("amqp 1.0", &[(Client, b"AMQP\0\x01\0\0"), (Server, b"AMQP\0\x01\0\0")]),
        bytes("sun rpc", &[(Client, b"\x80\0\0\x28\x12\0\x56\x78\0\0\0\0\0\0\0\x02\0\x01\x86\xa3\0\0\0\x03\0\0")]),
        bytes("protobuf", &[(Client, b"\x0c\0\0\0\x08\x96\x01\x12\x07testing\x07\0\0\0\x03\x01\x02\x03\x04\x05\x06")]),
        bytes("zeros", &[(Client, &[0; 64]), (Server, &[0; 64])]),
    ]
}

/// Asserts that the candidate of this name recognises no other protocol, whoever of its sides is seen.
pub(crate) fn others_are_not(name: &str, candidate: &Candidate) {
    for other in openings().iter().filter(|other| other.name != name) {
        let (client, server) = (other.said(Client), other.said(Server));
        for (one, two) in [(&client[..], &server[..]), (&client, b""), (b"", &server)] {
            for (client, server) in [(one, two), (two, one)] {
                let said = (candidate.recognise)(client, server);
                assert_ne!(said, Recognition::Yes, "{}: {client:?} {server:?}", other.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Follow, PROTOCOLS};

    #[test]
    fn each_protocol_recognises_its_own_opening_and_no_other() {
        let openings = openings();
        for registered in PROTOCOLS {
            let Follow::Dialect(candidate) = &registered.follow else { continue };
            let name = registered.app.name();
            others_are_not(name, candidate);
            assert!(openings.iter().any(|opening| opening.name == name), "{name} has no opening");
            for own in openings.iter().filter(|opening| opening.name == name) {
                let said = (candidate.recognise)(&own.said(Client), &own.said(Server));
                assert_eq!(said, Recognition::Yes, "{name}");
                let swapped = (candidate.recognise)(&own.said(Server), &own.said(Client));
                assert_ne!(swapped, Recognition::Yes, "{name}");
            }
        }
    }
}
