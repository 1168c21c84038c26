//! Access to a packet's bytes that works alike for the kernel's socket buffer and for a slice.

/// Plain data that may be read from any bytes.
///
/// # Safety
/// Every bit pattern of `size_of::<Self>()` bytes is a valid value.
pub unsafe trait Wire: Copy {}

macro_rules! wire {
    ($($type:ty),+) => { $(
        // SAFETY: integers and arrays of them are valid for every bit pattern.
        unsafe impl Wire for $type {}
    )+ };
}
wire!(u8, u16, u32, u64);

/// A packet from its link header (or IP header, where the device has none) on.
pub trait Packet {
    /// Whether it may begin with a link header that only captures have.
    const CAPTURED: bool = true;

    /// Length on the wire, which may be more than can be read (captures with a snap length).
    fn len(&self) -> u32;

    /// The value at `offset`, by copy; `None` where the packet ends before it does.
    fn read<T: Wire>(&self, offset: u32) -> Option<T>;

    /// Whether there is nothing at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Packet for &[u8] {
    #[inline(always)]
    fn len(&self) -> u32 {
        u32::try_from(<[u8]>::len(self)).unwrap_or(u32::MAX)
    }

    #[inline(always)]
    fn read<T: Wire>(&self, offset: u32) -> Option<T> {
        let start = usize::try_from(offset).ok()?;
        let bytes = self.get(start..start.checked_add(size_of::<T>())?)?;
        // SAFETY: `bytes` holds size_of::<T>() readable bytes, and `Wire` says that any of them make a T.
        Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
    }
}

/// A captured packet: what was kept of it, and its length on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// The bytes that were kept.
    pub data: &'a [u8],
    /// Length on the wire, at least `data.len()`.
    pub original_len: u32,
}

impl Packet for Captured<'_> {
    #[inline(always)]
    fn len(&self) -> u32 {
        self.original_len
    }

    #[inline(always)]
    fn read<T: Wire>(&self, offset: u32) -> Option<T> {
        self.data.read(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_end_where_the_packet_ends() {
        let bytes: &[u8] = &[1, 2, 3, 4, 5];
        assert_eq!(bytes.read::<u32>(1), Some(u32::from_ne_bytes([2, 3, 4, 5])));
        assert_eq!(bytes.read::<u32>(2), None);
        assert_eq!(bytes.read::<u8>(u32::MAX), None);
    }
}
