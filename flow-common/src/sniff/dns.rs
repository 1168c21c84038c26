//! DNS by its port: what UDP carries as a whole, and what a TCP stream is made of.

use super::Find;
use crate::{
    dissect::{Fragment, Headers, transport::protocol::UDP},
    event::PayloadKind,
    settings::copies,
};

/// Bytes of a message that are copied at least, where so many are there: what resolvers let each other send
/// over UDP by default (DNS flag day 2020).
pub const DNS_BYTES: u32 = 1232;

const PORT: u16 = 53;
/// A message is no shorter than its header (RFC 1035 section 4.1.1).
const HEADER_LEN: u32 = 12;

/// Bytes of a message that are copied, where so many bytes of an HTTP head are.
#[inline(always)]
#[must_use]
pub const fn limit(head_bytes: u32) -> u32 {
    if head_bytes > DNS_BYTES { head_bytes } else { DNS_BYTES }
}

/// Whether one of the ports is that of DNS.
#[inline(always)]
pub(super) const fn port(headers: &Headers) -> bool {
    headers.source.port == PORT || headers.destination.port == PORT
}

/// Looks at a packet that is not TCP; `wanted` has bits of [`copies`].
#[inline(always)]
pub fn datagram(headers: &Headers, wanted: u32, head_bytes: u32) -> Option<Find> {
    let message = wanted & copies::DNS != 0
        && headers.protocol == UDP
        && port(headers)
        && !matches!(headers.fragment, Fragment::Later)
        && headers.payload_len >= HEADER_LEN;
    message.then(|| Find { kind: PayloadKind::Dns, len: headers.payload_len.min(limit(head_bytes)) })
}
