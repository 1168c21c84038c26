//! Stories, recognition, and what strangers may send.

use super::{REGISTERED, dialect::Smtp, recognise::recognise, words::OPERATIONS};
use crate::{
    conversation::{
        Dialect, Recognition, Side,
        kit::{Client, Server, converse, with_gaps},
        mischief::endures,
    },
    protocol::Follow,
};

fn start() -> Box<dyn Dialect> {
    Box::new(Smtp::default())
}

fn talk(parts: &[(Side, &str)]) -> Vec<String> {
    let parts: Vec<_> = parts.iter().map(|(side, text)| (*side, text.as_bytes())).collect();
    converse(start, &parts)
}

#[test]
fn the_words_are_sorted_and_the_protocol_is_a_dialect() {
    assert!(OPERATIONS.is_sorted());
    assert!(matches!(REGISTERED.follow, Follow::Dialect(_)));
}

#[test]
fn each_command_has_its_reply_and_a_message_is_no_command() {
    let lines = talk(&[
        (Server, "220-mail.example.com ESMTP\r\n220 hello\r\n"),
        (Client, "ehlo client.example.com\r\n"),
        (Server, "250-mail.example.com\r\n"),
        (Server, "250-SIZE 1000\r\n250 HELP\r\n"),
        (Client, "MAIL FROM:<a@example.com>\r\n"),
        (Server, "250 OK\r\n"),
        (Client, "RCPT TO:<b@example.com>\r\n"),
        (Server, "451-4.7.1 greylisted\r\n451 4.7.1 later\r\n"),
        (Client, "Frob\r\n"),
        (Server, "500 what?\r\n"),
        (Client, "\r\nDATA\r\n"),
        (Server, "500 bad syntax\r\n354 go on\r\n"),
        (Client, "Subject: x\r\n\r\nMAIL FROM:<no>\r\n..\r\nx\n.\r\nQUIT\r\n.\r\n"),
        (Server, "250 queued\r\n"),
        (Client, "QUIT\r\n"),
        (Server, "221 Bye\r\n"),
    ]);
    let wanted =
        ["EHLO ok 1-2", "MAIL ok 4-5", "RCPT 451 6-7", "FROB 500 8-9", "DATA ok 10-11", "QUIT ok 14-15"];
    assert_eq!(lines, wanted);
}

#[test]
fn commands_may_come_before_the_replies() {
    let lines = talk(&[
        (Client, "EHLO a\r\n"),
        (Server, "220 b\r\n"),
        (Server, "250 b\r\n"),
        (Client, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n"),
        (Server, "250 OK\r\n550 no such user\r\n"),
        (Server, "250 OK\r\n354 go on\r\n"),
        (Client, "x\r\n.\r\nRSET\r\nNOOP\r\n"),
        (Server, "552 too big\r\n250 OK\r\n250 OK\r\n"),
        (Client, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nQUIT\r\n.\r\nQUIT\r\n"),
        (Server, "250 OK\r\n250 OK\r\n354 go on\r\n250 queued\r\n221 Bye\r\n"),
    ]);
    let wanted = [
        "EHLO ok 0-2",
        "MAIL ok 3-4",
        "RCPT 550 3-4",
        "RCPT ok 3-5",
        "DATA 552 3-5",
        "RSET ok 6-7",
        "NOOP ok 6-7",
        "MAIL ok 8-9",
        "RCPT ok 8-9",
        "DATA ok 8-9",
        "QUIT ok 8-9",
    ];
    assert_eq!(lines, wanted);
}

#[test]
fn commands_follow_a_refused_message() {
    let lines = talk(&[
        (Client, "DATA\r\n"),
        (Server, "503 need RCPT\r\n"),
        (Client, "MAIL FROM:<a@b>\r\n"),
        (Server, "250 OK\r\n"),
        (Client, "DATA\r\n"),
        (Server, "354 go on\r\n"),
        (Client, "QUIT\r\n"),
        (Server, "552 too big\r\n"),
        (Client, "RSET\r\n.\r\nRSET\r\n"),
        (Server, "250 OK\r\n"),
    ]);
    assert_eq!(lines, ["DATA 503 0-1", "MAIL ok 2-3", "DATA 552 4-5", "RSET ok 8-9"]);
}

#[test]
fn the_octets_of_bdat_are_no_commands() {
    let lines = talk(&[
        (Client, "BDAT 6\r\nQUIT\r\nBDAT 8 LAST\r\n.\r\n"),
        (Server, "250 6 octets\r\n"),
        (Client, "NOOPxQUIT\r\n"),
        (Server, "552 too big\r\n221 Bye\r\n"),
    ]);
    assert_eq!(lines, ["BDAT ok 0-1", "BDAT 552 0-3", "QUIT ok 2-3"]);
}

#[test]
fn the_steps_of_a_login_are_no_commands_and_its_last_reply_counts() {
    let lines = talk(&[
        (Client, "AUTH LOGIN\r\n"),
        (Server, "334 VXNlcm5hbWU6\r\n"),
        (Client, "DATA\r\n"),
        (Server, "334 UGFzc3dvcmQ6\r\n"),
        (Client, "c2VjcmV0\r\n"),
        (Server, "535 no\r\n"),
        (Client, "AUTH PLAIN\r\n"),
        (Server, "334 \r\n"),
        (Client, "*\r\n"),
        (Server, "501 cancelled\r\n"),
        (Client, "AUTH PLAIN AHUAcA==\r\n"),
        (Server, "235 welcome\r\n"),
        (Client, "NOOP\r\n"),
        (Server, "250 OK\r\n"),
    ]);
    assert_eq!(lines, ["AUTH 535 0-1", "AUTH 501 6-7", "AUTH ok 10-11", "NOOP ok 12-13"]);
}

/// The login's steps stay steps, else a name would be told as a command's word.
#[test]
fn a_reply_to_an_earlier_command_ends_no_login() {
    let lines = talk(&[
        (Client, "RSET\r\nAUTH LOGIN\r\n"),
        (Server, "250 OK\r\n"),
        (Client, "YWRtaW4x\r\n"),
        (Server, "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"),
        (Client, "c2VjcmV0\r\n"),
        (Server, "235 welcome\r\n"),
        (Client, "FROB\r\n"),
        (Server, "500 what?\r\n"),
    ]);
    assert_eq!(lines, ["RSET ok 0-1", "AUTH ok 0-3", "FROB 500 6-7"]);
    let lost = with_gaps(
        start(),
        &[
            (Client, Ok(b"RSET\r\nAUTH LOGIN\r\n")),
            (Server, Ok(b"250 OK\r\n")),
            (Server, Err(18)),
            (Client, Ok(b"YWRtaW4x\r\n")),
            (Server, Ok(b"334 UGFzc3dvcmQ6\r\n")),
            (Client, Ok(b"c2VjcmV0\r\n")),
            (Server, Ok(b"235 welcome\r\n")),
            (Client, Ok(b"QUIT\r\n")),
        ],
    );
    assert_eq!(lost, ["RSET ok 0-1", "AUTH ? 0", "QUIT ? 7"]);
}

/// Its server replies to a message once per recipient.
#[test]
fn lmtp_is_passed_over_to_its_end() {
    let say = |client: &str, server: &str| recognise(client.as_bytes(), server.as_bytes());
    for client in ["L", "LHLO", "lhlo a", "NOOP\r\nLHLO"] {
        assert_eq!(say(client, "220 b LMTP\r\n"), Recognition::Maybe, "{client}");
    }
    for client in ["lhlo a\r\n", "LHLO a\n", "NOOP\r\nLHLO a\r\n"] {
        assert_eq!(say(client, "220 b LMTP\r\n"), Recognition::Yes, "{client}");
        assert_eq!(say("220 b LMTP\r\n", client), Recognition::No, "{client}");
    }
    let lines = talk(&[
        (Server, "220 b LMTP\r\n"),
        (Client, "LHLO a\r\n"),
        (Server, "250-b\r\n250 PIPELINING\r\n"),
        (Client, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n"),
        (Server, "250 OK\r\n250 OK\r\n250 OK\r\n354 go on\r\n"),
        (Client, "\x01\r\n.\r\nRSET\r\n"),
        (Server, "250 OK\r\n452 full\r\n250 OK\r\n"),
        (Client, "MAIL FROM:<a@b>\r\nQUIT\r\n"),
        (Server, "250 OK\r\n221 Bye\r\n"),
    ]);
    assert!(lines.is_empty(), "{lines:?}");
}

#[test]
fn nothing_is_followed_behind_starttls_unless_it_is_refused() {
    let lines = talk(&[
        (Client, "STARTTLS\r\n"),
        (Server, "454 not now\r\n"),
        (Client, "rset\nstarttls\n"),
        (Server, "250\n220\n"),
        (Client, "\x16\x03\x01MAIL FROM:<a@b>\r\n"),
        (Server, "250 OK\r\n"),
    ]);
    assert_eq!(lines, ["STARTTLS 454 0-1", "RSET ok 2-3", "STARTTLS ok 2-3"]);
    let alone = talk(&[(Client, "STARTTLS\r\n"), (Client, "\x16\x03\x01\r\nQUIT\r\n"), (Client, "QUIT\r\n")]);
    assert_eq!(alone, ["STARTTLS ? 0"]);
}

#[test]
fn the_client_alone_tells_its_commands() {
    let lines = talk(&[
        (Client, "EHLO a\r\n"),
        (Client, "AUTH LOGIN\r\n"),
        (Client, "dXNlcg==\r\n"),
        (Client, "cGFzcw==\r\n"),
        (Client, "MAIL FROM:<a@b>\r\n"),
        (Client, "data\n"),
        (Client, "x\r\nQUIT\r\n\n.\n"),
        (Client, "QUIT\r\n"),
    ]);
    assert_eq!(lines, ["EHLO ? 0", "AUTH ? 1", "MAIL ? 4", "DATA ? 5", "QUIT ? 7"]);
}

#[test]
fn messages_may_be_missing_and_gaps_pair_nothing_wrong() {
    let body = with_gaps(
        start(),
        &[
            (Client, Ok(b"DATA\r\n")),
            (Server, Ok(b"354 go on\r\n")),
            (Client, Ok(b"Subject: x\r\n")),
            (Client, Err(9_000)),
            (Client, Ok(b"QUIT\r\nrest of the message")),
            (Client, Err(200)),
            (Server, Ok(b"250 queued\r\n")),
            (Client, Ok(b"NOOP\r\n")),
            (Server, Ok(b"250 OK\r\n")),
        ],
    );
    assert_eq!(body, ["DATA ok 0-1", "NOOP ok 7-8"]);
    let alone = with_gaps(
        start(),
        &[
            (Client, Ok(b"DATA\r\nSubject: x\r\n")),
            (Client, Err(9_000)),
            (Client, Ok(b"rest of the message\r\n")),
            (Client, Err(9_000)),
            (Client, Ok(b"MAIL FROM:<a@b>\r\n")),
        ],
    );
    assert_eq!(alone, ["DATA ? 0", "MAIL ? 4"]);
    let reply_lost = with_gaps(
        start(),
        &[
            (Client, Ok(b"MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\n")),
            (Server, Err(8)),
            (Server, Ok(b"550 no\r\n")),
            (Client, Ok(b"RSET\r\n")),
            (Server, Ok(b"250 OK\r\n")),
        ],
    );
    assert_eq!(reply_lost, ["MAIL ? 0", "RCPT ? 0", "RCPT ? 0", "RSET ? 3"]);
}

#[test]
fn smtp_is_known_by_its_commands_and_nothing_else_is_smtp() {
    use Recognition::{Maybe, No, Yes};
    let say = |client: &str, server: &str| recognise(client.as_bytes(), server.as_bytes());
    let own = [
        ("EHLO a\r\n", ""),
        ("EHLO\n", "250\n"),
        ("helo a\r\n", "220 b ESMTP\r\n250 b\r\n"),
        ("HELO a\r\nMAIL FROM:<a@b>\r\n", ""),
        ("rcpt to:<b@example.com>\r\n", ""),
        ("MAIL FROM: <a@b> SIZE=1\r\n", "250 OK\r\n"),
        ("NOOP\r\nMAIL FROM:<a@b>\r\n", "250 OK\r\n"),
        ("DATA\r\nSubject: x\r\n", "354 go on\r\n"),
        ("RSET\r\n", "250 2.0.0 Ok\r\n"),
        ("AUTH LOGIN\r\ndXNlcg==\r\n", "334 VXNl"),
        ("AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n"),
    ];
    for (client, server) in own {
        let wanted = if client.contains("dXN") { Maybe } else { Yes };
        assert_eq!(say(client, server), wanted, "{client:?} {server:?}");
        assert_ne!(say(server, client), Yes, "{client:?} {server:?}");
    }
    let open =
        [("", ""), ("", "220 a\r\n"), ("", "22"), ("EH", "220 a\r\n"), ("NOOP\r\n", ""), ("QUIT\r\n", "")];
    for (client, server) in open {
        assert_eq!(say(client, server), Maybe, "{client:?} {server:?}");
    }
    let foreign = [
        ("USER a\r\n", "220 FTP\r\n331 password\r\n"),
        ("AUTH TLS\r\nUSER a\r\n", "220 FTP\r\n234 go on\r\n"),
        ("", "+OK POP3\r\n"),
        ("USER a\r\n", "+OK POP3\r\n"),
        ("NOOP\r\n", "+OK\r\n"),
        ("a1 CAPABILITY\r\n", "* OK IMAP4rev1\r\n"),
        ("MODE READER\r\n", "200 NNTP\r\n"),
        ("LHLO a b\r\n", "220 LMTP\r\n"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
        ("HELP me please now\r\n", ""),
        ("NICK a\r\n", ""),
        ("*1\r\n$4\r\nPING\r\n", ""),
        ("\x16\x03\x01\x02\x00\x01", "220 a ESMTP\r\n"),
        ("MAIL\x01\x02", ""),
    ];
    for (client, server) in foreign {
        assert_ne!(say(client, server), Yes, "{client:?} {server:?}");
        assert_ne!(say(server, client), Yes, "{client:?} {server:?}");
        if !client.is_empty() && !client.starts_with("AUTH") {
            assert_eq!(say(client, server), No, "{client:?} {server:?}");
        }
    }
}

#[test]
fn mischief_is_endured() {
    let Follow::Dialect(candidate) = &REGISTERED.follow else { panic!("no dialect") };
    let parts: &[(Side, &[u8])] = &[
        (Server, b"220 a\r\n"),
        (Client, b"EHLO a\r\nAUTH LOGIN\r\n"),
        (Server, b"250-a\r\n250 b\r\n334 x\r\n"),
        (Client, b"eA==\r\neA==\r\n"),
        (Server, b"334 y\r\n235 z\r\n"),
        (Client, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
        (Server, b"250 OK\r\n550 no\r\n354 x\r\n"),
        (Client, b"x\r\n..\r\n.\r\nBDAT 3\r\nabcSTARTTLS\r\n"),
        (Server, b"250 OK\r\n250 OK\r\n220 x\r\n"),
    ];
    endures(candidate, start, parts, 256 << 10);
}
