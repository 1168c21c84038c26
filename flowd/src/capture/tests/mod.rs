//! Files built by hand, byte for byte, and what the reader makes of them.

mod build;
mod classic;
mod damage;
mod next_generation;
mod recognise;

use std::io::{self, Read};

use super::{Capture, CaptureError, CapturedPacket};

/// A packet that outlives the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Packet {
    time: u64,
    link: u32,
    interface: u32,
    original_len: u32,
    fcs_len: u8,
    data: Vec<u8>,
    /// Offset of the reader behind it.
    end: u64,
}

/// A packet of Ethernet on interface 0 with all its bytes.
fn packet(time: u64, data: &[u8]) -> Packet {
    let original_len = u32::try_from(data.len()).unwrap();
    Packet { time, link: 1, interface: 0, original_len, fcs_len: 0, data: data.to_vec(), end: 0 }
}

/// Everything in a source, and the error that it ends with.
fn read_all<R: Read>(source: R) -> (Vec<Packet>, Option<CaptureError>) {
    let mut packets = Vec::new();
    let mut capture = match Capture::open(source, "test.pcap".to_owned()) {
        Ok(capture) => capture,
        Err(error) => return (packets, Some(error)),
    };
    loop {
        match capture.next_packet() {
            Ok(Some(CapturedPacket { time, link, interface, original_len, fcs_len, data })) => {
                let data = data.to_vec();
                packets.push(Packet { time, link, interface, original_len, fcs_len, data, end: 0 });
            }
            Ok(None) => return (packets, None),
            Err(error) => {
                assert!(matches!(capture.next_packet(), Ok(None)), "an error is reported once");
                return (packets, Some(error));
            }
        }
        packets.last_mut().unwrap().end = capture.offset();
    }
}

/// The packets of a sound file, their `end` left out.
fn packets(bytes: &[u8]) -> Vec<Packet> {
    let (mut packets, error) = read_all(bytes);
    assert!(error.is_none(), "{error:?}");
    packets.iter_mut().for_each(|packet| packet.end = 0);
    packets
}

/// The message that a file ends with, and the number of packets before it.
fn failure(bytes: &[u8]) -> (usize, String) {
    let (packets, error) = read_all(bytes);
    (packets.len(), error.expect("an error").to_string())
}

/// A pipe that gives a few bytes at a time and is interrupted now and then.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
    calls: usize,
}

impl<'a> Trickle<'a> {
    fn new(bytes: &'a [u8], step: usize) -> Self {
        Self { bytes, step, calls: 0 }
    }
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let step = self.step.min(buffer.len());
        (&mut self.bytes).take(step as u64).read(buffer)
    }
}
