//! ERSPAN: mirrored Ethernet frames in GRE (draft-foschiano-erspan).

use super::{Be32, readable};

/// Bytes of the header of type II.
pub const HEADER_LEN_II: u32 = 8;
/// Bytes of the header of type III, without the subheader of a platform.
pub const HEADER_LEN_III: u32 = 12;
/// Bytes of that subheader.
pub const SUBHEADER_LEN: u32 = 8;
/// Where type III keeps its [`Flags`].
pub const FLAGS_OFFSET: u32 = 8;

/// The first word of types II and III.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Erspan {
    version_vlan_session: Be32,
}
readable!(Erspan, 4);

impl Erspan {
    /// 1 for type II, 2 for type III.
    #[inline(always)]
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version_vlan_session.get() >> 28
    }

    /// The mirror session.
    #[inline(always)]
    #[must_use]
    pub const fn session(&self) -> u32 {
        self.version_vlan_session.get() & 0x3ff
    }
}

/// The last word of type III.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Flags {
    group_flags: Be32,
}
readable!(Flags, 4);

impl Flags {
    /// 0 for an Ethernet frame, 2 for a bare IP packet.
    #[inline(always)]
    #[must_use]
    pub const fn frame_type(&self) -> u32 {
        self.group_flags.get() >> 10 & 0x1f
    }

    /// Whether the subheader of a platform follows.
    #[inline(always)]
    #[must_use]
    pub const fn has_subheader(&self) -> bool {
        self.group_flags.get() & 1 == 1
    }
}
