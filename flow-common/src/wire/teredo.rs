//! Teredo (RFC 4380): IPv6 in UDP, behind optional authentication and origin indications.

/// UDP port of Teredo servers.
pub const PORT: u16 = 3544;
/// First word of an authentication header (section 5.1.1), in host order.
pub const AUTHENTICATION: u16 = 0x0001;
/// First word of an origin indication, in host order.
pub const ORIGIN: u16 = 0x0000;
/// Bytes of an origin indication.
pub const ORIGIN_LEN: u32 = 8;
/// Bytes of an authentication header without its two variable fields.
pub const AUTHENTICATION_LEN: u32 = 13;
