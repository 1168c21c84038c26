//! MPLS label stack (RFC 3032).

/// Bytes of a label stack entry.
pub const ENTRY_LEN: u32 = 4;

/// Whether an entry, in host order, is the last of its stack.
#[inline(always)]
#[must_use]
pub const fn is_bottom(entry: u32) -> bool {
    entry & 0x100 != 0
}
