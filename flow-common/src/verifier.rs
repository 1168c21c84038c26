//! What keeps the kernel's verifier from walking the same code over and over.
//!
//! The verifier follows what it knows of a register along every way through a program, and ways that know different
//! things multiply. Of memory outside the stack it remembers nothing: where all ways read a value from there, they are
//! one again. What is true of the value stays true; only the verifier no longer knows it.

use core::hint::black_box;

use crate::packet::Wire;

/// Takes `value` out of the verifier's sight: stores it in `place` and reads it back, in a way that no compiler
/// shortens.
#[inline(always)]
pub fn launder<T: Wire>(place: &mut T, value: T) -> T {
    let place = core::ptr::from_mut(place);
    // SAFETY: a valid reference.
    unsafe { place.write_volatile(value) };
    // SAFETY: written above.
    unsafe { place.read_volatile() }
}

/// Reads `place` anew, whatever the compiler still knows of it.
#[inline(always)]
pub fn reload<T: Wire>(place: &T) -> T {
    // SAFETY: a valid reference.
    unsafe { core::ptr::from_ref(place).read_volatile() }
}

/// A loop's count, out of the compiler's sight so that it does not write the loop out. The verifier still sees it: it
/// follows numbers of eight bytes on the stack, and of fewer bytes only where they happen to lie right.
#[inline(always)]
#[must_use]
pub fn count(rounds: u64) -> u64 {
    black_box(rounds)
}
