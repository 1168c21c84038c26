//! Link layers other than Ethernet, as captures bring them (LINKTYPE_ registry of tcpdump.org).

use super::{Be16, readable};

/// Linux cooked capture, version 1 (LINKTYPE_LINUX_SLL): bytes of the header.
pub const SLL_LEN: u32 = 16;
/// Where version 1 keeps the EtherType.
pub const SLL_PROTOCOL: u32 = 14;
/// Version 2 (LINKTYPE_LINUX_SLL2): bytes of the header; the EtherType stands first.
pub const SLL2_LEN: u32 = 20;
/// Cisco HDLC: bytes of the header; the EtherType stands in the last two.
pub const CHDLC_LEN: u32 = 4;
/// BSD loopback: bytes of the address family.
pub const NULL_LEN: u32 = 4;
/// NFLOG: bytes of the fixed header; type-length-value records follow.
pub const NFLOG_LEN: u32 = 4;
/// NFLOG record that holds the packet.
pub const NFLOG_PAYLOAD: u16 = 9;

/// Address families of BSD loopback headers: 2 everywhere, IPv6 differs by system (NetBSD and OpenBSD 24,
/// FreeBSD 28, macOS 30).
#[inline(always)]
#[must_use]
pub const fn null_family(value: u32) -> Option<bool> {
    match value {
        2 => Some(false),
        24 | 28 | 30 => Some(true),
        _ => None,
    }
}

/// Head of an NFLOG record; values are in the byte order of the capturing host, nearly always little endian.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct NflogRecord {
    length: Be16,
    kind: Be16,
}
readable!(NflogRecord, 4);

impl NflogRecord {
    /// Bytes of head and value, without the padding to a multiple of four.
    #[must_use]
    pub const fn bytes(&self) -> u32 {
        let length = self.length;
        length.get().swap_bytes() as u32
    }

    /// Kind of record.
    #[must_use]
    pub const fn kind(&self) -> u16 {
        let kind = self.kind;
        kind.get().swap_bytes() & 0x7fff
    }
}
