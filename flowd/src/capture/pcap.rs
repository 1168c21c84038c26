//! Classic pcap (draft-ietf-opsawg-pcap).

use std::io::Read;

use super::{
    CaptureError,
    fields::{Fields, Order},
    magic::Flavour,
    packet::{MAX_RECORD, Record},
    window::Window,
};

/// Bytes of the file header (section 4).
const FILE_HEADER: usize = 24;
/// Set where the link type's field tells the length of the frame check sequence.
const FCS_LENGTH_PRESENT: u32 = 0x0400_0000;
const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// What the file header says about all records.
pub(super) struct Pcap {
    flavour: Flavour,
    link: u32,
    fcs_len: u8,
    /// Versions before 2.4 wrote the two lengths of a record in either order.
    lengths_may_be_swapped: bool,
}

struct FileHeader {
    major: u16,
    minor: u16,
    link: u32,
}

struct RecordHeader {
    seconds: u32,
    fraction: u32,
    captured: u32,
    original: u32,
}

impl Pcap {
    /// Reads the file header.
    pub(super) fn open<R: Read>(window: &mut Window<R>, flavour: Flavour) -> Result<Self, CaptureError> {
        let Some(header) = FileHeader::parse(window.fill(FILE_HEADER)?, flavour.order) else {
            return Err(window.truncated(0, "the file header", FILE_HEADER as u64));
        };
        let FileHeader { major, minor, link } = header;
        if major != 2 {
            return Err(window.corrupt(0, format!("pcap version {major}.{minor} is not known, only 2.x")));
        }
        window.consume(FILE_HEADER);
        // The upper half of the link type's field is not part of it: the length of the frame check sequence
        // in 16-bit units, and reserved bits (section 4).
        let fcs_len = if link & FCS_LENGTH_PRESENT == 0 { 0 } else { (link >> 28) as u8 * 2 };
        Ok(Self { flavour, link: link & 0xFFFF, fcs_len, lengths_may_be_swapped: minor < 4 })
    }

    /// The next record (section 5).
    pub(super) fn next<R: Read>(&self, window: &mut Window<R>) -> Result<Option<Record>, CaptureError> {
        let header_len = self.flavour.header;
        let bytes = window.fill(header_len)?;
        let Some(header) = RecordHeader::parse(bytes, self.flavour) else {
            if bytes.is_empty() {
                return Ok(None);
            }
            return Err(window.truncated(window.offset(), "a record's header", header_len as u64));
        };
        let RecordHeader { seconds, fraction, mut captured, mut original } = header;
        if self.lengths_may_be_swapped && captured > original {
            (captured, original) = (original, captured);
        }
        // The file's own snapshot length is no limit: writers get it wrong, and the packets are sound.
        let length = captured as usize;
        if length > MAX_RECORD {
            let problem = format!("the record claims {captured} captured bytes, more than {MAX_RECORD}");
            return Err(window.corrupt(window.offset(), problem));
        }
        let whole = header_len + length;
        if window.fill(whole)?.len() < whole {
            return Err(window.truncated(window.offset(), "a packet", whole as u64));
        }
        let data = window.start() + header_len..window.start() + whole;
        window.consume(whole);
        // Cannot overflow: 2^32 seconds are 4.3e18 ns, and the fraction, even one of more than a second as
        // careless writers leave it, adds 4.3e12 at most.
        let time = u64::from(seconds) * NANOSECONDS_PER_SECOND + u64::from(fraction) * self.flavour.tick;
        let original_len = original.max(captured);
        Ok(Some(Record { time, link: self.link, interface: 0, original_len, fcs_len: self.fcs_len, data }))
    }
}

impl FileHeader {
    fn parse(bytes: &[u8], order: Order) -> Option<Self> {
        let mut fields = Fields::new(bytes, order);
        fields.u32()?; // the magic number
        let (major, minor) = (fields.u16()?, fields.u16()?);
        fields.take(12)?; // time zone and accuracy, which nobody fills in, and the snapshot length
        Some(Self { major, minor, link: fields.u32()? })
    }
}

impl RecordHeader {
    #[inline]
    fn parse(bytes: &[u8], flavour: Flavour) -> Option<Self> {
        let mut fields = Fields::new(bytes.get(..flavour.header)?, flavour.order);
        Some(Self {
            seconds: fields.u32()?,
            fraction: fields.u32()?,
            captured: fields.u32()?,
            original: fields.u32()?,
        })
    }
}
