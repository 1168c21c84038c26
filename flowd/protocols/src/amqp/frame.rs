//! Frames (AMQP 0-9-1 section 2.3, 4.2.3).

use crate::cursor::Cursor;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Method,
    Header,
    Body,
    Heartbeat,
}

/// A frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) channel: u16,
    /// Bytes of its payload.
    size: usize,
}

/// Why there is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoFrame {
    /// The bytes end too early.
    Short,
    /// These are not AMQP's.
    Wrong,
}

/// Most bytes of a payload: servers agree on 128 KiB, and take some MiB at most (`frame-max`).
const MOST: u32 = 1 << 27;

/// The octet that ends each frame.
const END: u8 = 0xce;

impl Frame {
    /// Bytes of the head.
    pub(super) const LEN: usize = 7;

    /// The frame at the front.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, NoFrame> {
        let mut cursor = Cursor::new(bytes);
        let kind = match cursor.u8().ok_or(NoFrame::Short)? {
            1 => Kind::Method,
            2 => Kind::Header,
            3 => Kind::Body,
            8 => Kind::Heartbeat,
            _ => return Err(NoFrame::Wrong),
        };
        let channel = cursor.be_u16().ok_or(NoFrame::Short)?;
        let size = cursor.be_u32().ok_or(NoFrame::Short)?;
        let fits = match kind {
            Kind::Method => size >= 4,
            // Section 4.2.6.1: class, weight, body size, property flags.
            Kind::Header => size >= 14,
            Kind::Body => true,
            Kind::Heartbeat => size == 0 && channel == 0,
        };
        if !fits || size > MOST {
            return Err(NoFrame::Wrong);
        }
        let frame = Self { kind, channel, size: size as usize };
        match bytes.get(frame.whole() - 1) {
            Some(end) if *end != END => Err(NoFrame::Wrong),
            _ => Ok(frame),
        }
    }

    /// Bytes of the whole frame.
    pub(super) const fn whole(&self) -> usize {
        Self::LEN + self.size + 1
    }

    /// Its payload, as far as it is there.
    pub(super) fn payload<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(Self::LEN..bytes.len().min(Self::LEN + self.size)).unwrap_or_default()
    }
}

/// Whether a client's first bytes are the protocol header of 0-9-1, 0-9 or 0-8 (section 4.2.2); `Short` as long as they may
/// become one.
pub(super) fn protocol_header(bytes: &[u8]) -> Result<(), NoFrame> {
    let headers = [*b"AMQP\0\0\x09\x01", *b"AMQP\x01\x01\0\x09", *b"AMQP\x01\x01\x08\0"];
    if headers.iter().any(|header| bytes.starts_with(header)) {
        Ok(())
    } else if headers.iter().any(|header| header.starts_with(bytes)) {
        Err(NoFrame::Short)
    } else {
        Err(NoFrame::Wrong)
    }
}

/// Bytes of a protocol header.
pub(super) const PROTOCOL_HEADER: usize = 8;
