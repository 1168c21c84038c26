//! Which datagrams of QUIC are copied, and that no others are.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use flow_common::{
    app::{App, Apps},
    event::{MAX_PAYLOAD, PayloadKind},
    settings::Settings,
};
use support::{World, frames};

const VERSION_2: u32 = 0x6b33_43cf;

/// What a client and a server send each other.
struct Talk {
    world: World,
    port: u16,
}

impl Talk {
    fn new(port: u16, copies: Apps) -> Self {
        let mut world = World::new(64);
        world.settings = Settings { copies, ..world.settings };
        Self { world, port }
    }

    fn quic() -> Self {
        Self::new(443, Apps::ALL)
    }

    fn send(&mut self, client: bool, payload: &[u8]) -> &mut Self {
        let mut ip = frames::V4::of(17);
        let (mut from, mut to) = (50_000, self.port);
        if !client {
            (ip.source, ip.destination) = (ip.destination, ip.source);
            (from, to) = (to, from);
        }
        self.world.now += 1_000;
        self.world.feed(&frames::ethernet(frames::IPV4, &ip.wrap(&frames::udp(from, to, payload))));
        self
    }

    /// Lengths of the copies so far, all of QUIC.
    fn copied(&self) -> Vec<usize> {
        let what = (App::Quic as u8, PayloadKind::Message as u8);
        assert!(self.world.events.iter().all(|(event, _)| (event.app, event.kind) == what));
        self.world.events.iter().map(|(_, bytes)| bytes.len()).collect()
    }

    fn app(&self) -> Option<App> {
        App::from_number(self.world.records()[0].app)
    }
}

/// A datagram that begins with a long header.
fn long(first: u8, version: u32, len: usize) -> Vec<u8> {
    let mut datagram = vec![first];
    datagram.extend(version.to_be_bytes());
    datagram.push(8);
    datagram.resize(len, 7);
    datagram
}

fn initial(len: usize) -> Vec<u8> {
    long(0xc3, 1, len)
}

#[test]
fn the_first_datagrams_of_both_sides_on_any_port() {
    for port in [443, 8_853, 9] {
        let mut talk = Talk::new(port, Apps::of(&[App::Quic]));
        talk.send(true, &initial(1_200)).send(true, &initial(1_252));
        // The server's may be short. Those of other kinds hide an Initial packet behind them, or not.
        talk.send(false, &initial(48)).send(false, &long(0xe0, 1, 1_200));
        // A short header has no version.
        talk.send(false, &long(0x40, 1, 1_200));
        assert_eq!((talk.copied(), talk.app()), (vec![1_200, 1_252, 48, 1_200], Some(App::Quic)));
    }
}

#[test]
fn versions_with_public_keys() {
    for (first, version, copied) in [
        (0xc0, 1, true),
        (0xd0, VERSION_2, true),
        (0xc0, 0xff00_0016, true),
        (0xc0, 0xff00_001d, true),
        (0xc0, 0xff00_0022, true),
        (0xc0, 0xff00_0100, false),
        (0xc0, 0x5130_3433, false),
        (0xc0, 2, false),
        (0xc0, 0, false),
        // The bit that was always set once (RFC 9287), and the one that says that the header is long.
        (0x80, 1, true),
        (0x40, 1, false),
    ] {
        let mut talk = Talk::quic();
        talk.send(true, &long(first, version, 1_200));
        assert_eq!(!talk.copied().is_empty(), copied, "{first:#x} {version:#x}");
    }
}

#[test]
fn a_client_begins_with_a_full_datagram() {
    let mut talk = Talk::quic();
    talk.send(true, &initial(1_199));
    assert_eq!((talk.copied(), talk.app()), (vec![], None));
    // What is handled as one datagram is copied as far as a copy goes.
    talk.send(true, &initial(6_000));
    assert_eq!((talk.copied(), talk.app()), (vec![MAX_PAYLOAD], Some(App::Quic)));
}

#[test]
fn twelve_datagrams_of_a_flow() {
    let mut talk = Talk::quic();
    for _ in 0..10 {
        talk.send(true, &initial(1_200)).send(false, &initial(1_200));
    }
    assert_eq!(talk.copied().len(), 12);
}

#[test]
fn who_speaks_something_else_is_left_alone() {
    for (other, count, copied) in [(0x40, 3, 1), (0x40, 4, 0), (0x80, 4, 0), (0x00, 9, 0)] {
        let mut talk = Talk::quic();
        for at in 0..count {
            talk.send(at % 2 == 0, &long(other, 0x2112_a442, 1_200));
        }
        talk.send(true, &initial(1_200));
        assert_eq!(talk.copied().len(), copied, "{other:#x} {count}");
    }
    // Too short to say a version.
    let mut talk = Talk::quic();
    talk.send(true, &[0xc0, 0, 0, 0, 1]).send(true, &[]).send(true, &initial(1_200));
    assert_eq!(talk.copied(), [1_200]);
}

#[test]
fn only_what_is_asked_for() {
    let mut off = Talk::new(443, Apps::ALL.without(App::Quic));
    off.send(true, &initial(1_200));
    assert_eq!((off.copied(), off.app()), (vec![], None));
    // What is on the port of DNS is taken for DNS where that is asked for.
    let mut dns = Talk::new(53, Apps::ALL);
    dns.send(true, &initial(1_200));
    assert_eq!(dns.world.events[0].0.app, App::Dns as u8);
    let mut quic = Talk::new(53, Apps::ALL.without(App::Dns));
    quic.send(true, &initial(1_200));
    assert_eq!(quic.copied(), [1_200]);
}

/// A packet of which a part is missing cannot be opened: its first fragment tells whose flow it is, and no more.
#[test]
fn later_fragments_are_nobodys_begin() {
    let whole = frames::udp(50_000, 443, &initial(2_000));
    let (first, rest) = whole.split_at(1_480);
    let mut talk = Talk::quic();
    let head = frames::V4 { identification: 9, more: true, ..frames::V4::of(17) };
    talk.world.feed(&frames::ethernet(frames::IPV4, &head.wrap(first)));
    let tail = frames::V4 { offset: 185, more: false, ..head };
    talk.world.feed(&frames::ethernet(frames::IPV4, &tail.wrap(rest)));
    assert_eq!((talk.copied().len(), talk.app()), (1, Some(App::Quic)));
}
