//! A second uplink that comes and goes, goes down and up, and is renamed, with traffic both ways.

use std::{
    net::UdpSocket,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{
    Pace, Tally,
    sender::{Kind, Sender},
    support::router::Router,
};

/// The gateway's device, by its two names in turn.
pub const NAMES: [&str; 2] = ["gw2", "gw3"];
/// The server's end.
const PEER: &str = "guest";
const ADDRESS: &str = "203.0.113.2";

/// Makes it and takes it up.
pub fn make(router: &Router) {
    let device = NAMES[0];
    router.gateway.veth(device, &router.server, PEER);
    router.server.up(PEER, &[&format!("{ADDRESS}/24")]);
    router.gateway.up(device, &["203.0.113.1/24"]);
}

/// Does one thing to it after the other, at times that are no multiples of each other.
pub fn flap(router: &Router, tally: &Tally, pace: Pace) {
    let ip = |words: &str| {
        router.gateway.ip(words);
    };
    let link = |device: &str, what: &str| ip(&format!("link set {device} {what}"));
    let rename = |from: &str, to: &str| {
        link(from, "down");
        link(from, &format!("name {to}"));
        link(to, "up");
    };
    let did = |count: &AtomicU64| count.fetch_add(1, Relaxed);
    let [first, second] = NAMES;
    for turn in 0_u32.. {
        if !tally.sleep(pace.beat + pace.beat / 8 * (turn % 5)) {
            return;
        }
        match turn % 4 {
            0 => {
                ip(&format!("link delete {first}"));
                did(&tally.deleted);
                // Now and then it is back before anybody has looked.
                tally.sleep(pace.beat / 4 * (turn / 4 % 3));
                make(router);
            }
            1 => {
                link(first, "down");
                did(&tally.down);
                tally.sleep(pace.beat / 8);
                link(first, "up");
            }
            _ => {
                rename(first, second);
                did(&tally.renamed);
                if turn % 4 == 2 {
                    tally.sleep(pace.beat / 2);
                }
                rename(second, first);
                did(&tally.renamed);
            }
        }
    }
}

/// What comes in by it: from the server's end, for as long as there is one.
pub fn receive(router: &Router, tally: &Tally) {
    router.server.enter(|| {
        while tally.sleep(Duration::from_millis(20)) {
            // It goes while this sends.
            let Ok(mut sender) = Sender::open(PEER, Kind::Udp, 300) else { continue };
            while !tally.over() && sender.send(40, Some(400)).is_ok() {}
        }
    });
}

/// What goes out by it, as long as there is a route.
pub fn send(router: &Router, tally: &Tally) {
    let socket = router.client.enter(|| UdpSocket::bind(("0.0.0.0", 0)).unwrap());
    while tally.sleep(Duration::from_millis(5)) {
        let _ = socket.send_to(&[0; 100], (ADDRESS, 5_000));
    }
}
