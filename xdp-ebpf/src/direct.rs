//! Packet bytes in place.

use core::arch::asm;

use flow_common::packet::Wire;

/// Offsets beyond this are left to a helper: the verifier follows packet pointers up to 64 KiB only.
pub(crate) const DIRECT: u32 = 0x7fff;

/// The value at `offset` of at most [`DIRECT`] behind `data`, if it ends at `end` or before.
///
/// # Safety
/// `data` and `end` are the pointers of those names in the context of a program.
#[inline(always)]
pub(crate) unsafe fn read<T: Wire>(
    offset: u32,
    data: impl FnOnce() -> usize,
    end: impl FnOnce() -> usize,
) -> Option<T> {
    let start = place(offset, data());
    let mut last = start;
    // SAFETY: one addition. Written out, as the compiler would turn `start + 1 <= end` into `start < end`, from
    // which the verifier learns nothing.
    unsafe { asm!("{0} += {1}", inout(reg) last, const size_of::<T>()) };
    if last > end() {
        return None;
    }
    // SAFETY: the comparison above is the verifier's proof that these bytes are there, and `Wire` says that any
    // bytes make a T.
    Some(unsafe { (start as *const T).read_unaligned() })
}

/// Where `offset` of at most [`DIRECT`] is.
#[inline(always)]
pub(crate) fn place(offset: u32, data: usize) -> usize {
    let mut offset = offset as usize;
    // SAFETY: arithmetic on one register, which leaves an offset of at most DIRECT as it is. Verifiers before
    // 6.8 apply the caller's comparison to one copy of it only, and the compiler may add up another.
    unsafe { asm!("{0} &= {1}", inout(reg) offset, const DIRECT) };
    data + offset
}

/// Replaces a word in the first 256 bytes, in host order, for programs that measure.
///
/// # Safety
/// As for [`read`].
#[cfg(feature = "measure")]
#[inline(always)]
pub(crate) unsafe fn change(offset: u32, data: usize, data_end: usize, with: impl FnOnce(u32) -> u32) {
    // A bound that the verifier sees.
    let start = data + (offset & 0xff) as usize;
    let mut end = start;
    // SAFETY: one addition, written out as in `read`.
    unsafe { asm!("{0} += 4", inout(reg) end) };
    if end <= data_end {
        let place = start as *mut u32;
        // SAFETY: the comparison above proves that these bytes are there.
        let value = u32::from_be(unsafe { place.read_unaligned() });
        // SAFETY: the same.
        unsafe { place.write_unaligned(with(value).to_be()) };
    }
}
