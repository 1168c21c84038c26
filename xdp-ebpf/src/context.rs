//! What a hook hands to its program, whichever hook it is.

use flow_common::{offload::Offload, packet::Packet, workspace::Scratch};

/// A packet with what the kernel says of it.
pub(crate) trait Context: Packet + Copy {
    /// What the kernel hands over.
    type Raw;

    /// Whether programs for it have instructions left for a third way to copy, which saves one copy of HTTP heads.
    const ROOMY: bool;

    /// `scratch` is for what cannot be read in place.
    fn new(raw: *mut Self::Raw, scratch: *mut Scratch) -> Self;

    fn ifindex(self) -> u32;

    /// Id of a VLAN tag that stands beside the frame instead of in it, or [`flow_common::dissect::NO_TAG`].
    fn moved_tag(self) -> u16;

    fn offload(self) -> Offload;

    /// Set by the daemon when it replays a capture.
    fn time(self) -> u64;

    /// Bytes behind `offset` in the buffer.
    fn left(self, offset: u32) -> u32;

    /// Copies 1 to N bytes; N must be a power of two. False where the packet ends before.
    fn copy<const N: u32>(self, offset: u32, len: u32, to: *mut u8) -> bool;
}

/// One field of the context. Written out, as the compiler would work out a field's address once and keep it,
/// and the verifier takes no moved context pointer.
macro_rules! field {
    ($pointer:expr, $context:ty, $field:ident, $load:literal) => {{
        let value: u64;
        // SAFETY: a load from the context that the kernel hands to every program.
        unsafe {
            core::arch::asm!($load, out(reg) value, in(reg) $pointer,
                const core::mem::offset_of!($context, $field), options(pure, readonly, nostack));
        }
        value
    }};
}
pub(crate) use field;

/// Keeps `len` in 1..=N before the verifier's eyes; N must be a power of two.
#[inline(always)]
pub(crate) fn bounded<const N: u32>(len: u32) -> u32 {
    let mut len = u64::from(len);
    // SAFETY: arithmetic on one register. It changes no length of 1..=N, and is the form in which verifiers
    // since 5.10 see that it is one; the compiler would leave it out.
    unsafe { core::arch::asm!("{0} += -1", "{0} &= {1}", "{0} += 1", inout(reg) len, const N - 1) };
    len as u32
}
