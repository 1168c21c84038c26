//! Hellos of TLS.

use super::*;

#[test]
fn hellos_and_nothing_after_them() {
    let mut talk = Talk::new(443, KNOWN);
    let asked = hello(1, 300);
    talk.send(true, PSH, &asked);
    // The answer and what follows it in the same segment.
    let said = [hello(2, 100), vec![20, 3, 3, 0, 1, 1], vec![23; 1_000]].concat();
    talk.send(false, PSH, &said);
    for _ in 0..5 {
        talk.send(true, PSH, &hello(1, 200));
        talk.send(false, PSH, &hello(2, 200));
    }
    assert_eq!(talk.copied(), [(HELLO, asked.len()), (HELLO, 105)]);
    talk.raw(true, flag::FIN | flag::ACK, 0, &[]);
    assert_eq!(talk.copied().len(), 2, "answered hellos need no end");
}

#[test]
fn a_long_hello_in_segments_of_any_order() {
    let asked = hello(1, 1_900);
    for late in [false, true] {
        let mut talk = Talk::new(8443, TLS_ONLY);
        talk.send(true, flag::ACK, &asked[..1_000]);
        if late {
            talk.raw(true, PSH, 500, &asked[1_500..]);
            talk.raw(true, flag::ACK, 0, &asked[1_000..1_500]);
        } else {
            talk.raw(true, flag::ACK, 0, &asked[1_000..1_500]);
            talk.raw(true, PSH, 500, &asked[1_500..]);
        }
        // Sent again: known already.
        talk.raw(true, flag::ACK, 0, &asked[1_000..1_500]);
        let mut stream = vec![0; asked.len()];
        let start = talk.next[0].wrapping_sub(1_000);
        for (index, (event, bytes)) in talk.world.events.iter().enumerate() {
            assert_eq!(what(event), if index == 0 { HELLO } else { HELLO_MORE });
            let at = event.seq.wrapping_sub(start) as usize;
            stream[at..at + bytes.len()].copy_from_slice(bytes);
        }
        assert_eq!((talk.world.events.len(), stream), (3, asked.clone()));
    }
}

#[test]
fn the_window_of_a_hello_that_does_not_tell_its_length() {
    // The head of a record alone; and a message over several records.
    for first in [vec![22, 3], vec![22, 3, 1, 0, 10, 1, 0, 9, 9]] {
        let mut talk = Talk::new(443, TLS_ONLY);
        talk.send(true, PSH, &first);
        for _ in 0..5 {
            talk.send(true, PSH, &[7; 1_000]);
        }
        let sum: usize = talk.copied().iter().map(|(_, len)| len).sum();
        assert_eq!(sum, MAX_PAYLOAD);
    }
}

#[test]
fn a_hello_in_the_shape_of_ssl_2() {
    let mut asked = vec![0x80, 43, 1, 3, 1, 0, 18];
    asked.resize(45, 7);
    let mut talk = Talk::new(443, KNOWN);
    talk.send(true, PSH, &asked);
    talk.send(false, PSH, &hello(2, 100));
    talk.send(true, PSH, &[22; 80]);
    assert_eq!((talk.copied(), talk.app()), (vec![(HELLO, 45), (HELLO, 105)], Some(App::Tls)));
    // Of another length it is something else.
    asked.push(7);
    let mut talk = Talk::new(443, KNOWN);
    talk.send(true, PSH, &asked);
    assert_eq!((talk.copied(), talk.app()), (vec![], None));
}

#[test]
fn refused_hellos() {
    let mut talk = Talk::new(443, KNOWN);
    // An alert by itself is nothing.
    talk.send(false, PSH, &[21, 3, 3, 0, 2, 2, 40]);
    talk.send(true, PSH, &hello(1, 100));
    talk.send(false, PSH, &[21, 3, 3, 0, 2, 2, 40]);
    assert_eq!(talk.copied().iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [HELLO, HELLO]);
    let mut talk = Talk::new(443, KNOWN);
    talk.send(true, PSH, &hello(1, 100));
    talk.raw(false, flag::RST, 0, &[]);
    assert_eq!(talk.copied().last(), Some(&(END_BY_OTHER, 0)));
}

#[test]
fn a_hello_behind_another_protocol() {
    let mut talk = Talk::new(25, TLS_ONLY);
    for (client, line) in [(false, "220 mail"), (true, "EHLO x"), (false, "250 STARTTLS"), (true, "STARTTLS")]
    {
        talk.send(client, PSH, line.as_bytes());
    }
    talk.send(false, PSH, b"220 go on");
    talk.send(true, PSH, &hello(1, 100));
    talk.send(false, PSH, &hello(2, 100));
    assert_eq!(talk.copied(), [(HELLO, 105), (HELLO, 105)]);
}

#[test]
fn a_hello_behind_what_stands_ahead_of_it() {
    const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
    // The side of the first byte, and what is said.
    type Said<'a> = (bool, &'a [u8]);
    let lines: Vec<Said<'_>> = [(false, &b"* OK hello\r\n"[..]), (true, b"a1 CAPABILITY\r\n")]
        .into_iter()
        .cycle()
        .take(14)
        .collect();
    let ahead: [&[Said<'_>]; 4] = [
        &[(true, b"PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n")],
        &[(true, &[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), (false, b"S")],
        &[(true, b"\r\n")],
        &lines,
    ];
    for ahead in ahead {
        let mut talk = Talk::new(443, TLS_ONLY.with(App::Http));
        for (client, said) in ahead {
            talk.send(*client, PSH, said);
        }
        let before = talk.copied().len();
        talk.send(true, PSH, &hello(1, 100));
        talk.send(false, PSH, &hello(2, 100));
        assert_eq!(talk.copied()[before..], [(HELLO, 105), (HELLO, 105)], "{ahead:?}");
    }
    // However long the server spoke before, it is heard when it answers.
    let mut talk = Talk::new(443, TLS_ONLY);
    for _ in 0..30 {
        talk.send(false, PSH, b"* and one more line\r\n");
    }
    talk.send(true, PSH, &hello(1, 100));
    talk.send(false, PSH, &ALERT);
    assert_eq!(talk.copied(), [(HELLO, 105), (HELLO, 7)]);
}

#[test]
fn the_end_of_a_tunnel_is_told_to_who_saw_it_begin() {
    let mut talk = Talk::new(3_128, KNOWN);
    talk.send(true, PSH, b"CONNECT h:443 HTTP/1.1\r\n\r\n");
    talk.send(false, PSH, b"HTTP/1.1 200 OK\r\n\r\n");
    talk.send(true, PSH, &hello(1, 100));
    talk.send(false, PSH, &hello(2, 100));
    assert_eq!(talk.copied()[2..], [(HELLO, 105), (HELLO, 105)]);
    talk.raw(true, flag::FIN | flag::ACK, 0, &[]);
    assert_eq!(talk.world.events.last().unwrap().0.kind, PayloadKind::End as u8);
}
