//! A socket buffer as a packet.

use core::hint::cold_path;

use crate::{
    context::{Context, bounded, field},
    direct::{self, DIRECT},
    maps,
};
use aya_ebpf::{bindings::__sk_buff, helpers::generated::bpf_skb_load_bytes};
use flow_common::{
    dissect::NO_TAG,
    offload::Offload,
    packet::{Packet, Wire},
    workspace::Scratch,
};

#[derive(Clone, Copy)]
pub(crate) struct Skb {
    pub(crate) raw: *mut __sk_buff,
    scratch: *mut Scratch,
}

/// A field of 32 bits; the kernel turns `data` and `data_end` into pointers.
macro_rules! word {
    ($skb:expr, $field:ident) => {
        field!($skb.raw, __sk_buff, $field, "{0} = *(u32 *)({1} + {2})")
    };
}

impl Skb {
    /// Set by whoever measures, as is [`Skb::cb`].
    #[cfg(feature = "measure")]
    #[inline(always)]
    pub(crate) fn mark(self) -> u32 {
        word!(self, mark) as u32
    }

    /// The first word of the control buffer.
    #[cfg(feature = "measure")]
    #[inline(always)]
    pub(crate) fn cb(self) -> u32 {
        word!(self, cb) as u32
    }

    /// Replaces a word in the first 256 bytes, in host order.
    #[cfg(feature = "measure")]
    #[inline(always)]
    pub(crate) fn change(self, offset: u32, with: impl FnOnce(u32) -> u32) {
        let (data, end) = (word!(self, data) as usize, word!(self, data_end) as usize);
        // SAFETY: the context's pointers.
        unsafe { direct::change(offset, data, end, with) };
    }
}

impl Context for Skb {
    type Raw = __sk_buff;
    const ROOMY: bool = true;

    #[inline(always)]
    fn new(raw: *mut __sk_buff, scratch: *mut Scratch) -> Self {
        Self { raw, scratch }
    }

    #[inline(always)]
    fn ifindex(self) -> u32 {
        word!(self, ifindex) as u32
    }

    #[inline(always)]
    fn time(self) -> u64 {
        field!(self.raw, __sk_buff, tstamp, "{0} = *(u64 *)({1} + {2})")
    }

    #[inline(always)]
    fn moved_tag(self) -> u16 {
        if word!(self, vlan_present) == 0 {
            return NO_TAG;
        }
        word!(self, vlan_tci) as u16 & 0xfff
    }

    #[inline(always)]
    fn offload(self) -> Offload {
        Offload { segments: word!(self, gso_segs) as u32, segment_size: word!(self, gso_size) as u32 }
    }

    #[inline(always)]
    fn left(self, offset: u32) -> u32 {
        (word!(self, len) as u32).saturating_sub(offset)
    }

    #[inline(always)]
    fn copy<const N: u32>(self, offset: u32, len: u32, to: *mut u8) -> bool {
        // SAFETY: `to` has room for N bytes.
        unsafe { bpf_skb_load_bytes(self.raw.cast(), offset, to.cast(), bounded::<N>(len)) == 0 }
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
            let (data, end) = (|| word!(self, data) as usize, || word!(self, data_end) as usize);
            // SAFETY: the context's pointers.
            let read = unsafe { direct::read(offset, data, end) };
            if read.is_some() {
                return read;
            }
        }
        cold_path();
        const { assert!(size_of::<T>() <= size_of::<Scratch>()) };
        // Not on the stack, of which a chain of calls has 512 bytes.
        let room: *mut T = self.scratch.cast();
        // SAFETY: room for size_of::<T>() bytes; the helper fills all of it or fails.
        let status =
            unsafe { bpf_skb_load_bytes(self.raw.cast(), offset, room.cast(), size_of::<T>() as u32) };
        // SAFETY: filled, and any bytes make a T.
        (status == 0).then(|| unsafe { room.read_unaligned() })
    }
}
