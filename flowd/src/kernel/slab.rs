//! The flow records, mapped into this process: read in place, without a system call per flow.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::AsRawFd,
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use flow_common::record::{FlowRecord, life};

const WORDS: usize = size_of::<FlowRecord>() / size_of::<u64>();
const _: () = assert!(size_of::<FlowRecord>().is_multiple_of(size_of::<u64>()));
const LIFE: usize = std::mem::offset_of!(FlowRecord, life);

/// Programs write to this memory at any time, so that it is only ever touched as atomic words.
pub(super) struct Slab {
    start: NonNull<AtomicU64>,
    slots: u32,
}

// SAFETY: the mapping belongs to no thread, and all access is atomic.
unsafe impl Send for Slab {}

impl Slab {
    /// Maps an array map of `slots` records that was made with `BPF_F_MMAPABLE`.
    pub(super) fn map(fd: &impl AsRawFd, slots: u32) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                Self::bytes(slots),
                protection,
                libc::MAP_SHARED,
                fd.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Self { start, slots })
    }

    const fn bytes(slots: u32) -> usize {
        slots as usize * size_of::<FlowRecord>()
    }

    pub(super) const fn slots(&self) -> u32 {
        self.slots
    }

    fn words(&self, slot: u32) -> &[AtomicU64] {
        if slot >= self.slots {
            return &[];
        }
        // SAFETY: inside the mapping, as the slot is below the number of slots.
        let first = unsafe { self.start.add(slot as usize * WORDS) };
        // SAFETY: WORDS aligned words of a mapping that lives as long as `self`, never touched but atomically.
        unsafe { std::slice::from_raw_parts(first.as_ptr(), WORDS) }
    }

    /// One of [`life`]; free for a slot beyond the table.
    pub(super) fn life(&self, slot: u32) -> u32 {
        self.life_word(slot).map_or(life::FREE, |word| word.load(Ordering::Acquire))
    }

    /// Marks a slot that no program can find any more.
    pub(super) fn set_free(&self, slot: u32) {
        if let Some(word) = self.life_word(slot) {
            word.store(life::FREE, Ordering::Release);
        }
    }

    fn life_word(&self, slot: u32) -> Option<&AtomicU32> {
        let word = self.words(slot).get(LIFE / size_of::<u64>())?;
        let half = LIFE % size_of::<u64>() / size_of::<u32>();
        // SAFETY: the field is one aligned half of the word, and is used atomically here and by the programs.
        let halves: &[AtomicU32; 2] = unsafe { &*std::ptr::from_ref(word).cast() };
        halves.get(half)
    }

    /// Sum of the packet counters: differs from an earlier one where packets were counted since.
    pub(super) fn fingerprint(&self, slot: u32) -> u64 {
        const OWNED: usize = std::mem::offset_of!(flow_common::record::Half, owned) / 8;
        const SHARED: usize = std::mem::offset_of!(flow_common::record::Half, shared) / 8;
        const HALVES: usize = std::mem::offset_of!(FlowRecord, halves) / 8;
        const HALF: usize = size_of::<flow_common::record::Half>() / 8;
        let words = self.words(slot);
        let load = |index: usize| words.get(index).map_or(0, |word| word.load(Ordering::Relaxed));
        [HALVES + OWNED, HALVES + SHARED, HALVES + HALF + OWNED, HALVES + HALF + SHARED]
            .into_iter()
            .fold(0, |sum, index| sum.wrapping_add(load(index)))
    }

    /// A copy of a record. Each word is whole; words of one packet may be apart by that packet.
    pub(super) fn copy(&self, slot: u32) -> Option<FlowRecord> {
        let words = self.words(slot);
        if words.is_empty() {
            return None;
        }
        let mut copy = MaybeUninit::<FlowRecord>::uninit();
        for (index, word) in words.iter().enumerate() {
            // SAFETY: WORDS words make up the record, whose alignment is that of a word.
            let to = unsafe { copy.as_mut_ptr().cast::<u64>().add(index) };
            // SAFETY: inside `copy`, as above.
            unsafe { to.write(word.load(Ordering::Relaxed)) };
        }
        // SAFETY: all of it was written, and a record is integers only.
        Some(unsafe { copy.assume_init() })
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `map`, which nothing refers to any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), Self::bytes(self.slots)) };
    }
}
