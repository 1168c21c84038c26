//! Numbers in messages.

/// The number of two bytes at `at`, in network order.
pub(in crate::dns) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*pair))
}
