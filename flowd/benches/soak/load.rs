//! All kinds of traffic at once, for the whole time.

use std::{
    net::UdpSocket,
    sync::atomic::Ordering::Relaxed,
    thread::Scope,
    time::{Duration, Instant},
};

use super::{
    Pace, Tally,
    sender::{Kind, Sender},
    support::{
        iperf::Iperf,
        router::{Router, SERVER_V4},
    },
    uplink, web,
};

/// Flows of one packet, a second.
const CHURN: u64 = 2_500;
/// The same while more come than fit.
const BURST: u64 = 25_000;
/// A burst lasts one of so many beats, but the first as long as that: what flowd takes for a full table and for the
/// lines of all its flows, it has taken before the warm-up is over.
const BEATS: u32 = 6;
/// Sources that such flows come from in turn.
const SOURCES: u32 = 1 << 24;

/// Starts every kind; each ends soon after the tally says so.
pub fn start<'s>(scope: &'s Scope<'s, '_>, router: &'s Router, tally: &'s Tally, pace: Pace) {
    scope.spawn(move || web::kept(router, tally));
    scope.spawn(move || web::short(router, tally));
    scope.spawn(move || bulk(router, tally));
    scope.spawn(move || churn(router, tally, pace));
    scope.spawn(move || answer(router, tally));
    scope.spawn(move || ask(router, tally));
    scope.spawn(move || uplink::flap(router, tally, pace));
    scope.spawn(move || uplink::receive(router, tally));
    scope.spawn(move || uplink::send(router, tally));
}

/// Bulk data both ways.
fn bulk(router: &Router, tally: &Tally) {
    let server = Iperf::start(&router.server);
    while !tally.over() {
        server.second(&router.client, SERVER_V4, &["-t", "3", "--bidir", "-b", "20M"]);
    }
}

/// Flows of one packet each; for a while more than the table holds.
fn churn(router: &Router, tally: &Tally, pace: Pace) {
    router.client.enter(|| {
        let mut sender = Sender::open("eth0", Kind::Udp, SOURCES).unwrap();
        let start = Instant::now();
        while !tally.over() {
            let beat = (start.elapsed().as_secs_f64() / pace.beat.as_secs_f64()) as u32;
            let rate = if beat < BEATS || beat % BEATS == BEATS - 1 { BURST } else { CHURN };
            let count = rate / 10;
            sender.send(count, Some(rate)).unwrap();
            tally.singles.fetch_add(count, Relaxed);
        }
    });
}

/// A question for the address of example.org, without its identifier.
const QUESTION: &[u8] = b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x01\x00\x01";

/// Answers each question with no error and no address.
fn answer(router: &Router, tally: &Tally) {
    let socket = router.server.enter(|| UdpSocket::bind((SERVER_V4, 53)).unwrap());
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut message = [0; 512];
    while !tally.over() {
        let Ok((len, from)) = socket.recv_from(&mut message) else { continue };
        message[2..4].copy_from_slice(&[0x81, 0x80]);
        let _ = socket.send_to(&message[..len], from);
    }
}

/// Asks, from a new port every now and then.
fn ask(router: &Router, tally: &Tally) {
    let open = || {
        let socket = router.client.enter(|| UdpSocket::bind(("0.0.0.0", 0)).unwrap());
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        socket
    };
    let mut socket = open();
    let mut number = 0_u16;
    while tally.sleep(Duration::from_millis(20)) {
        number = number.wrapping_add(1);
        if number.is_multiple_of(10) {
            socket = open();
        }
        let question = [&number.to_be_bytes(), QUESTION].concat();
        // A second without an answer ends the wait for it.
        let sent = socket.send_to(&question, (SERVER_V4, 53));
        if sent.is_ok() && socket.recv(&mut [0; 512]).is_ok() {
            tally.lookups.fetch_add(1, Relaxed);
        }
    }
}
