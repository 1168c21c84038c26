//! Header layouts, one a file: words as they lie in the packet, accessors in host order.
//!
//! Words of natural width, not byte arrays: the BPF compiler then reads a header with a load per word.

pub mod erspan;
pub mod ethernet;
pub mod geneve;
pub mod gre;
pub mod gtp;
pub mod icmp;
pub mod ipv4;
pub mod ipv6;
pub mod link;
pub mod mpls;
pub mod ppp;
pub mod sctp;
pub mod tcp;
pub mod teredo;
pub mod udp;
pub mod vxlan;

/// A 16-bit word in network byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Be16(u16);

impl Be16 {
    /// In host order.
    #[inline(always)]
    #[must_use]
    pub const fn get(self) -> u16 {
        u16::from_be(self.0)
    }
}

/// A 32-bit word in network byte order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Be32(u32);

impl Be32 {
    /// In host order.
    #[inline(always)]
    #[must_use]
    pub const fn get(self) -> u32 {
        u32::from_be(self.0)
    }
}

/// Marks structs of words as readable from any bytes. Their words have their natural alignment, as the
/// verifier refuses misaligned access to copies on the stack.
macro_rules! readable {
    ($type:ty, $size:literal) => {
        // SAFETY: integers only and no padding, so that every bit pattern of its bytes is valid.
        unsafe impl $crate::packet::Wire for $type {}
        const _: () = assert!(size_of::<$type>() == $size);
    };
}
pub(crate) use readable;

readable!(Be16, 2);
readable!(Be32, 4);
