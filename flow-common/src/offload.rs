//! Super-packets as the packets that cross the wire.
//!
//! Segmentation offload hands the kernel one packet of many segments. On the wire each segment carries its
//! own copy of all headers, up to and including the transport's, but for an IPv6 jumbo option: Linux puts one
//! into super-packets of over 64 KiB and takes it out again where they are cut.

use crate::{counter::Tally, dissect::Headers, record::Volume};

/// What the kernel says of a packet's segments; 0 and 0 for an ordinary packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// Segments (`gso_segs`); 0 where the sender of the packet left it to be worked out.
    pub segments: u32,
    /// Payload bytes of each segment but the last (`gso_size`).
    pub segment_size: u32,
}

impl Offload {
    /// Whether this is a super-packet.
    #[inline(always)]
    #[must_use]
    pub const fn is_super(self) -> bool {
        self.segment_size != 0
    }

    /// Packets on the wire for `payload_len` bytes; at least 1.
    #[inline(always)]
    #[must_use]
    pub const fn wire_packets(self, payload_len: u32) -> u64 {
        if self.segment_size == 0 {
            return 1;
        }
        if self.segments != 0 {
            return self.segments as u64;
        }
        let packets = payload_len.div_ceil(self.segment_size);
        if packets == 0 { 1 } else { packets as u64 }
    }
}

/// The stretch of a packet that one layer of accounting looks at.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// Where it begins; not 0 inside a tunnel.
    pub start: u32,
    pub len: u32,
    /// Bytes of a VLAN tag moved out of it.
    pub tag_len: u32,
}

/// Bytes and packets of one packet. `innermost` is the payload of the innermost packet, offset and length:
/// the segments repeat what stands before it.
#[inline(always)]
#[must_use]
pub fn measure(headers: &Headers, innermost: (u32, u32), offload: Offload, frame: &Frame) -> (Volume, Tally) {
    let (offset, payload_len) = innermost;
    let packets = offload.wire_packets(payload_len);
    let repeats = packets - 1;
    let left_out = if offload.is_super() { packets * u64::from(headers.jumbo_len) } else { 0 };
    let with_repeated = |len: u32, from: u32| {
        (u64::from(len) + repeats * u64::from(offset.saturating_sub(from))).saturating_sub(left_out)
    };
    let frame_bytes = with_repeated(frame.len, frame.start) + packets * u64::from(frame.tag_len);
    let volume = Volume {
        packets,
        skb_packets: 1,
        ip_bytes: with_repeated(headers.ip_len, headers.ip_offset),
        frame_bytes,
        payload_bytes: u64::from(headers.payload_len)
            + repeats * u64::from(offset.saturating_sub(headers.payload_offset)),
    };
    let tally = Tally { packets, bytes: frame_bytes, skb_packets: 1, skb_bytes: u64::from(frame.len) };
    (volume, tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_worked_out_where_nobody_says() {
        assert_eq!(Offload::default().wire_packets(5000), 1);
        assert_eq!(Offload { segments: 4, segment_size: 1448 }.wire_packets(1), 4);
        assert_eq!(Offload { segments: 0, segment_size: 1000 }.wire_packets(3001), 4);
        assert_eq!(Offload { segments: 0, segment_size: 1000 }.wire_packets(0), 1);
    }
}
