//! A socket buffer as a packet.

use core::arch::asm;

use crate::maps::{self, Scratch};
use aya_ebpf::{bindings::__sk_buff, helpers::generated::bpf_skb_load_bytes};
use flow_common::{
    dissect::NO_TAG,
    packet::{Packet, Wire},
    wiretrue::Offload,
};

/// Offsets beyond this are left to the helper: the verifier follows packet pointers up to 64 KiB only.
const DIRECT: u32 = 0x7fff;

#[derive(Clone, Copy)]
pub(crate) struct Skb(pub(crate) *mut __sk_buff);

/// One field of the context. Written out, as the compiler would work out a field's address once and keep it,
/// and the verifier takes no moved context pointer.
macro_rules! field {
    ($skb:expr, $field:ident, $load:literal) => {{
        let value: u64;
        // SAFETY: a load from the context that the kernel hands to every program.
        unsafe {
            asm!($load, out(reg) value, in(reg) $skb.0, const core::mem::offset_of!(__sk_buff, $field),
                options(pure, readonly, nostack));
        }
        value
    }};
}

/// A field of 32 bits; the kernel turns `data` and `data_end` into pointers.
macro_rules! word {
    ($skb:expr, $field:ident) => {
        field!($skb, $field, "{0} = *(u32 *)({1} + {2})")
    };
}

impl Skb {
    #[inline(always)]
    pub(crate) fn ifindex(self) -> u32 {
        word!(self, ifindex) as u32
    }

    /// Set by the daemon when it replays a capture.
    #[inline(always)]
    pub(crate) fn time(self) -> u64 {
        field!(self, tstamp, "{0} = *(u64 *)({1} + {2})")
    }

    /// Id of a VLAN tag that stands beside the frame instead of in it, or [`NO_TAG`].
    #[inline(always)]
    pub(crate) fn moved_tag(self) -> u16 {
        if word!(self, vlan_present) == 0 {
            return NO_TAG;
        }
        word!(self, vlan_tci) as u16 & 0xfff
    }

    #[inline(always)]
    pub(crate) fn offload(self) -> Offload {
        Offload { segments: word!(self, gso_segs) as u32, segment_size: word!(self, gso_size) as u32 }
    }

    /// Set by whoever measures, as is [`Skb::cb`].
    #[inline(always)]
    pub(crate) fn mark(self) -> u32 {
        word!(self, mark) as u32
    }

    /// The first word of the control buffer.
    #[inline(always)]
    pub(crate) fn cb(self) -> u32 {
        word!(self, cb) as u32
    }

    /// Replaces a word in the first 256 bytes, in host order.
    #[inline(always)]
    pub(crate) fn change(self, offset: u32, with: impl FnOnce(u32) -> u32) {
        // A bound that the verifier sees.
        let start = word!(self, data) as usize + (offset & 0xff) as usize;
        let mut end = start;
        // SAFETY: one addition, written out as in `read`.
        unsafe { asm!("{0} += 4", inout(reg) end) };
        if end <= word!(self, data_end) as usize {
            let place = start as *mut u32;
            // SAFETY: the comparison above proves that these bytes are there.
            let value = u32::from_be(unsafe { place.read_unaligned() });
            // SAFETY: the same.
            unsafe { place.write_unaligned(with(value).to_be()) };
        }
    }

    /// Bytes behind `offset` in the buffer.
    #[inline(always)]
    pub(crate) fn left(self, offset: u32) -> u32 {
        (word!(self, len) as u32).saturating_sub(offset)
    }

    /// Copies 1 to N bytes; N must be a power of two. False where the packet ends before.
    #[inline(always)]
    pub(crate) fn copy<const N: u32>(self, offset: u32, len: u32, to: *mut u8) -> bool {
        let mut len = u64::from(len);
        // SAFETY: arithmetic on one register. It changes no length of 1..=N, and is the form in which verifiers
        // since 5.10 see that it is one; the compiler would leave it out.
        unsafe { asm!("{0} += -1", "{0} &= {1}", "{0} += 1", inout(reg) len, const N - 1) };
        // SAFETY: `to` has room for N bytes.
        unsafe { bpf_skb_load_bytes(self.0.cast(), offset, to.cast(), len as u32) == 0 }
    }
}

impl Packet for Skb {
    const CAPTURED: bool = false;

    /// In a replay the context says what the capture had on the wire, of which the buffer may hold a part.
    #[inline(always)]
    fn len(&self) -> u32 {
        if maps::setting(|settings| &settings.packet_time) != 0 {
            return word!(self, wire_len) as u32;
        }
        word!(self, len) as u32
    }

    /// From the linear part where it reaches, else by the helper, which also finds paged data.
    #[inline(always)]
    fn read<T: Wire>(&self, offset: u32) -> Option<T> {
        if offset <= DIRECT {
            let mut offset = offset as usize;
            // SAFETY: arithmetic on one register, which leaves an offset of at most DIRECT as it is. Verifiers before
            // 6.8 apply the comparison above to one copy of it only, and the compiler may add up another.
            unsafe { asm!("{0} &= {1}", inout(reg) offset, const DIRECT) };
            let start = word!(self, data) as usize + offset;
            let mut end = start;
            // SAFETY: one addition. Written out, as the compiler would turn `start + 1 <= end` into
            // `start < end`, from which the verifier learns nothing.
            unsafe { asm!("{0} += {1}", inout(reg) end, const size_of::<T>()) };
            if end <= word!(self, data_end) as usize {
                // SAFETY: the comparison above is the verifier's proof that these bytes are there, and
                // `Wire` says that any bytes make a T.
                return Some(unsafe { (start as *const T).read_unaligned() });
            }
        }
        const { assert!(size_of::<T>() <= size_of::<Scratch>()) };
        // Not on the stack, of which a chain of calls has 512 bytes.
        let room: *mut T = maps::SCRATCH.get_ptr_mut(0)?.cast();
        // SAFETY: room for size_of::<T>() bytes; the helper fills all of it or fails.
        let status = unsafe { bpf_skb_load_bytes(self.0.cast(), offset, room.cast(), size_of::<T>() as u32) };
        // SAFETY: filled, and any bytes make a T.
        (status == 0).then(|| unsafe { room.read_unaligned() })
    }
}
