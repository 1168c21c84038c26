//! The interfaces of a pcapng file.

use super::{
    fields::{Fields, Order},
    timestamp::Clock,
};

/// Interfaces that a file may describe over all its sections, a bound on memory: a real one has a handful, a
/// concatenation of many files some thousand.
const MAX_INTERFACES: usize = 1 << 16;
/// Bytes of a name that are kept, for the same reason; Linux has 15, the long names of Windows about 60.
const MAX_NAME: usize = 255;

// Options of an Interface Description Block (draft-ietf-opsawg-pcapng, section 4.2).
const END_OF_OPTIONS: u16 = 0;
const NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;
const FCS_LENGTH: u16 = 13;
const TIME_OFFSET: u16 = 14;
/// Microseconds, where the option is missing.
const DEFAULT_RESOLUTION: u8 = 6;

/// One Interface Description Block.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) link: u32,
    /// Bytes kept of each packet, 0 for no limit.
    pub(super) snap_len: u32,
    pub(super) fcs_len: u8,
    pub(super) clock: Clock,
    name: Option<Box<str>>,
}

impl Interface {
    /// Reads the body of the block, or says what is wrong with it.
    fn parse(body: &[u8], order: Order) -> Result<Self, String> {
        let mut fields = Fields::new(body, order);
        let (Some(link), Some(_reserved), Some(snap_len)) = (fields.u16(), fields.u16(), fields.u32()) else {
            return Err("the interface description is too short".to_owned());
        };
        let (mut name, mut resolution, mut offset, mut fcs_len) = (None, DEFAULT_RESOLUTION, 0, 0);
        // A block is a multiple of 32 bits, so nothing less than an option's head can be left over.
        while let (Some(code), Some(length)) = (fields.u16(), fields.u16()) {
            if code == END_OF_OPTIONS {
                break;
            }
            // Values are padded to 32 bits (section 3.5).
            let length = usize::from(length);
            let Some(value) = fields.take(length.next_multiple_of(4)).and_then(|padded| padded.get(..length))
            else {
                return Err(format!("option {code} of the interface is longer than its block"));
            };
            match code {
                NAME => name = text(value),
                TIME_RESOLUTION => resolution = byte(code, value)?,
                FCS_LENGTH => fcs_len = fcs_bytes(byte(code, value)?),
                TIME_OFFSET => {
                    offset = Fields::new(value, order).i64().ok_or_else(|| wrong_length(code, value))?;
                }
                _ => {}
            }
        }
        Ok(Self { link: u32::from(link), snap_len, fcs_len, clock: Clock::new(resolution, offset), name })
    }
}

/// The interfaces of all sections. A section numbers its own from 0 (section 4.1), the running number goes on.
#[derive(Default)]
pub(super) struct Interfaces {
    all: Vec<Interface>,
    /// Where those of the present section start.
    section: usize,
}

impl Interfaces {
    pub(super) fn start_section(&mut self) {
        self.section = self.all.len();
    }

    pub(super) fn add(&mut self, body: &[u8], order: Order) -> Result<(), String> {
        if self.all.len() >= MAX_INTERFACES {
            return Err(format!("the file describes more than {MAX_INTERFACES} interfaces"));
        }
        self.all.push(Interface::parse(body, order)?);
        Ok(())
    }

    /// An interface of the present section with its running number.
    #[inline]
    pub(super) fn of_section(&self, id: u32) -> Option<(u32, &Interface)> {
        let number = self.section.checked_add(usize::try_from(id).ok()?)?;
        Some((u32::try_from(number).ok()?, self.all.get(number)?))
    }

    pub(super) fn name(&self, number: u32) -> Option<&str> {
        self.all.get(usize::try_from(number).ok()?)?.name.as_deref()
    }
}

/// A string option: UTF-8 without terminator, though some writers leave one.
fn text(value: &[u8]) -> Option<Box<str>> {
    let value = value.get(..MAX_NAME).unwrap_or(value);
    let text = String::from_utf8_lossy(value);
    let text = text.trim_end_matches('\0');
    (!text.is_empty()).then(|| text.into())
}

fn byte(code: u16, value: &[u8]) -> Result<u8, String> {
    value.first().copied().ok_or_else(|| wrong_length(code, value))
}

/// The draft counts bits but gives "4" as the example, and writers took it for the bytes of Ethernet's. No
/// check sequence has less than 8 bits or more than 8 bytes, so the two readings do not meet.
fn fcs_bytes(value: u8) -> u8 {
    if value < 8 { value } else { value / 8 }
}

fn wrong_length(code: u16, value: &[u8]) -> String {
    format!("option {code} of the interface has a length of {}", value.len())
}
