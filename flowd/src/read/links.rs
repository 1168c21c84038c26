//! Link types of captures (LINKTYPE_ registry of tcpdump.org) and how their packets begin.

use flow_common::dissect::Link;

/// How packets of a link type begin; `None` for types that flowd does not read.
pub(super) const fn link(number: u32) -> Option<Link> {
    Some(match number {
        1 => Link::Ethernet,
        // Raw IP: the registered number, two older ones in use, and the ones for a single family.
        101 | 12 | 14 | 228 | 229 => Link::Ip,
        0 | 108 => Link::Null,
        9 | 50 => Link::Ppp,
        104 => Link::CiscoHdlc,
        113 => Link::Sll,
        276 => Link::Sll2,
        239 => Link::Nflog,
        _ => return None,
    })
}
