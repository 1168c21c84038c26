//! From bytes to headers: where the IP packet is, who talks to whom, and what TCP or ICMP says.
//!
//! A step a file: [`link`] finds the IP packet in a frame, [`ip`] reads IPv4 and IPv6, [`transport`]
//! the ports and TCP's fields, [`tunnel`] looks for a packet inside.

mod headers;
pub mod ip;
pub mod link;
mod pseudowire;
pub mod transport;
pub mod tunnel;

pub use headers::{Fragment, Headers, Link, NO_TAG, Segment, Skip, Start, Transport};

use crate::{counter::Family, packet::Packet, verifier::launder};

/// Reads the headers of one packet into `headers`.
///
/// # Errors
/// The reason that makes the packet belong to no flow.
#[inline(always)]
pub fn dissect<P: Packet>(packet: &P, start: &Start, headers: &mut Headers) -> Result<(), Skip> {
    headers.fragment = Fragment::Whole;
    headers.identification = 0;
    headers.jumbo_len = 0;
    headers.transport = Transport::Other;
    headers.segment = Segment::NONE;
    headers.icmp = (0, 0);
    let found = link::find_ip(packet, start, headers)?;
    headers.family = found.family;
    let offset = launder(&mut headers.ip_offset, found.offset);
    let (at, protocol) = match found.family {
        Family::Ipv4 => ip::ipv4(packet, offset, headers)?,
        _ => ip::ipv6(packet, offset, headers)?,
    };
    headers.protocol = protocol;
    let at = launder(&mut headers.payload_offset, at);
    let header_len = transport::read(packet, at, protocol, headers)?;
    headers.payload_offset = at + header_len;
    headers.payload_len = headers.end().saturating_sub(headers.payload_offset);
    Ok(())
}
