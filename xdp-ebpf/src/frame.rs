//! A frame as the driver has received it, before there is a socket buffer.

use core::hint::cold_path;

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{bpf_probe_read_kernel, bpf_xdp_get_buff_len, bpf_xdp_load_bytes},
};
use flow_common::{
    dissect::NO_TAG,
    offload::Offload,
    packet::{Packet, Wire},
    workspace::Scratch,
};

use crate::{
    context::{Context, bounded, field},
    direct::{self, DIRECT},
};

/// With `FRAGS` it may lie in several buffers, of which programs reach the first one in place and the others by
/// helpers that came with Linux 5.18.
#[derive(Clone, Copy)]
pub(crate) struct Frame<const FRAGS: bool> {
    pub(crate) raw: *mut xdp_md,
    scratch: *mut Scratch,
}

/// A field of the context; the kernel turns `data`, `data_end` and `data_meta` into pointers.
macro_rules! word {
    ($frame:expr, $field:ident) => {
        field!($frame.raw, xdp_md, $field, "{0} = *(u32 *)({1} + {2})")
    };
}

impl<const FRAGS: bool> Frame<FRAGS> {
    /// See [`direct::change`].
    #[cfg(feature = "measure")]
    #[inline(always)]
    pub(crate) fn change(self, offset: u32, with: impl FnOnce(u32) -> u32) {
        let (data, end) = (word!(self, data) as usize, word!(self, data_end) as usize);
        // SAFETY: the context's pointers.
        unsafe { direct::change(offset, data, end, with) };
    }
}

impl<const FRAGS: bool> Context for Frame<FRAGS> {
    type Raw = xdp_md;
    const ROOMY: bool = false;

    #[inline(always)]
    fn new(raw: *mut xdp_md, scratch: *mut Scratch) -> Self {
        Self { raw, scratch }
    }

    #[inline(always)]
    fn ifindex(self) -> u32 {
        word!(self, ingress_ifindex) as u32
    }

    /// A tag that the network card has taken out is not to be had here.
    #[inline(always)]
    fn moved_tag(self) -> u16 {
        NO_TAG
    }

    /// Frames are as they came from the wire: receive offloads of the kernel come later, and it switches those of
    /// the network card off.
    #[inline(always)]
    fn offload(self) -> Offload {
        Offload::default()
    }

    /// Eight bytes of metadata before the frame.
    #[inline(always)]
    fn time(self) -> u64 {
        let (meta, data) = (|| word!(self, data_meta) as usize, || word!(self, data) as usize);
        // SAFETY: the context's pointers; metadata ends where data begins.
        unsafe { direct::read(0, meta, data) }.unwrap_or_default()
    }

    #[inline(always)]
    fn left(self, offset: u32) -> u32 {
        self.len().saturating_sub(offset)
    }

    #[inline(always)]
    fn copy<const N: u32>(self, offset: u32, len: u32, to: *mut u8) -> bool {
        let len = bounded::<N>(len);
        if FRAGS {
            // SAFETY: `to` has room for N bytes.
            return unsafe { bpf_xdp_load_bytes(self.raw, offset, to.cast(), len) == 0 };
        }
        if offset > DIRECT {
            return false;
        }
        let start = direct::place(offset, word!(self, data) as usize);
        if start + len as usize > word!(self, data_end) as usize {
            return false;
        }
        // SAFETY: `to` has room for N bytes, and so many are there. No other helper of kernels before 5.18 copies a
        // number of bytes that is not known beforehand.
        unsafe { bpf_probe_read_kernel(to.cast(), len, start as *const _) == 0 }
    }
}

impl<const FRAGS: bool> Packet for Frame<FRAGS> {
    const CAPTURED: bool = false;

    #[inline(always)]
    fn len(&self) -> u32 {
        if FRAGS {
            // SAFETY: the context that the kernel handed over.
            return unsafe { bpf_xdp_get_buff_len(self.raw) } as u32;
        }
        (word!(self, data_end) as usize).wrapping_sub(word!(self, data) as usize) as u32
    }

    /// From the first buffer where it reaches, else by the helper, if there may be another buffer.
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
        if !FRAGS {
            return None;
        }
        const { assert!(size_of::<T>() <= size_of::<Scratch>()) };
        // Not on the stack, of which a chain of calls has 512 bytes.
        let room: *mut T = self.scratch.cast();
        // SAFETY: room for size_of::<T>() bytes; the helper fills all of it or fails.
        let status = unsafe { bpf_xdp_load_bytes(self.raw, offset, room.cast(), size_of::<T>() as u32) };
        // SAFETY: filled, and any bytes make a T.
        (status == 0).then(|| unsafe { room.read_unaligned() })
    }
}
