//! Memory of a map, shared with the programs that write to it.

use std::{
    io,
    os::fd::{AsRawFd as _, OwnedFd},
    ptr::NonNull,
    sync::atomic::AtomicU64,
};

/// A part of an array that was made with `BPF_F_MMAPABLE`. Programs write to this memory at any time, so that it
/// is only ever touched as atomic words.
pub(crate) struct Mapping {
    start: NonNull<AtomicU64>,
    bytes: usize,
}

// SAFETY: the memory belongs to the mapping, and all access to it is atomic.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `bytes` from `offset` on, a multiple of the page size.
    pub(crate) fn new(map: &OwnedFd, offset: usize, bytes: usize) -> io::Result<Self> {
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes, protection, libc::MAP_SHARED, map.as_raw_fd(), offset)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Self { start, bytes })
    }

    pub(crate) const fn words(&self) -> &[AtomicU64] {
        // SAFETY: aligned words of a mapping that lives as long as `self`, never touched but atomically.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes / size_of::<AtomicU64>()) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `new`, which nothing refers to any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
