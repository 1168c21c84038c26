//! Ethernet II (IEEE 802.3) and VLAN tags (IEEE 802.1Q, 802.1ad).

use super::{Be32, readable};

/// Bytes of an Ethernet header without tags.
pub const HEADER_LEN: u32 = 14;
/// Where the EtherType stands.
pub const ETHERTYPE_OFFSET: u32 = 12;

/// EtherTypes (IANA "IEEE 802 Numbers").
pub mod ethertype {
    pub const IPV4: u16 = 0x0800;
    pub const ARP: u16 = 0x0806;
    pub const RARP: u16 = 0x8035;
    pub const VLAN: u16 = 0x8100;
    pub const IPV6: u16 = 0x86dd;
    pub const MPLS: u16 = 0x8847;
    pub const MPLS_MULTICAST: u16 = 0x8848;
    pub const PPPOE_SESSION: u16 = 0x8864;
    pub const QINQ: u16 = 0x88a8;
    /// Stacked tags before 802.1ad, still found on older switches.
    pub const QINQ_OLD: u16 = 0x9100;
    /// The same on other switches.
    pub const QINQ_OLDER: u16 = 0x9200;
    /// Ethernet in GRE, Geneve and NVGRE (RFC 7637).
    pub const TRANSPARENT_ETHERNET: u16 = 0x6558;
    /// PPP in GRE (RFC 2637).
    pub const PPP: u16 = 0x880b;
    /// ERSPAN in GRE, types I and II.
    pub const ERSPAN: u16 = 0x88be;
    /// ERSPAN in GRE, type III.
    pub const ERSPAN_III: u16 = 0x22eb;
}

/// Up to this the field is the frame's length, and LLC follows (IEEE 802.3 section 3.2.6).
pub const MAX_LENGTH: u16 = 1_500;

/// LLC's header for SNAP: both service access points and unnumbered information, an organisation, and its protocol
/// (RFC 1042).
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Snap {
    control_organisation: Be32,
    organisation_ethertype: Be32,
}
readable!(Snap, 8);

impl Snap {
    /// The EtherType. Two organisations carry one: zeros (RFC 1042), and 00-00-F8, by which a bridge keeps what was not
    /// Ethernet before (IEEE 802.1H). `None` where this is LLC without SNAP, or another's protocol.
    #[inline(always)]
    #[must_use]
    pub const fn ethertype(self) -> Option<u16> {
        let (start, end) = (self.control_organisation.get(), self.organisation_ethertype.get());
        if start == 0xaaaa_0300 && matches!(end >> 16, 0 | 0x00f8) { Some(end as u16) } else { None }
    }
}

/// What follows an EtherType of a VLAN.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct VlanTag {
    tci_ethertype: Be32,
}
readable!(VlanTag, 4);

impl VlanTag {
    /// VLAN identifier, 0 for a priority tag.
    #[inline(always)]
    #[must_use]
    pub const fn id(&self) -> u16 {
        (self.tci_ethertype.get() >> 16) as u16 & 0xfff
    }

    /// What the tag wraps.
    #[inline(always)]
    #[must_use]
    pub const fn ethertype(&self) -> u16 {
        self.tci_ethertype.get() as u16
    }
}

/// Whether an EtherType announces a [`VlanTag`].
#[inline(always)]
#[must_use]
pub const fn is_vlan(ethertype: u16) -> bool {
    matches!(ethertype, ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_OLD | ethertype::QINQ_OLDER)
}
