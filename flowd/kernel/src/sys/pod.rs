//! Shared types as the plain bytes that the kernel exchanges: one of the few places with `unsafe`.

use flow_common::{
    clock::Reuse,
    counter::InterfaceTotals,
    event::PayloadEvent,
    free::{Hand, Run},
    key::FlowKey,
    settings::{Interface, Settings},
};

/// A shared type in a map of aya's.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Plain<T>(pub(crate) T);

macro_rules! plain {
    ($($type:ty),+) => { $(
        // SAFETY: repr(C) without padding, integers only: any bytes are a value, any value is bytes.
        unsafe impl aya::Pod for Plain<$type> {}
        // SAFETY: the same.
        unsafe impl Bytes for $type {}
    )+ };
}

/// Any bytes are a value.
///
/// # Safety
/// Every bit pattern of `size_of::<Self>()` bytes is valid.
pub(crate) unsafe trait Bytes: Copy {}

plain!(FlowKey, Hand, Interface, InterfaceTotals, Reuse, Run, Settings);
// SAFETY: integers and a FlowKey.
unsafe impl Bytes for PayloadEvent {}

/// A value from its bytes, wherever they lie; `None` where there are too few.
pub(crate) fn read<T: Bytes>(bytes: &[u8]) -> Option<T> {
    let bytes = bytes.get(..size_of::<T>())?;
    // SAFETY: as many bytes as T has, and any of them make a T.
    Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}
