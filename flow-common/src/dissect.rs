//! From bytes to headers: where the IP packet is, who talks to whom, and what TCP or ICMP says.
//!
//! A step a file: [`link`] finds the IP packet in a frame, [`network`] reads IPv4 and IPv6, [`transport`]
//! the ports and TCP's fields, [`tunnel`] looks for a packet inside.

pub mod link;
pub mod network;
pub mod transport;
pub mod tunnel;

use crate::{
    counter::{Counter, Family},
    key::Endpoint,
    packet::Packet,
};
use link::Link;
use transport::Transport;

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

/// Where to begin: at a frame's start, or at what a tunnel carries.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub offset: u32,
    pub link: Link,
    /// VLAN id of a tag that the NIC or the kernel has moved out of the frame.
    pub moved_tag: Option<u16>,
}

/// What role a packet plays in a fragmented datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// Not fragmented, or alone in its datagram (RFC 6946).
    Whole,
    /// Holds the ports for all fragments of `identification`.
    First { identification: u32 },
    /// Its ports are in the first fragment.
    Later { identification: u32 },
}

/// All that accounting needs to know of one packet. Offsets and lengths in bytes, as on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Headers {
    pub source: Endpoint,
    pub destination: Endpoint,
    /// VLAN ids from the outermost, 0 where there is none.
    pub vlans: [u16; 3],
    pub family: Family,
    /// IP protocol; for IPv6 the one behind the extension headers.
    pub protocol: u8,
    /// DSCP and ECN.
    pub tos: u8,
    pub fragment: Fragment,
    /// Where the IP header begins.
    pub ip_offset: u32,
    /// IP header and payload.
    pub ip_len: u32,
    /// Where the payload of the transport protocol begins.
    pub payload_offset: u32,
    /// Payload of the transport protocol.
    pub payload_len: u32,
    pub transport: Transport,
}

impl Headers {
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

/// Reads the headers of one packet.
///
/// # Errors
/// The reason that makes the packet belong to no flow.
#[inline(always)]
pub fn dissect<P: Packet>(packet: &P, start: &Start) -> Result<Headers, Skip> {
    let network = link::find_ip(packet, start)?;
    let ip = match network.family {
        Family::Ipv4 => network::ipv4(packet, &network)?,
        _ => network::ipv6(packet, &network)?,
    };
    transport::read(packet, &network, &ip)
}
