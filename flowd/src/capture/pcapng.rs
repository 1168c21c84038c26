//! pcapng (draft-ietf-opsawg-pcapng).

use std::{io::Read, ops::Range};

use super::{
    CaptureError,
    fields::{Fields, Order},
    interface::Interfaces,
    packet::{MAX_RECORD, Record},
    window::Window,
};

// Block types (section 11.1). Those not listed carry no packets and are skipped.
const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Read by a reader of the same byte order as the writer.
const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
/// Type and length before a block's body (section 3.1).
const HEAD: usize = 8;
/// The length once more, after it.
const TRAILER: usize = 4;
/// A block without a body; a Section Header Block has its byte-order magic within the same number of bytes.
const SMALLEST: usize = HEAD + TRAILER;
/// Type, length, byte-order magic, version and section length of a Section Header Block (section 4.1).
const SECTION_HEAD: usize = 24;

/// Where the reader is.
pub(super) struct Pcapng {
    order: Order,
    interfaces: Interfaces,
    /// Time of the last packet that had one, for those that have none.
    time: u64,
}

/// The fixed part of a packet block of any kind.
struct PacketHeader {
    interface: u32,
    /// In the units of the interface; Simple Packet Blocks have none.
    ticks: Option<u64>,
    /// Simple Packet Blocks do not say.
    captured: Option<u32>,
    original: u32,
    /// Bytes of the block before the packet's.
    length: usize,
}

impl Pcapng {
    /// Reads the first Section Header Block, by which the format was recognised.
    pub(super) fn open<R: Read>(window: &mut Window<R>) -> Result<Self, CaptureError> {
        let mut pcapng = Self { order: Order::Little, interfaces: Interfaces::default(), time: 0 };
        let Some((_, total)) = pcapng.head(window)? else {
            return Err(window.truncated(0, "the section header", SMALLEST as u64));
        };
        pcapng.section(window, total)?;
        Ok(pcapng)
    }

    pub(super) fn interface_name(&self, number: u32) -> Option<&str> {
        self.interfaces.name(number)
    }

    /// Passes blocks until one holds a packet.
    pub(super) fn next<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<Record>, CaptureError> {
        while let Some((kind, total)) = self.head(window)? {
            match kind {
                ENHANCED_PACKET | SIMPLE_PACKET | PACKET => {
                    return self.packet(window, kind, total).map(Some);
                }
                INTERFACE_DESCRIPTION => self.interface(window, total)?,
                SECTION_HEADER => self.section(window, total)?,
                _ => self.skip(window, total)?,
            }
        }
        Ok(None)
    }

    /// Type and total length of the block that starts here, `None` at the end of the file (section 3.1). A
    /// section header decides how its own length is to be read.
    #[inline]
    fn head<R: Read>(&mut self, window: &mut Window<R>) -> Result<Option<(u32, u32)>, CaptureError> {
        let bytes = window.fill(SMALLEST)?;
        let Some(head) = bytes.first_chunk::<SMALLEST>() else {
            if bytes.is_empty() {
                return Ok(None);
            }
            return Err(window.truncated(window.offset(), "a block's header", SMALLEST as u64));
        };
        let &[k0, k1, k2, k3, l0, l1, l2, l3, magic @ ..] = head;
        let number = |order, bytes| match order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        };
        let kind = number(self.order, [k0, k1, k2, k3]);
        if kind == SECTION_HEADER {
            let Some(order) =
                [Order::Little, Order::Big].into_iter().find(|&o| number(o, magic) == BYTE_ORDER_MAGIC)
            else {
                let problem = format!("the section header's byte-order magic is {magic:02x?}");
                return Err(window.corrupt(window.offset(), problem));
            };
            self.order = order;
        }
        let total = number(self.order, [l0, l1, l2, l3]);
        if total % 4 != 0 || (total as usize) < SMALLEST {
            let problem = format!("a block of type {kind:#x} claims a length of {total} bytes");
            return Err(window.corrupt(window.offset(), problem));
        }
        Ok(Some((kind, total)))
    }

    /// Place of the body of the block that starts here, which stays unconsumed.
    #[inline]
    fn body<R: Read>(
        &self,
        window: &mut Window<R>,
        total: u32,
        what: &'static str,
    ) -> Result<Range<usize>, CaptureError> {
        let length = total as usize;
        if length > MAX_RECORD {
            let problem = format!("{what} claims a length of {total} bytes, more than {MAX_RECORD}");
            return Err(window.corrupt(window.offset(), problem));
        }
        let Some(block) = window.fill(length)?.get(..length) else {
            return Err(window.truncated(window.offset(), what, u64::from(total)));
        };
        let trailer = Fields::new(block.get(length - TRAILER..).unwrap_or_default(), self.order).u32();
        if let Some(trailer) = trailer
            && trailer != total
        {
            return Err(mismatch(window, window.offset(), total, trailer));
        }
        let start = window.start();
        Ok(start + HEAD..start + length - TRAILER)
    }

    fn packet<R: Read>(
        &mut self,
        window: &mut Window<R>,
        kind: u32,
        total: u32,
    ) -> Result<Record, CaptureError> {
        let body = self.body(window, total, "a packet block")?;
        let Some(packet) = PacketHeader::parse(window.bytes(body.clone()), kind, self.order) else {
            return Err(
                window.corrupt(window.offset(), format!("a packet block of {total} bytes is too short"))
            );
        };
        let Some((interface, description)) = self.interfaces.of_section(packet.interface) else {
            let problem =
                format!("a packet names interface {}, which is not described before it", packet.interface);
            return Err(window.corrupt(window.offset(), problem));
        };
        let captured = packet.captured.unwrap_or_else(|| match description.snap_len {
            // Cut to the snapshot length of interface 0, which Simple Packet Blocks belong to (section 4.4).
            0 => packet.original,
            limit => packet.original.min(limit),
        });
        let start = body.start + packet.length;
        let data = start..start.saturating_add(captured as usize);
        if data.end > body.end {
            let problem = format!("a packet of {captured} captured bytes is in a block of {total} bytes");
            return Err(window.corrupt(window.offset(), problem));
        }
        if let Some(ticks) = packet.ticks {
            self.time = description.clock.nanoseconds(ticks);
        }
        window.consume(total as usize);
        Ok(Record {
            time: self.time,
            link: description.link,
            interface,
            original_len: packet.original.max(captured),
            fcs_len: description.fcs_len,
            data,
        })
    }

    fn interface<R: Read>(&mut self, window: &mut Window<R>, total: u32) -> Result<(), CaptureError> {
        let body = self.body(window, total, "an interface description")?;
        let added = self.interfaces.add(window.bytes(body), self.order);
        added.map_err(|problem| window.corrupt(window.offset(), problem))?;
        window.consume(total as usize);
        Ok(())
    }

    /// A section forgets the interfaces of the one before (section 4.1). Its length is not needed: it is a
    /// help for those who want to jump over it, and often unknown to the writer.
    fn section<R: Read>(&mut self, window: &mut Window<R>, total: u32) -> Result<(), CaptureError> {
        if (total as usize) < SECTION_HEAD + TRAILER {
            return Err(
                window.corrupt(window.offset(), format!("a section header of {total} bytes is too short"))
            );
        }
        let mut fields = Fields::new(window.fill(SECTION_HEAD)?, self.order);
        let (Some(_magic), Some(major), Some(minor)) = (fields.take(SMALLEST), fields.u16(), fields.u16())
        else {
            return Err(window.truncated(window.offset(), "a section header", u64::from(total)));
        };
        // Minor version 2 is the same format, written by mistake (section 4.1).
        if major != 1 {
            let problem = format!("pcapng version {major}.{minor} is not known, only 1.x");
            return Err(window.corrupt(window.offset(), problem));
        }
        self.interfaces.start_section();
        self.skip(window, total)
    }

    /// Passes a block that need not be held in memory.
    fn skip<R: Read>(&self, window: &mut Window<R>, total: u32) -> Result<(), CaptureError> {
        let offset = window.offset();
        window.skip(u64::from(total) - TRAILER as u64)?;
        let Some(trailer) = Fields::new(window.fill(TRAILER)?, self.order).u32() else {
            return Err(window.truncated(offset, "a block", u64::from(total)));
        };
        if trailer != total {
            return Err(mismatch(window, offset, total, trailer));
        }
        window.consume(TRAILER);
        Ok(())
    }
}

impl PacketHeader {
    /// Reads the fixed fields at the start of a packet block's body (sections 4.3, 4.4 and, for the obsolete
    /// Packet Block, appendix A).
    #[inline]
    fn parse(body: &[u8], kind: u32, order: Order) -> Option<Self> {
        let mut fields = Fields::new(body, order);
        if kind == SIMPLE_PACKET {
            return Some(Self {
                interface: 0,
                ticks: None,
                captured: None,
                original: fields.u32()?,
                length: 4,
            });
        }
        let interface = if kind == ENHANCED_PACKET {
            fields.u32()?
        } else {
            let interface = fields.u16()?;
            fields.u16()?; // packets lost before this one
            u32::from(interface)
        };
        let ticks = u64::from(fields.u32()?) << 32 | u64::from(fields.u32()?);
        Some(Self {
            interface,
            ticks: Some(ticks),
            captured: Some(fields.u32()?),
            original: fields.u32()?,
            length: 20,
        })
    }
}

#[cold]
fn mismatch<R: Read>(window: &Window<R>, offset: u64, total: u32, trailer: u32) -> CaptureError {
    window.corrupt(
        offset,
        format!("the block's length is {total} bytes before its body and {trailer} after it"),
    )
}
