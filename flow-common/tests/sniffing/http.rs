//! Messages of HTTP.

use super::*;

#[test]
fn what_brings_nothing_new_takes_no_turn() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    let mut full = b"HTTP/1.1 200 OK\r\nContent-Length: 1400\r\n\r\n".to_vec();
    full.resize(1_440, b'x');
    let mut talk = Talk::new(80, HTTP_ONLY);
    for _ in 0..3 {
        talk.send(true, PSH, GET);
        talk.send(false, flag::ACK, &full);
        // Keep-alives of either side, with a byte and without.
        for (client, byte) in [(true, &b"x"[..]), (false, b"x"), (true, b""), (false, b"")] {
            talk.raw(client, flag::ACK, -1, byte);
        }
    }
    assert_eq!(talk.copied(), [(REQUEST, GET.len()), (RESPONSE, 512)].repeat(3));
}

#[test]
fn short_messages_each_with_a_window_of_its_own() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    const POST: &[u8] = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx";
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    // One after the other: far more than one window holds.
    let mut talk = Talk::new(80, HTTP_ONLY);
    for _ in 0..30 {
        talk.send(true, PSH, POST);
        talk.send(false, PSH, OK);
    }
    assert_eq!(talk.copied(), [(REQUEST, POST.len()), (RESPONSE, OK.len())].repeat(30));
    // Pipelined: each ends a write.
    let mut talk = Talk::new(80, HTTP_ONLY);
    talk.send(true, PSH, &GET.repeat(30));
    for _ in 0..30 {
        talk.send(false, PSH, OK);
    }
    assert_eq!(talk.copied()[1..], [(RESPONSE, OK.len())].repeat(30));
}

#[test]
fn a_head_in_pieces_is_one_window() {
    let mut talk = Talk::new(80, HTTP_ONLY);
    let pieces = ["GET / HTTP/1.1\r\n", "Host: h\r\n", "GE", "T: x\r\n", "\r\n"];
    for piece in pieces {
        talk.send(true, PSH, piece.as_bytes());
        // An interim answer turns the conversation.
        talk.send(false, PSH, b"HTTP/1.1 102 Processing\r\n\r\n");
    }
    let asked: Vec<_> = talk.copied().into_iter().step_by(2).collect();
    let kinds = [REQUEST, MORE, MORE, MORE, MORE];
    assert_eq!(asked, kinds.into_iter().zip(pieces.map(str::len)).collect::<Vec<_>>());
    // In the middle of a write nothing begins.
    let mut talk = Talk::new(80, HTTP_ONLY);
    talk.world.settings.head_bytes = 4_096;
    let mut full = b"HTTP/1.1 200 OK\r\n\r\nbody".to_vec();
    full.resize(1_448, b'x');
    talk.send(false, flag::ACK, &full);
    talk.send(false, PSH, b"HTTP/1.1 200 OK\r\n\r\nmore of it");
    assert_eq!(talk.copied(), [(RESPONSE, 1_448), (MORE, 29)]);
}

#[test]
fn messages_without_push() {
    const GET: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n".to_vec();
    answer.resize(740, b'x');
    let mut talk = Talk::new(80, HTTP_ONLY);
    for _ in 0..3 {
        talk.send(true, flag::ACK, GET);
    }
    for _ in 0..3 {
        talk.send(false, flag::ACK, &answer);
    }
    assert_eq!(talk.copied(), [[(REQUEST, GET.len()); 3], [(RESPONSE, 512); 3]].concat());
    // What is not full ends a write behind full segments, too.
    let mut talk = Talk::new(80, HTTP_ONLY);
    talk.send(true, flag::ACK, GET);
    answer.resize(1_448, b'x');
    talk.send(false, flag::ACK, &answer);
    talk.send(false, flag::ACK, &[b'x'; 1_448]);
    talk.send(false, flag::ACK, &[b'x'; 100]);
    talk.send(false, flag::ACK, &answer);
    assert_eq!(talk.copied()[1..], [(RESPONSE, 512), (RESPONSE, 512)]);
}

#[test]
fn a_method_is_any_token() {
    for method in [
        "GET",
        "PROPFIND",
        "MKCALENDAR",
        "ACL",
        "CHECKOUT",
        "CHECKIN",
        "BASELINE-CONTROL",
        "LABEL",
        "UPDATE",
        "UNLINK",
        "UNBIND",
        "REBIND",
        "ORDERPATCH",
        "MKWORKSPACE",
        "UNCHECKOUT",
        "MKREDIRECTREF",
        "UPDATEREDIRECTREF",
        "VERSION-CONTROL",
        "QUERY",
        "BAN",
        "DEBUG",
        "SOURCE",
        "X-PING",
        "get",
        "BPROPFIND",
        "a",
        "CHECKUP",
        "ABCDEFGH",
    ] {
        let request = format!("{method} /x HTTP/1.1\r\n\r\n");
        let mut talk = Talk::new(80, HTTP_ONLY);
        talk.send(true, PSH, request.as_bytes());
        assert_eq!(talk.copied(), [(REQUEST, request.len())], "{method}");
    }
    for line in [
        "SSH-2.0-OpenSSH_9.9 / x\r\n",
        "EHLO mail.example.org\r\n",
        "220 mail / x ESMTP\r\n",
        "a b /xxxxxxxxxxx\r\n",
    ] {
        let mut talk = Talk::new(80, HTTP_ONLY);
        talk.send(true, PSH, line.as_bytes());
        assert_eq!(talk.copied(), [], "{line}");
    }
}

#[test]
fn empty_lines_before_a_message() {
    for blank in ["\r\n", "\r\n\r\n"] {
        for message in
            ["GET / HTTP/1.1\r\n\r\n", "ACL /x HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"]
        {
            let whole = format!("{blank}{message}");
            let mut talk = Talk::new(80, HTTP_ONLY);
            talk.send(true, PSH, whole.as_bytes());
            assert_eq!(talk.copied().len(), 1, "{whole:?}");
            assert_eq!(talk.copied()[0].1, whole.len());
        }
    }
}
