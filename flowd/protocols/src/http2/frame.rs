//! Frames (RFC 9113 section 4.1).

use crate::conversation::Side;

/// What a client begins its connection with (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame's header.
pub(super) const HEADER: usize = 9;

/// The payload of frames whose sides have not agreed on more (RFC 9113 section 4.2).
pub(super) const USUAL: usize = 16 << 10;

/// Types (RFC 9113 section 6).
pub(super) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const PRIORITY: u8 = 2;
    pub(crate) const RST_STREAM: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PUSH_PROMISE: u8 = 5;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const WINDOW_UPDATE: u8 = 8;
    pub(crate) const CONTINUATION: u8 = 9;
}

/// Flags (RFC 9113 section 6).
mod flag {
    /// SETTINGS and PING; END_STREAM has the same bit.
    pub(super) const ACK: u8 = 0x1;
    pub(super) const END_STREAM: u8 = 0x1;
    pub(super) const END_HEADERS: u8 = 0x4;
    pub(super) const PADDED: u8 = 0x8;
    pub(super) const PRIORITY: u8 = 0x20;
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Bytes of the payload.
    pub(super) len: usize,
    pub(super) kind: u8,
    flags: u8,
    /// 0 for the connection.
    pub(super) stream: u32,
    /// The bit in front of the stream's number, which is 0 when sent.
    is_reserved: bool,
}

impl Frame {
    /// The header that `bytes` begin with.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, kind, flags, stream @ ..] = *bytes.first_chunk::<HEADER>()?;
        let len = u32::from_be_bytes([0, a, b, c]) as usize;
        let stream = u32::from_be_bytes(stream);
        Some(Self { len, kind, flags, stream: stream & (u32::MAX >> 1), is_reserved: stream >> 31 == 1 })
    }

    /// Bytes of the frame with its header.
    pub(super) const fn size(&self) -> usize {
        HEADER + self.len
    }

    /// Whether `side` ends its half of the stream.
    pub(super) const fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & flag::END_STREAM != 0
    }

    /// Whether no CONTINUATION follows.
    pub(super) const fn ends_block(&self) -> bool {
        self.flags & flag::END_HEADERS != 0
    }

    /// Whether `side` may send this at all: sizes and streams are as their type wants them.
    pub(super) const fn is_allowed(&self, side: Side) -> bool {
        let of_connection = self.stream == 0;
        match self.kind {
            kind::DATA | kind::HEADERS | kind::CONTINUATION => !of_connection,
            kind::PRIORITY => !of_connection && self.len == 5,
            kind::RST_STREAM => !of_connection && self.len == 4,
            kind::SETTINGS => of_connection && self.len.is_multiple_of(6),
            kind::PUSH_PROMISE => !of_connection && matches!(side, Side::Server),
            kind::PING => of_connection && self.len == 8,
            kind::GOAWAY => of_connection && self.len >= 8,
            kind::WINDOW_UPDATE => self.len == 4,
            // Extensions (RFC 9113 section 5.5).
            _ => self.len <= USUAL,
        }
    }

    /// Whether this is a frame by all that is known of frames: for bytes of which nobody knows whether they are.
    pub(super) const fn is_sure(&self, side: Side) -> bool {
        let (flags, sane) = match self.kind {
            // An empty one that ends nothing is all zeros, as much else is.
            kind::DATA => (flag::END_STREAM | flag::PADDED, self.len > 0 || self.ends_stream()),
            kind::HEADERS => {
                (flag::END_STREAM | flag::END_HEADERS | flag::PADDED | flag::PRIORITY, self.stream % 2 == 1)
            }
            kind::SETTINGS => (flag::ACK, self.flags == 0 || self.len == 0),
            kind::PUSH_PROMISE => (flag::END_HEADERS | flag::PADDED, self.stream % 2 == 1),
            kind::PING => (flag::ACK, true),
            kind::CONTINUATION => (flag::END_HEADERS, true),
            kind::PRIORITY | kind::RST_STREAM | kind::GOAWAY | kind::WINDOW_UPDATE => (0, true),
            _ => return false,
        };
        sane && self.flags & !flags == 0 && !self.is_reserved && self.len <= USUAL && self.is_allowed(side)
    }

    /// What a frame with a header block has of it, as far as `payload` goes: without padding, priority and the promised
    /// stream (RFC 9113 sections 6.2, 6.6 and 6.10). Nothing where there is no room for these.
    pub(super) fn fragment<'a>(&self, payload: &'a [u8]) -> &'a [u8] {
        let is_padded = self.kind != kind::CONTINUATION && self.flags & flag::PADDED != 0;
        let padding = payload.first().filter(|_| is_padded).map_or(0, |len| usize::from(*len));
        let fields = match self.kind {
            kind::HEADERS if self.flags & flag::PRIORITY != 0 => 5,
            kind::PUSH_PROMISE => 4,
            _ => 0,
        };
        let from = usize::from(is_padded) + fields;
        let to = self.len.saturating_sub(padding).min(payload.len());
        payload.get(from..to).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: u32, kind: u8, flags: u8, stream: u32) -> Frame {
        let [_, a, b, c] = len.to_be_bytes();
        let mut bytes = vec![a, b, c, kind, flags];
        bytes.extend(stream.to_be_bytes());
        assert_eq!(Frame::of(&bytes[..8]), None);
        Frame::of(&bytes).unwrap()
    }

    #[test]
    fn sizes_and_streams_are_as_the_type_wants_them() {
        for (len, kind, stream) in
            [(0, 0, 1), (7, 1, 1), (5, 2, 3), (4, 3, 1), (12, 4, 0), (8, 6, 0), (9, 7, 0)]
        {
            let good = frame(len, kind, 0, stream);
            assert!(good.is_allowed(Side::Client), "{good:?}");
            let other = frame(len, kind, 0, u32::from(stream == 0));
            assert!(!other.is_allowed(Side::Client), "{other:?}");
        }
        assert!(!frame(6, 2, 0, 1).is_allowed(Side::Client) && !frame(7, 4, 0, 0).is_allowed(Side::Client));
        let promise = frame(9, 5, 4, 1);
        assert!(promise.is_allowed(Side::Server) && !promise.is_allowed(Side::Client));
        assert!(
            frame(9, 16, 0, 0).is_allowed(Side::Client) && !frame(99_999, 16, 0, 0).is_allowed(Side::Client)
        );
    }

    #[test]
    fn a_sure_frame_has_nothing_odd() {
        let sure = |len, kind, flags, stream| frame(len, kind, flags, stream).is_sure(Side::Client);
        assert!(
            sure(1, 0, 0, 1)
                && sure(0, 0, 1, 1)
                && sure(9, 1, 0x2d, 1)
                && sure(0, 4, 1, 0)
                && sure(4, 8, 0, 0)
        );
        assert!(!sure(0, 0, 0, 1) && !sure(1, 0, 4, 1) && !sure(9, 1, 0x25, 2) && !sure(6, 4, 1, 0));
        assert!(!sure(1, 0, 0, 1 << 31 | 1) && !sure(20_000, 0, 0, 1) && !sure(9, 16, 0, 0));
    }

    #[test]
    fn a_fragment_is_without_padding_and_priority() {
        let payload = b"\x02.....abcPP";
        let padded = frame(11, 1, 0x28, 1);
        assert_eq!(padded.fragment(payload), b"abc");
        assert_eq!(padded.fragment(&payload[..7]), b"a");
        assert_eq!(frame(11, 1, 0x8, 1).fragment(b"\x0f.....abcPP"), b"");
        assert_eq!(frame(6, 5, 0x4, 1).fragment(b"....ab"), b"ab");
        assert_eq!(frame(2, 9, 0xff, 1).fragment(b"ab"), b"ab");
        assert_eq!(padded.fragment(b""), b"");
    }
}
