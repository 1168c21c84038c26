//! Memory that several CPUs use at once: each word of it is read and written as a whole, in no order, and nothing is
//! assumed to stay as it was.
//!
//! A record is found by programs on several CPUs at the same time, and read by the daemon meanwhile. References to its
//! plain fields would tell the compiler that nobody else writes there. So what is shared is made of [`Relaxed`] words,
//! and `share!` gives a struct of plain fields a twin of such words in the same places: readers copy the plain one
//! out, programs work on the other.

use core::{cell::UnsafeCell, sync::atomic::AtomicU64};

/// A word that other CPUs may read and write at any time.
///
/// Read and written by relaxed atomics. Where a target has none of that size, which is BPF, by volatile moves, as the
/// kernel's own READ_ONCE and WRITE_ONCE: one instruction each, as all words here are aligned.
#[repr(transparent)]
pub struct Relaxed<T>(UnsafeCell<T>);

// SAFETY: all that a shared reference allows is a move of the whole word, which is atomic.
unsafe impl<T: Word> Sync for Relaxed<T> {}

/// What a processor moves as a whole.
///
/// # Safety
/// `load` and `store` are atomic, or single instructions that the compiler neither splits nor leaves out.
pub unsafe trait Word: Copy {
    /// # Safety
    /// `place` can be read and is aligned.
    unsafe fn load(place: *mut Self) -> Self;

    /// # Safety
    /// `place` can be written and is aligned.
    unsafe fn store(place: *mut Self, value: Self);
}

macro_rules! words {
    ($($word:ty, $atomic:ident;)+) => { $(
        // SAFETY: atomics, or aligned words in volatile moves.
        unsafe impl Word for $word {
            #[inline(always)]
            unsafe fn load(place: *mut Self) -> Self {
                #[cfg(target_arch = "bpf")]
                // SAFETY: as the caller promises.
                return unsafe { place.read_volatile() };
                #[cfg(not(target_arch = "bpf"))]
                // SAFETY: as the caller promises.
                unsafe { core::sync::atomic::$atomic::from_ptr(place) }.load(core::sync::atomic::Ordering::Relaxed)
            }

            #[inline(always)]
            unsafe fn store(place: *mut Self, value: Self) {
                #[cfg(target_arch = "bpf")]
                // SAFETY: as the caller promises.
                unsafe { place.write_volatile(value) };
                #[cfg(not(target_arch = "bpf"))]
                // SAFETY: as the caller promises.
                unsafe { core::sync::atomic::$atomic::from_ptr(place) }
                    .store(value, core::sync::atomic::Ordering::Relaxed);
            }
        }

        // SAFETY: one word, and the same word.
        unsafe impl Share for $word {
            type Shared = Relaxed<$word>;

            #[inline(always)]
            fn load(shared: &Relaxed<$word>) -> Self {
                shared.get()
            }
        }
    )+ };
}
words! {
    u8, AtomicU8;
    u16, AtomicU16;
    u32, AtomicU32;
    u64, AtomicU64;
}

impl<T: Word> Relaxed<T> {
    #[inline(always)]
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    #[inline(always)]
    pub fn get(&self) -> T {
        // SAFETY: inside of a reference.
        unsafe { T::load(self.0.get()) }
    }

    #[inline(always)]
    pub fn set(&self, value: T) {
        // SAFETY: inside of a reference, and `UnsafeCell` lets it be written through that.
        unsafe { T::store(self.0.get(), value) };
    }
}

impl Relaxed<u64> {
    /// For additions that are to be atomic.
    #[inline(always)]
    pub const fn atomic(&self) -> &AtomicU64 {
        // SAFETY: aligned, alive as long as `self`, and used as whole words only.
        unsafe { AtomicU64::from_ptr(self.0.get()) }
    }
}

macro_rules! add {
    ($($word:ty),+) => { $(
        impl Relaxed<$word> {
            /// Adds, and loses what another CPU adds at the same time.
            #[inline(always)]
            pub fn add(&self, amount: $word) {
                self.set(self.get() + amount);
            }
        }
    )+ };
}
add!(u8, u32, u64);

macro_rules! bits {
    ($($word:ty),+) => { $(
        impl Relaxed<$word> {
            /// Sets bits, and loses what another CPU sets at the same time.
            #[inline(always)]
            pub fn set_bits(&self, bits: $word) {
                self.set(self.get() | bits);
            }
        }
    )+ };
}
bits!(u8, u16, u32, u64);

/// Plain data that can lie in shared memory.
///
/// # Safety
/// `Shared` has the same words in the same places, all of them [`Relaxed`], and nothing else.
pub unsafe trait Share: Sized {
    /// The same where other CPUs may write.
    type Shared;

    /// A copy: each word of it whole, words of different times where somebody writes meanwhile.
    fn load(shared: &Self::Shared) -> Self;

    /// To be shared from now on.
    fn into_shared(self) -> Self::Shared {
        let plain = core::mem::ManuallyDrop::new(self);
        // SAFETY: the same words in the same places.
        unsafe { core::mem::transmute_copy(&plain) }
    }

    /// What nobody else can have a reference to, as plain data.
    #[inline(always)]
    fn alone(shared: &mut Self::Shared) -> &mut Self {
        // SAFETY: the only reference, to the same words in the same places.
        unsafe { &mut *core::ptr::from_mut(shared).cast() }
    }

    /// Plain data as if it were shared.
    #[inline(always)]
    fn shared(plain: &mut Self) -> &Self::Shared {
        // SAFETY: the only reference, to the same words in the same places.
        unsafe { &*core::ptr::from_mut(plain).cast() }
    }

    /// Overwrites all of it in whatever steps the compiler takes.
    ///
    /// # Safety
    /// Nobody else reads or writes any of it meanwhile.
    #[inline(always)]
    unsafe fn overwrite(shared: &Self::Shared, value: Self) {
        // SAFETY: all of it is in `UnsafeCell`s, and nobody else is there, as the caller promises.
        unsafe { core::ptr::from_ref(shared).cast_mut().cast::<Self>().write(value) };
    }
}

// SAFETY: an array of the same.
unsafe impl<T: Share, const N: usize> Share for [T; N] {
    type Shared = [T::Shared; N];

    #[inline(always)]
    fn load(shared: &Self::Shared) -> Self {
        shared.each_ref().map(T::load)
    }
}

/// Makes a struct of two half words a word: `repr(C, align(8))`, without padding.
macro_rules! packed {
    ($type:ty) => {
        const _: () =
            assert!(size_of::<$type>() == size_of::<u64>() && align_of::<$type>() == align_of::<u64>());

        // SAFETY: moved as the u64 that it is as large as and aligned like, and any of which is a value.
        unsafe impl $crate::shared::Word for $type {
            #[inline(always)]
            unsafe fn load(place: *mut Self) -> Self {
                // SAFETY: as the caller promises.
                let word = unsafe { <u64 as $crate::shared::Word>::load(place.cast()) };
                // SAFETY: as large, and integers without padding.
                unsafe { core::mem::transmute::<u64, Self>(word) }
            }

            #[inline(always)]
            unsafe fn store(place: *mut Self, value: Self) {
                // SAFETY: as large, and integers without padding.
                let word = unsafe { core::mem::transmute::<Self, u64>(value) };
                // SAFETY: as the caller promises.
                unsafe { <u64 as $crate::shared::Word>::store(place.cast(), word) };
            }
        }

        // SAFETY: one word, and the same word.
        unsafe impl $crate::shared::Share for $type {
            type Shared = $crate::shared::Relaxed<Self>;

            #[inline(always)]
            fn load(shared: &Self::Shared) -> Self {
                shared.get()
            }
        }
    };
}
pub(crate) use packed;

/// Gives a struct of plain fields its shared twin.
macro_rules! share {
    ($(
        $(#[$note:meta])*
        $visible:vis struct $plain:ident, shared $shared:ident {
            $($(#[$field_note:meta])* $field_visible:vis $field:ident: $type:ty,)+
        }
    )+) => { $(
        $(#[$note])*
        #[repr(C)]
        $visible struct $plain {
            $($(#[$field_note])* $field_visible $field: $type,)+
        }

        #[doc = concat!("[`", stringify!($plain), "`] where other CPUs write too.")]
        #[repr(C)]
        $visible struct $shared {
            $($field_visible $field: <$type as $crate::shared::Share>::Shared,)+
        }

        // SAFETY: field by field the same words, as the assertions below confirm.
        unsafe impl $crate::shared::Share for $plain {
            type Shared = $shared;

            #[inline(always)]
            fn load(shared: &$shared) -> Self {
                Self { $($field: <$type as $crate::shared::Share>::load(&shared.$field),)+ }
            }
        }

        const _: () = assert!(size_of::<$plain>() == size_of::<$shared>());
        const _: () = assert!(align_of::<$plain>() == align_of::<$shared>());
        $(const _: () = assert!(core::mem::offset_of!($plain, $field) == core::mem::offset_of!($shared, $field));)+
    )+ };
}
pub(crate) use share;

#[cfg(test)]
mod tests {
    use super::*;

    share! {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        struct Pair, shared SharedPair {
            small: u8,
            pad: [u8; 3],
            middle: u32,
            large: [u64; 2],
        }
    }

    const PAIR: Pair = Pair { small: 1, pad: [0; 3], middle: 2, large: [3, 4] };

    #[test]
    fn both_twins_have_the_same_words() {
        let mut pair = PAIR;
        let shared = Pair::shared(&mut pair);
        shared.small.add(1);
        shared.middle.set_bits(5);
        shared.large[1].set(9);
        assert_eq!(Pair::load(shared), Pair { small: 2, middle: 7, large: [3, 9], ..PAIR });
        shared.large[0].atomic().fetch_add(1, core::sync::atomic::Ordering::Relaxed);
        assert_eq!(pair.large, [4, 9]);
    }

    #[test]
    fn who_is_alone_writes_at_will() {
        let mut pair = PAIR;
        // SAFETY: nobody else knows of it.
        unsafe { Pair::overwrite(Pair::shared(&mut pair), Pair { middle: 8, ..PAIR }) };
        let mut shared = PAIR.into_shared();
        Pair::alone(&mut shared).large = [6, 7];
        assert_eq!((pair.middle, Pair::load(&shared).large), (8, [6, 7]));
    }

    /// Two threads may have the same words at the same time; each finds whole ones.
    #[test]
    fn words_are_whole() {
        let word = Relaxed::new(0_u64);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..100_000_u64).for_each(|n| word.set(n << 32 | n)));
            for _ in 0..100_000 {
                let seen = word.get();
                assert_eq!(seen >> 32, seen & u64::from(u32::MAX));
            }
        });
    }
}
