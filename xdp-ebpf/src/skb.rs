//! A socket buffer as a packet.

use core::{arch::asm, mem::MaybeUninit};

use aya_ebpf::{bindings::__sk_buff, helpers::generated::bpf_skb_load_bytes};
use flow_common::{
    packet::{Packet, Wire},
    wiretrue::Offload,
};

/// Offsets beyond this are left to the helper: the verifier follows packet pointers up to 64 KiB only.
const DIRECT: u32 = 0x7fff;

#[derive(Clone, Copy)]
pub(crate) struct Skb(pub(crate) *mut __sk_buff);

impl Skb {
    #[inline(always)]
    fn field<T>(self, get: impl Fn(&__sk_buff) -> T) -> T {
        // SAFETY: the kernel hands every program a valid context, and rewrites these loads.
        get(unsafe { &*self.0 })
    }

    #[inline(always)]
    pub(crate) fn ifindex(self) -> u32 {
        self.field(|skb| skb.ifindex)
    }

    /// Set by the daemon when it replays a capture.
    #[inline(always)]
    pub(crate) fn time(self) -> u64 {
        self.field(|skb| skb.tstamp)
    }

    /// Id of a VLAN tag that stands beside the frame instead of in it.
    #[inline(always)]
    pub(crate) fn moved_tag(self) -> Option<u16> {
        (self.field(|skb| skb.vlan_present) != 0).then(|| (self.field(|skb| skb.vlan_tci) & 0xfff) as u16)
    }

    #[inline(always)]
    pub(crate) fn offload(self) -> Offload {
        Offload { segments: self.field(|skb| skb.gso_segs), segment_size: self.field(|skb| skb.gso_size) }
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
    #[inline(always)]
    fn len(&self) -> u32 {
        self.field(|skb| skb.len)
    }

    /// From the linear part where it reaches, else by the helper, which also finds paged data.
    #[inline(always)]
    fn read<T: Wire>(&self, offset: u32) -> Option<T> {
        if offset <= DIRECT {
            let start = self.field(|skb| skb.data) as usize + offset as usize;
            let mut end = start;
            // SAFETY: one addition. Written out, as the compiler would turn `start + 1 <= end` into
            // `start < end`, from which the verifier learns nothing.
            unsafe { asm!("{0} += {1}", inout(reg) end, const size_of::<T>()) };
            if end <= self.field(|skb| skb.data_end) as usize {
                // SAFETY: the comparison above is the verifier's proof that these bytes are there, and
                // `Wire` says that any bytes make a T.
                return Some(unsafe { (start as *const T).read_unaligned() });
            }
        }
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: room for size_of::<T>() bytes; the helper fills all of it or fails.
        let status =
            unsafe { bpf_skb_load_bytes(self.0.cast(), offset, value.as_mut_ptr().cast(), size_of::<T>() as u32) };
        if status == 0 {
            // SAFETY: filled above, and any bytes make a T.
            Some(unsafe { value.assume_init() })
        } else {
            None
        }
    }
}
