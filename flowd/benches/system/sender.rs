//! Sends UDP packets of 64 bytes (with FCS), of as many flows as wanted, as fast as asked.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::sys::RawSocket;

const BATCH: usize = 64;
/// A prime, so that it visits every number below any count that it does not divide.
const STRIDE: u32 = 7_919;
const SOURCE: usize = 26;
const FLAGS: usize = 47;

/// What the packets carry.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A datagram; each flow has a source address of its own.
    Udp,
    /// A SYN; each flow is to a server port of its own.
    Syn,
}

/// A stream of packets of `flows` flows, in an order with large steps.
pub(crate) struct Sender {
    socket: RawSocket,
    kind: Kind,
    flows: u32,
    next: u32,
    frames: Vec<Vec<u8>>,
}

impl Sender {
    /// Out of a device of this thread's network namespace, to an address of no host: the receiver drops what has
    /// passed its hooks.
    pub(crate) fn open(device: &str, kind: Kind, flows: u32) -> Result<Self> {
        let socket = RawSocket::open(device)?;
        Ok(Self { socket, kind, flows, next: 0, frames: vec![frame(kind); BATCH] })
    }

    /// Sends `count` packets, at `rate` a second or as fast as it goes; says how long that took.
    pub(crate) fn send(&mut self, count: u64, rate: Option<u64>) -> Result<Duration> {
        let start = Instant::now();
        let mut sent = 0;
        while sent < count {
            let batch = (count - sent).min(BATCH as u64) as usize;
            self.fill(batch);
            self.socket.send_all::<BATCH>(self.frames.get_mut(..batch).unwrap_or_default())?;
            sent += batch as u64;
            if let Some(rate) = rate {
                let due = start + Duration::from_secs_f64(sent as f64 / rate as f64);
                sleep(due.saturating_duration_since(Instant::now()));
            }
        }
        Ok(start.elapsed())
    }

    fn fill(&mut self, count: usize) {
        for frame in self.frames.iter_mut().take(count) {
            let (place, bytes) = match self.kind {
                Kind::Udp => (SOURCE, (0x0a00_0000 | self.next).to_be_bytes().to_vec()),
                Kind::Syn => (36, (1_024 + self.next as u16).to_be_bytes().to_vec()),
            };
            if let Some(place) = frame.get_mut(place..place + bytes.len()) {
                place.copy_from_slice(&bytes);
            }
            self.next = (self.next + STRIDE) % self.flows;
        }
    }
}

fn frame(kind: Kind) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 0xff, 2, 0, 0, 0, 0, 1, 8, 0];
    let protocol = match kind {
        Kind::Udp => 17,
        Kind::Syn => 6,
    };
    frame.extend([0x45, 0, 0, 46, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 0, 192, 0, 2, 9]);
    match kind {
        // Ports 40,000 and 9,000, with 18 bytes of payload.
        Kind::Udp => frame.extend([0x9c, 0x40, 0x23, 0x28, 0, 26, 0, 0]),
        Kind::Syn => frame.extend([0x9c, 0x40, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 4, 0, 0, 0, 0, 0]),
    }
    debug_assert!(matches!(kind, Kind::Udp) || frame.get(FLAGS) == Some(&2));
    frame.resize(60, 0);
    frame
}
