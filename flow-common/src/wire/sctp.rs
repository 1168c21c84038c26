//! SCTP (RFC 9260): the common header.

/// Bytes of the common header: ports, verification tag, checksum. Chunks follow.
pub const HEADER_LEN: u32 = 12;
