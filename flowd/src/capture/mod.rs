//! Reads capture files: classic pcap and pcapng, from a file or from standard input.
//!
//! The formats are those of draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. The reader streams: it holds
//! one buffer that grows with the largest record (to twice [`MAX_RECORD`] at most) and allocates nothing per
//! packet. What is complete in a damaged file is handed out before the damage is reported.
//!
//! `pcap-parser` is not used: per packet it builds a vector of options and an enum of all blocks, its Simple
//! Packet Block ignores the snapshot length, and the modified record header is read as little-endian only.

mod error;
mod fields;
mod interface;
mod magic;
mod packet;
mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;
mod timestamp;
mod window;

use std::io::Read;

pub use error::CaptureError;
pub use packet::{CapturedPacket, MAX_RECORD};

use magic::Format;
use packet::Record;
use window::Window;

/// A capture that is being read.
pub struct Capture<R> {
    window: Window<R>,
    reader: Reader,
    finished: bool,
}

/// The two formats behind one face.
enum Reader {
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
}

impl<R: Read> Capture<R> {
    /// Reads the file header and recognises the format by it. `name` is for error messages only.
    ///
    /// # Errors
    /// The source cannot be read, ends inside the header, or holds something else than a capture.
    pub fn open(source: R, name: String) -> Result<Self, CaptureError> {
        let mut window = Window::new(source, name);
        let reader = match magic::recognise(&mut window)? {
            Format::Pcap(flavour) => Reader::Pcap(pcap::Pcap::open(&mut window, flavour)?),
            Format::Pcapng => Reader::Pcapng(pcapng::Pcapng::open(&mut window)?),
        };
        Ok(Self { window, reader, finished: false })
    }

    /// The next packet, or `None` where the file ends between two records. After an error, which is reported
    /// once, and after the end there is only `None`.
    ///
    /// # Errors
    /// The source cannot be read, ends inside a record, or contradicts its format.
    pub fn next_packet(&mut self) -> Result<Option<CapturedPacket<'_>>, CaptureError> {
        if self.finished {
            return Ok(None);
        }
        let found = match &mut self.reader {
            Reader::Pcap(pcap) => pcap.next(&mut self.window),
            Reader::Pcapng(pcapng) => pcapng.next(&mut self.window),
        };
        let Ok(Some(record)) = found else {
            self.finished = true;
            return found.map(|_| None);
        };
        let Record { time, link, interface, original_len, fcs_len, data } = record;
        Ok(Some(CapturedPacket {
            time,
            link,
            interface,
            original_len,
            fcs_len,
            data: self.window.bytes(data),
        }))
    }

    /// Bytes consumed so far: the end of the record that was returned last.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The name that the file gives an interface (`if_name`), by its running number; none in classic pcap.
    pub fn interface_name(&self, interface: u32) -> Option<&str> {
        match &self.reader {
            Reader::Pcap(_) => None,
            Reader::Pcapng(pcapng) => pcapng.interface_name(interface),
        }
    }
}
