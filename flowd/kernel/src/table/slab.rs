//! The flow records, read in place through a window: a stretch of them that is mapped while it is looked at.
//! The kernel counts mapped pages as this process's, so that all of them at once would make it look as large as
//! the table.

use std::{
    io,
    mem::{MaybeUninit, offset_of},
    ops::Range,
    os::fd::OwnedFd,
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
};

use flow_common::{
    app::App,
    key::FlowKey,
    record::{FlowRecord, Half, TcpHalf, life},
};

use crate::sys::Mapping;
use flow_common::end::Rest;

const WORD: usize = size_of::<u64>();
const RECORD: usize = size_of::<FlowRecord>();
const WORDS: usize = RECORD / WORD;
const _: () = assert!(RECORD.is_multiple_of(WORD));

/// Records of one window. They fill whole pages of any size up to 64 KiB, as a mapping must begin with a page;
/// 6 MiB are few enough not to matter, and enough that the system calls do not.
pub(crate) const WINDOW: u32 = 8_192;
const _: () = assert!((WINDOW as usize * RECORD).is_multiple_of(64 << 10));

const HALVES: [usize; 2] =
    [offset_of!(FlowRecord, halves), offset_of!(FlowRecord, halves) + size_of::<Half>()];
const LAST: usize = offset_of!(Half, last);
const LOOKS: usize = offset_of!(Half, tcp) + offset_of!(TcpHalf, misses);
const STATE: usize = offset_of!(Half, tcp) + offset_of!(TcpHalf, state);

/// An array map of records that was made with `BPF_F_MMAPABLE`.
pub(crate) struct Slab {
    map: OwnedFd,
    slots: u32,
}

impl Slab {
    /// Fails where the records cannot be mapped.
    pub(crate) fn new(map: OwnedFd, slots: u32) -> io::Result<Self> {
        let slab = Self { map, slots };
        slab.window(0, slots)?;
        Ok(slab)
    }

    pub(crate) const fn slots(&self) -> u32 {
        self.slots
    }

    /// The window that begins at `first`, a multiple of [`WINDOW`], and ends before `end` at the latest.
    pub(crate) fn window(&self, first: u32, end: u32) -> io::Result<Window> {
        let end = end.min(self.slots).min(first.saturating_add(WINDOW));
        let bytes = end.saturating_sub(first).max(1) as usize * RECORD;
        let mapping = Mapping::new(&self.map, first as usize * RECORD, bytes)?;
        Ok(Window { mapping, slots: first..end })
    }

    /// Writes what is to be looked at of both sides, and what they speak, where the slot is the flow's.
    pub(crate) fn steer(&self, key: &FlowKey, slot: u32, looks: u8, app: Option<App>) {
        if slot >= self.slots {
            return;
        }
        let Ok(window) = self.window(slot - slot % WINDOW, self.slots) else { return };
        if window.key(slot) == *key {
            HALVES.into_iter().for_each(|half| window.set_byte(slot, half + LOOKS, looks));
            if let Some(app) = app {
                window.set_byte(slot, offset_of!(FlowRecord, app), app as u8);
            }
        }
    }

    /// A copy of one record, by a system call; `None` for a slot beyond the table.
    pub(crate) fn copy(&self, slot: u32) -> Option<FlowRecord> {
        let mut copy = MaybeUninit::<FlowRecord>::uninit();
        // SAFETY: key and value are as large as those of the map.
        unsafe { crate::sys::bpf::lookup(&self.map, &raw const slot, copy.as_mut_ptr()) }.ok()?;
        // SAFETY: the kernel wrote all of it, and a record is integers only.
        Some(unsafe { copy.assume_init() })
    }
}

/// Mapped records.
pub(crate) struct Window {
    mapping: Mapping,
    slots: Range<u32>,
}

impl Window {
    pub(crate) fn slots(&self) -> Range<u32> {
        self.slots.clone()
    }

    fn words(&self, slot: u32) -> &[AtomicU64; WORDS] {
        let records = self.mapping.words().as_chunks().0;
        #[allow(clippy::indexing_slicing, reason = "a slot of another window is a mistake in this crate")]
        &records[slot.wrapping_sub(self.slots.start) as usize]
    }

    /// The half of a word of a record that holds the field at `offset`.
    fn half_word(&self, slot: u32, offset: usize) -> Option<&AtomicU32> {
        let word = self.words(slot).get(offset / WORD)?;
        // SAFETY: an aligned half of a word, which is used atomically here and by the programs.
        let halves: &[AtomicU32; 2] = unsafe { &*std::ptr::from_ref(word).cast() };
        halves.get(offset % WORD / size_of::<u32>())
    }

    /// The word of a record that holds the field at `offset`.
    fn word(&self, slot: u32, offset: usize) -> u64 {
        self.words(slot).get(offset / WORD).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn byte(&self, slot: u32, offset: usize) -> u8 {
        self.word(slot, offset).to_ne_bytes().get(offset % WORD).copied().unwrap_or_default()
    }

    /// Writes one byte of a record, and nothing of those beside it, which programs write.
    fn set_byte(&self, slot: u32, offset: usize, byte: u8) {
        let Some(word) = self.words(slot).get(offset / WORD) else { return };
        // SAFETY: a word's bytes, which are used atomically here, and written whole by the programs.
        let bytes: &[AtomicU8; WORD] = unsafe { &*std::ptr::from_ref(word).cast() };
        if let Some(place) = bytes.get(offset % WORD) {
            place.store(byte, Ordering::Relaxed);
        }
    }

    /// One of [`life`].
    pub(crate) fn life(&self, slot: u32) -> u32 {
        let word = self.half_word(slot, offset_of!(FlowRecord, life));
        word.map_or(life::FREE, |word| word.load(Ordering::Acquire))
    }

    /// Says that the record takes no packets any more from who does not find it in the index.
    pub(crate) fn detach(&self, slot: u32) {
        if let Some(word) = self.half_word(slot, offset_of!(FlowRecord, life)) {
            word.store(life::DETACHED, Ordering::Release);
        }
    }

    /// Marks a slot that no program can find any more; `skip` leads to the next of its run.
    pub(crate) fn set_free(&self, slot: u32, skip: u32) {
        for (offset, value) in
            [(offset_of!(FlowRecord, skip), skip), (offset_of!(FlowRecord, life), life::FREE)]
        {
            if let Some(word) = self.half_word(slot, offset) {
                word.store(value, Ordering::Release);
            }
        }
    }

    /// When each side's last packet passed.
    pub(crate) fn lasts(&self, slot: u32) -> [u64; 2] {
        HALVES.map(|half| self.word(slot, half + LAST))
    }

    /// What says when a record is over.
    pub(crate) fn rest(&self, slot: u32, life: u32) -> Rest {
        let [a, b] = self.lasts(slot);
        Rest {
            life,
            protocol: self.key(slot).protocol(),
            ended: self.byte(slot, offset_of!(FlowRecord, ended)),
            states: HALVES.map(|half| self.byte(slot, half + STATE)),
            last: self.word(slot, offset_of!(FlowRecord, start)).max(a).max(b),
        }
    }

    /// The key of a live record, which does not change.
    pub(crate) fn key(&self, slot: u32) -> FlowKey {
        self.part(slot, offset_of!(FlowRecord, key))
    }

    /// A copy of a record. Each word is whole; words of one packet may be apart by that packet.
    pub(crate) fn copy(&self, slot: u32) -> FlowRecord {
        self.part(slot, 0)
    }

    /// A copy of the part of a record that begins at `offset`: `T` is whole words, of which any make a `T`.
    fn part<T>(&self, slot: u32, offset: usize) -> T {
        const { assert!(size_of::<T>().is_multiple_of(WORD) && align_of::<T>() <= WORD) };
        let words = self.words(slot).iter().skip(offset / WORD).take(size_of::<T>() / WORD);
        let mut copy = MaybeUninit::<T>::zeroed();
        for (index, word) in words.enumerate() {
            // SAFETY: as many words as make up the copy.
            let to = unsafe { copy.as_mut_ptr().cast::<u64>().add(index) };
            // SAFETY: inside `copy`, whose alignment is at most that of a word.
            unsafe { to.write_unaligned(word.load(Ordering::Relaxed)) };
        }
        // SAFETY: keys and records are integers only, zeros or what was written.
        unsafe { copy.assume_init() }
    }
}
