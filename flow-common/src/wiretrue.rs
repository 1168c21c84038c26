//! Super-packets as the packets that cross the wire.
//!
//! Segmentation offload hands the kernel one packet of many segments. On the wire each segment carries its
//! own copy of all headers, up to and including the transport's.

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

/// Bytes and packets of one packet. `innermost` are the headers that the segments repeat (those of the
/// tunnelled packet, if there is one), `len` the frame's length, `tag_len` that of a VLAN tag moved out of it.
#[inline(always)]
#[must_use]
pub fn measure(headers: &Headers, innermost: &Headers, offload: Offload, len: u32, tag_len: u32) -> (Volume, Tally) {
    let packets = offload.wire_packets(innermost.payload_len);
    let repeats = packets - 1;
    let frame = u64::from(len) + u64::from(tag_len);
    let frame_bytes = frame + repeats * (u64::from(innermost.payload_offset) + u64::from(tag_len));
    let repeated_ip = innermost.payload_offset.saturating_sub(headers.ip_offset);
    let ip_bytes = u64::from(headers.ip_len) + repeats * u64::from(repeated_ip);
    let repeated_payload = innermost.payload_offset.saturating_sub(headers.payload_offset);
    let volume = Volume {
        packets,
        skb_packets: 1,
        ip_bytes,
        frame_bytes,
        payload_bytes: u64::from(headers.payload_len) + repeats * u64::from(repeated_payload),
    };
    let tally = Tally { packets, bytes: frame_bytes, skb_packets: 1, skb_bytes: u64::from(len) };
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
