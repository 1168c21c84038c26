//! What is read of a packet, and why there may be nothing.

use crate::{
    counter::{Counter, Family},
    key::Endpoint,
    wire::tcp::flag,
};

/// How a packet begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    Ethernet,
    /// The IP header comes first; its version tells the family.
    Ip,
    /// Linux cooked capture, versions 1 and 2.
    Sll,
    Sll2,
    /// BSD loopback in the byte order of the capturing host (null) or of the network (loop).
    Null,
    /// PPP with or without HDLC-like framing.
    Ppp,
    CiscoHdlc,
    Nflog,
}

/// Why a packet has no headers to account by, and what it would have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip {
    pub counter: Counter,
    pub family: Family,
}

impl Skip {
    #[inline(always)]
    pub(crate) const fn new(counter: Counter, family: Family) -> Self {
        Self { counter, family }
    }
}

/// No tag: an id that 12 bits cannot hold.
pub const NO_TAG: u16 = u16::MAX;

/// Where to begin: at a frame's start, or at what a tunnel carries.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub offset: u32,
    pub link: Link,
    /// VLAN id of a tag that the NIC or the kernel has moved out of the frame, or [`NO_TAG`].
    pub moved_tag: u16,
}

/// What role a packet plays in a fragmented datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// Not fragmented, or alone in its datagram (RFC 6946).
    Whole,
    /// Holds the ports for all fragments of its identification.
    First,
    /// Its ports are in the first fragment.
    Later,
}

/// All that accounting needs to know of one packet. Offsets and lengths in bytes, as on the wire.
///
/// Flat, without values inside of enums: what a variant leaves unset would be a read of uninitialised memory
/// to the verifier.
#[derive(Clone, Copy, Debug)]
pub struct Headers {
    pub source: Endpoint,
    pub destination: Endpoint,
    /// VLAN ids from the outermost, 12 bits each from bit 0 on, 0 where there is none.
    pub vlans: u64,
    pub family: Family,
    /// IP protocol; for IPv6 the one behind the extension headers.
    pub protocol: u8,
    /// DSCP and ECN.
    pub tos: u8,
    pub fragment: Fragment,
    /// Names the datagram that a fragment belongs to; 0 for whole packets.
    pub identification: u32,
    /// Where the IP header begins.
    pub ip_offset: u32,
    /// IP header and payload.
    pub ip_len: u32,
    /// Bytes of an IPv6 jumbo option, which super-packets carry and their segments do not.
    pub jumbo_len: u32,
    /// Where the payload of the transport protocol begins.
    pub payload_offset: u32,
    /// Payload of the transport protocol.
    pub payload_len: u32,
    pub transport: Transport,
    /// All 0 where `transport` is not TCP.
    pub segment: Segment,
    /// Type and code; 0 where `transport` is not ICMP.
    pub icmp: (u8, u8),
}

impl Headers {
    /// Of no packet, to be filled.
    pub const NONE: Self = Self {
        source: Endpoint { address: [0; 2], port: 0 },
        destination: Endpoint { address: [0; 2], port: 0 },
        vlans: 0,
        family: Family::Other,
        protocol: 0,
        tos: 0,
        fragment: Fragment::Whole,
        identification: 0,
        ip_offset: 0,
        ip_len: 0,
        jumbo_len: 0,
        payload_offset: 0,
        payload_len: 0,
        transport: Transport::Other,
        segment: Segment::NONE,
        icmp: (0, 0),
    };

    /// Where the payload begins and how long it is.
    #[inline(always)]
    #[must_use]
    pub const fn payload(&self) -> (u32, u32) {
        (self.payload_offset, self.payload_len)
    }

    /// Where the IP packet ends.
    #[inline(always)]
    #[must_use]
    pub const fn end(&self) -> u32 {
        self.ip_offset.saturating_add(self.ip_len)
    }
}

/// What the transport header says beside the ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Nothing more.
    Other,
    /// TCP's fields, in [`Headers::segment`].
    Tcp,
    /// ICMP's type and code, in [`Headers::icmp`].
    Icmp,
    /// The same of a message that answers another.
    IcmpAnswer,
}

/// A TCP segment's header, in host order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    pub sequence: u32,
    pub acknowledgement: u32,
    /// Not scaled.
    pub window: u16,
    /// Bits of [`crate::wire::tcp::flag`].
    pub flags: u16,
    /// Value and echo of the timestamps option (RFC 7323); 0 and 0 where there is none.
    pub timestamp: u32,
    pub echo: u32,
}

impl Segment {
    /// Of packets that are not TCP.
    pub const NONE: Self =
        Self { sequence: 0, acknowledgement: 0, window: 0, flags: 0, timestamp: 0, echo: 0 };

    /// Sequence number of the first payload byte: a SYN takes one itself (RFC 9293 section 3.4).
    #[inline(always)]
    #[must_use]
    pub const fn payload_sequence(&self) -> u32 {
        self.sequence.wrapping_add((self.flags & flag::SYN != 0) as u32)
    }
}
